import ArchivesSupport
import DDNFiles
import Foundation
import Testing

@testable import DDNData

@Suite("NumPyImages")
struct NumPyImagesTests {
  /// An npy file as NumPy writes it.
  private static func npy(_ type: String, _ shape: String, _ content: Data, order: String = "False") -> Data {
    var header = "{'descr': '\(type)', 'fortran_order': \(order), 'shape': (\(shape)), }"
    header += String(repeating: " ", count: 117 - header.utf8.count) + "\n"
    return Data([0x93]) + Data("NUMPY".utf8) + Data([1, 0]) + words(UInt16(header.utf8.count)) + Data(header.utf8)
      + content
  }

  private static let pixels = Data((0..<96).map { UInt8($0) })

  @Test("images and labels of an npz archive are read by split")
  func archive() throws {
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("a.npz")
      try ZipBytes([
        .init("x_train.npy", Self.npy("|u1", "2, 4, 4, 3", Self.pixels), deflated: true),
        .init("y_train.npy", Self.npy("<i8", "2,", words(Int64(3), Int64(1)))),
        .init("x_test.npy", Self.npy("|u1", "6, 4, 4", Self.pixels)),
      ]).data.write(to: url)
      let train = try openImages(url)
      #expect(train.count == 2 && train.labels == [3, 1])
      #expect(try train.bitmap(1, channels: .asStored).pixels == Array(Self.pixels[48...]))
      let test = try openImages(url, split: .test)
      #expect(test.count == 6 && test.labels == nil)
    }
  }

  @Test("damaged arrays and arrays of other types or shapes are refused")
  func refused() throws {
    try withTemporaryFolder { folder in
      let whole = Self.npy("|u1", "6, 4, 4", Self.pixels)
      for data in [
        whole.prefix(9), whole.prefix(60), whole.dropLast(), whole + [0], Self.npy("<f4", "6, 4, 1", Self.pixels),
        Self.npy("|u1", "6, 4, 4", Self.pixels, order: "True"), Self.npy("|u1", "96,", Self.pixels),
        Self.npy("|u1", "9223372036854775807, 9, 9", Self.pixels), Self.npy("|O", "6, 4, 4", Self.pixels),
        Self.npy("|u1", "0, 4, 4", Data()), Self.npy("|u1", "6, 2, 8", Self.pixels),
      ] {
        let url = folder.appendingPathComponent("a.npy")
        try data.write(to: url)
        #expect(try #require(throws: FileError.self) { try openImages(url) }.kind == .invalid)
      }
      let url = folder.appendingPathComponent("a.npy")
      try whole.write(to: url)
      #expect(try openImages(url).count == 6)
    }
  }
}

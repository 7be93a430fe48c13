import DDNFiles
import Foundation
import Torch

extension Model {
  /// 64 bits of the network's configuration and weights, to tell whether a code belongs to this model.
  ///
  /// Equal models have equal fingerprints on every machine and device; how a model was trained does not count.
  ///
  /// - Throws: `TorchError`.
  public func fingerprint() throws -> UInt64 {
    let encoder = JSONEncoder.oneLine
    var hash = Fingerprint()
    hash.add(try encoder.encode(configuration))
    for (name, tensor) in network.state().sorted(by: { $0.key < $1.key }) {
      hash.add(Data(name.utf8))
      hash.add(try tensor.to(.cpu).bytes())
    }
    return hash.value
  }
}

/// A 64-bit hash of bytes, eight at a time.
///
/// Source: the multiplication and the shift of splitmix64 (Steele, Lea and Flood, 2014), once per word.
public struct Fingerprint: Sendable {
  public private(set) var value: UInt64 = 0x9E37_79B9_7F4A_7C15

  public init() {}

  /// Adds bytes and their number.
  public mutating func add(_ bytes: Data) {
    mix(UInt64(bytes.count))
    bytes.withUnsafeBytes { buffer in
      let words = buffer.count / 8
      for word in 0..<words {
        mix(UInt64(littleEndian: buffer.loadUnaligned(fromByteOffset: 8 * word, as: UInt64.self)))
      }
      var rest: UInt64 = 0
      for byte in buffer[(8 * words)...] { rest = rest << 8 | UInt64(byte) }
      mix(rest)
    }
  }

  private mutating func mix(_ word: UInt64) {
    value = (value ^ word) &* 0xBF58_476D_1CE4_E5B9
    value ^= value >> 29
  }
}

import DDNFiles
import Foundation
import Images
import Testing

extension CommandTests {
  @Suite("Codes as files") struct CodeTests {
    /// A folder with the codes of 20 shipped digits, of `mnist-k8-l3`.
    private static func encoded(_ options: [String] = [], count: Int = 20) async throws -> (URL, Command.Result) {
      let folder = try Scratch.folder()
      let result = try await Command.run(
        ["encode", "--network", "mnist-k8-l3", "--count", "\(count)", "--out", "digits.ddn"] + options, in: folder)
      return (folder, result)
    }

    @Test("a file of codes comes back as the images of reconstruct, without naming the model")
    func roundTrip() async throws {
      let (folder, result) = try await Self.encoded()
      #expect(result.exitCode == 0 && result.output.contains("codes  9.0 bits an image, 0.0088 a pixel"), "\(result)")
      let bytes = try Data(contentsOf: folder.appending(path: "digits.ddn")).count
      #expect(bytes <= 17 + 24 && result.output.contains("\(bytes) bytes"))
      let decoded = try await Command.run(["decode", "digits.ddn"], in: folder)
      #expect(decoded.exitCode == 0, "\(decoded)")
      let reference = try await Command.run(
        ["reconstruct", "--network", "mnist-k8-l3", "--count", "20"], in: folder)
      #expect(reference.exitCode == 0)
      func codes(_ path: String) throws -> [String] {
        try String(contentsOf: folder.appending(path: path), encoding: .utf8).split(separator: "\n")
          .map { String($0.split(separator: " ").last!) }
      }
      #expect(try codes("decoded/codes.txt") == codes("reconstructed/codes.txt"))
      #expect(
        try Folder.names(in: folder.appending(path: "decoded/images")).filter { $0.hasSuffix(".png") }.count == 20)
    }

    @Test("an image file gives a file of its name, and a class-conditional model needs its class")
    func oneImage() async throws {
      let folder = try Scratch.folder()
      try Bitmap(width: 40, height: 50, channels: 1, pixels: (0..<2000).map { UInt8($0 % 251) })
        .write(to: folder.appending(path: "me.png"))
      let classless = try await Command.run(["encode", "me.png", "--network", "faces64"], in: folder)
      #expect(classless.isFailure(64, "give the images' class with --class 0...1"), "\(classless)")
      let result = try await Command.run(["encode", "me.png", "--network", "faces64", "--class", "1"], in: folder)
      #expect(result.exitCode == 0 && result.output.contains("codes  132.0 bits an image"), "\(result)")
      #expect(try Data(contentsOf: folder.appending(path: "me.ddn")).count <= 16 + 18)
      let again = try await Command.run(["encode", "me.png", "--network", "faces64", "--class", "1"], in: folder)
      #expect(again.isFailure(1, "me.ddn: exists; give --overwrite"), "\(again)")
      let decoded = try await Command.run(["decode", "me.ddn"], in: folder)
      #expect(decoded.exitCode == 0, "\(decoded)")
      let codes = try String(contentsOf: folder.appending(path: "decoded/codes.txt"), encoding: .utf8)
      #expect(codes.hasSuffix(" 1\n"))
      let unnamed = try await Command.run([
        "encode", "me.png", "--network", "faces64", "--class", "1", "--out", "me.png",
      ])
      #expect(unnamed.isFailure(64, "a file of codes is a .ddn file"), "\(unnamed)")
      // `reconstruct` finds the same code.
      let refused = try await Command.run(["reconstruct", "me.png", "--network", "faces64"], in: folder)
      #expect(refused.isFailure(64, "give the images' class with --class 0...1"), "\(refused)")
      let found = try await Command.run(["reconstruct", "me.png", "--network", "faces64", "--class", "1"], in: folder)
      #expect(found.exitCode == 0, "\(found)")
      let same = try String(contentsOf: folder.appending(path: "reconstructed/codes.txt"), encoding: .utf8)
      #expect(same.split(separator: " ").dropFirst() == codes.split(separator: " ").dropFirst())
    }

    @Test("a blank picture has a note") func blank() async throws {
      let folder = try Scratch.folder()
      try Bitmap(width: 40, height: 40, channels: 1, shade: 255).write(to: folder.appending(path: "white.png"))
      let result = try await Command.run(["encode", "white.png", "--network", "mnist-k8-l3"], in: folder)
      #expect(result.exitCode == 0 && result.errors.contains("note: white.png is blank"), "\(result)")
    }

    @Test("the beginning of a file gives the first levels when asked, from standard input too")
    func prefix() async throws {
      let (folder, _) = try await Self.encoded()
      let cut = try Data(contentsOf: folder.appending(path: "digits.ddn")).prefix(24)
      try cut.write(to: folder.appending(path: "cut.ddn"))
      let refused = try await Command.run(["decode", "cut.ddn"], in: folder)
      #expect(refused.isFailure(65, "cut.ddn: ends after 24 of"), "\(refused)")
      let drawn = try await Command.run(
        ["decode", "-", "--partial"], shell: "cat cut.ddn | \"$@\"", in: folder)
      #expect(drawn.exitCode == 0, "\(drawn)")
      let lines = try String(contentsOf: folder.appending(path: "decoded/codes.txt"), encoding: .utf8)
        .split(separator: "\n")
      #expect(lines.count == 20 && lines.allSatisfy { $0.split(separator: " ")[1].count <= 3 })
    }

    @Test("options of the search shorten codes or better them")
    func search() async throws {
      let (_, plain) = try await Self.encoded()
      let (_, beams) = try await Self.encoded(["--beams", "8"])
      func psnr(_ result: Command.Result) throws -> Double {
        Double(try #require(result.output.firstMatch(of: /PSNR ([0-9.]+)/)).1)!
      }
      #expect(try psnr(beams) > psnr(plain))
      let (folder, short) = try await Self.encoded(["--levels", "2"])
      #expect(short.output.contains("codes  6.0 bits an image"), "\(short)")
      #expect(try await Command.run(["decode", "digits.ddn"], in: folder).exitCode == 0)
      let (_, enough) = try await Self.encoded(["--psnr", "15"])
      #expect(enough.exitCode == 0 && enough.errors.contains("below 15.0 dB with all levels"), "\(enough)")
    }

    @Test("another model, a damaged file, no file of codes and a black weight are one line each")
    func mistakes() async throws {
      let (folder, _) = try await Self.encoded()
      let other = try await Command.run(["decode", "digits.ddn", "--network", "mnist"], in: folder)
      #expect(other.isFailure(64, "was encoded with mnist-k8-l3: give --network mnist-k8-l3"), "\(other)")
      let missing = try await Command.run(["decode", "digits.ddn", "--prior", "no.safetensors"], in: folder)
      #expect(missing.isFailure(66, "no.safetensors"), "\(missing)")
      try Data("no prior".utf8).write(to: folder.appending(path: "broken.safetensors"))
      let broken = try await Command.run(["decode", "digits.ddn", "--prior", "broken.safetensors"], in: folder)
      #expect(broken.isFailure(65, "broken.safetensors: "), "\(broken)")
      var bytes = try Data(contentsOf: folder.appending(path: "digits.ddn"))
      bytes[bytes.count - 5] ^= 1
      try bytes.write(to: folder.appending(path: "damaged.ddn"))
      let damaged = try await Command.run(["decode", "damaged.ddn"], in: folder)
      #expect(damaged.isFailure(65, "damaged.ddn: does not fit its checksum"), "\(damaged)")
      bytes[4] ^= 1
      try bytes.write(to: folder.appending(path: "foreign.ddn"))
      let foreign = try await Command.run(["decode", "foreign.ddn"], in: folder)
      #expect(foreign.isFailure(64, "foreign.ddn is not of a shipped model"), "\(foreign)")
      try Data([0x50, 0x4B, 3, 4]).write(to: folder.appending(path: "noise.pt"))
      #expect(try await Command.run(["decode", "noise.pt"], in: folder).isFailure(65, "noise.pt"))
      try Bitmap(width: 4, height: 4, channels: 1, pixels: Array(repeating: 0, count: 16))
        .write(to: folder.appending(path: "black.png"))
      let black = try await Command.run(
        ["encode", "--network", "mnist-k8-l3", "--weight", "black.png"], in: folder)
      #expect(black.isFailure(65, "black.png: is black: no pixel counts"), "\(black)")
    }

    @Test("codes that the original saved are decoded, without the columns that it leaves empty") func original()
      async throws
    {
      let folder = try Scratch.folder()
      let codes = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Golden/codes/ddn_latents_l12_n3.pt")
      let result = try await Command.run(["decode", codes.path, "--network", "mnist-k8-l3"], in: folder)
      #expect(result.exitCode == 0, "\(result)")
      let lines = try String(contentsOf: folder.appending(path: "decoded/codes.txt"), encoding: .utf8)
      #expect(lines == "000000.png 3.0.7\n000001.png 1.2.3\n000002.png 0.0.0\n")
      let deep = try await Command.run(["decode", codes.path, "--network", "faces64", "--class", "0"], in: folder)
      #expect(deep.isFailure(65, "has codes of 12 choices, and the model's have 22"), "\(deep)")
    }
  }
}

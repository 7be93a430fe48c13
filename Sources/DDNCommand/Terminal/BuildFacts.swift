import Foundation
import Images
import Torch

/// What this program was built from, for `ddn --version`.
enum BuildFacts {
  static let version = "0.1.0"

  /// What `scripts/install` and `scripts/release` write beside the program; a program in its build folder has none, so that a
  /// commit recompiles nothing.
  private struct File: Decodable {
    let commit: String
    let swift: String
  }

  /// The commit, Swift's version, and the libraries and instructions in use, on one line.
  static var description: String {
    let url = Bundle.main.bundleURL.appendingPathComponent("build-facts.json")
    let file = (try? Data(contentsOf: url)).flatMap { try? JSONDecoder().decode(File.self, from: $0) }
    let cuda = (try? LibTorch.cudaVersion()).map { "for CUDA \($0)" } ?? "for CPUs"
    return """
      Commit \(file?.commit ?? "unknown"), Swift \(file?.swift ?? "unknown"), \(system); libtorch \(LibTorch.version) \
      \(cuda), libvips \(LibVips.version); kernels for \(LibTorch.cpuCapability).
      """
  }

  private static var system: String {
    #if arch(x86_64)
      let architecture = "x86_64"
    #elseif arch(arm64)
      let architecture = "arm64"
    #else
      let architecture = "unknown processor"
    #endif
    #if os(Linux)
      return "Linux \(architecture)"
    #else
      return "macOS \(architecture)"
    #endif
  }
}

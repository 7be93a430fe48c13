import DDN
import DDNFiles
import Foundation

/// A whole process of `ddn generate`.
public struct ProcessWork: Encodable, Sendable {
  /// Digits to generate.
  public let images: Int
  /// Arguments of `ddn`, without the output folder, which is last.
  public let arguments: [String]
  /// The same work within this process, for comparing results.
  public let network: NetworkWork

  init(images: Int) {
    self.images = images
    network = .generate(nodes: 64, levels: 10, images: images, model: "mnist-recurrent")
    arguments = [
      "generate", "--network", BenchmarkModels.url("mnist-recurrent").path, "--prior", "none", "--seeds",
      "0-\(images - 1)", "--outdir",
    ]
  }

  var name: String { "ddn generate of \(images) digits, whole process" }

  func prepare(_ machine: Machine) throws -> PreparedRow {
    let work = try network.prepare(machine)
    return PreparedRow(makeCase: work.makeCase, run: { try runProcess(machine) })
  }

  private func runProcess(_ machine: Machine) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("ddn-bench-\(UUID().uuidString)")
    try Folder.create(folder)
    defer { try? FileManager.default.removeItem(at: folder) }
    let process = Process()
    process.executableURL = Bundle.main.executableURL
    process.arguments = arguments + [folder.appendingPathComponent("images").path, "--device", "\(machine.device)"]
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw FileError(
        .failed, path: folder.path, problem: "ddn generate exited with code \(process.terminationStatus)",
        remedy: "see its error above")
    }
  }
}

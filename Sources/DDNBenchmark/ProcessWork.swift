import DDN
import DDNFiles
import Foundation

/// What a person waits for: a command from its start to its end.
public struct ProcessWork: Encodable, Sendable {
  /// Digits to draw.
  public let images: Int
  /// Of `ddn`; a folder for the images comes last.
  public let arguments: [String]
  /// The same work without the start, which is what can be compared number by number.
  public let network: NetworkWork

  init(images: Int) {
    self.images = images
    network = .generate(nodes: 64, levels: 10, images: images, model: "mnist")
    arguments = ["generate", "--network", "mnist", "--seeds", "0-\(images - 1)", "--outdir"]
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
        .failed, path: folder.path, problem: "ddn generate ended with \(process.terminationStatus)",
        remedy: "see the line above")
    }
  }
}

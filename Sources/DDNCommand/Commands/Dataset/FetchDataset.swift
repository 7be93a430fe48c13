import ArgumentParser
import DDNData
import DDNFiles
import Foundation

struct FetchDataset: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fetch",
    abstract: "Download MNIST, Fashion-MNIST, CIFAR-10 or CIFAR-100 and verify checksums.",
    discussion: """
      Resumes an interrupted download. Existing files are verified and not fetched again. Uses curl, with the proxy of \
      the environment.

      Examples:
        ddn dataset fetch mnist
        ddn dataset fetch cifar10 --outdir data
      """)

  @Argument(help: "mnist, fashion-mnist, cifar10 or cifar100.")
  var name: PublishedDataset

  @Option(help: "Folder for the files. (default: the data set's name)")
  var outdir: String?

  @Option(
    help: "URL of a mirror. (default: the authors', PyTorch's for MNIST)",
    transform: parseAddress)
  var url: URL?

  func run() throws {
    let folder = URL(fileURLWithPath: outdir ?? name.rawValue)
    try Folder.create(folder)
    StopSignal.listen("stopping; the same command resumes from here")
    for file in name.files {
      let download = Download(file, from: url ?? name.address, to: folder)
      var progress = ProgressLine(total: file.bytes, unit: "bytes")
      let start = ContinuousClock.now
      var before: Int?
      let isNew: Bool
      do {
        isNew = try download.fetch(shouldStop: StopSignal.shouldStop) { bytes in
          let fetched = bytes - (before ?? bytes)
          before = before ?? bytes
          progress.show(bytes, rate: Double(fetched) / ((ContinuousClock.now - start) / .seconds(1)), file.name)
        }
      } catch {
        progress.clear()
        if error is DatasetConversion.Stopped { throw Interrupted() }
        throw error
      }
      progress.clear()
      Terminal.print(
        "\(download.target.path): \(isNew ? "fetched" : "exists"), \(file.bytes) bytes, checked")
    }
  }
}

extension PublishedDataset: ExpressibleByArgument {}

@Sendable private func parseAddress(_ text: String) throws -> URL {
  guard let url = URL(string: text), ["http", "https"].contains(url.scheme), url.host != nil else {
    throw ValidationError("--url \(text) is not an http or https URL")
  }
  return url
}

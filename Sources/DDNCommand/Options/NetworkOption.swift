import ArgumentParser
import DDN
import DDNFiles
import DDNModels
import DDNTraining
import Foundation
import Torch

/// A command's model.
struct NetworkOption: ParsableArguments {
  @Option(
    help: .init(
      "A shipped model (\(Model.shippedNames.joined(separator: ", "))), a .safetensors file, or a run folder.",
      valueName: "name|file|folder"))
  var network = "mnist"

  /// The model's file: an existing file or run folder, else a shipped model of that name. Another folder of that name, such as a
  /// data set's, is no model.
  var url: URL {
    let url = URL(fileURLWithPath: network)
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder)
    let file = isFolder.boolValue ? RunFolder(url: url).model : url
    let isModel = isFolder.boolValue ? FileManager.default.fileExists(atPath: file.path) : exists
    return !isModel && Model.shippedNames.contains(network) ? Model.shippedURL(network) : file
  }

  /// Identifies the file's content.
  var identity: String { FileIdentity.text(of: url) }

  /// - Throws: `FileError` when the model is missing or damaged.
  func load(device: Device) throws -> Model {
    do { return try Model(contentsOf: url, device: device) } catch let error as FileError where error.kind == .missing {
      throw FileError(
        .missing, path: network, problem: "no such model",
        remedy: "give a file, a run folder, or one of \(Model.shippedNames.joined(separator: ", "))")
    }
  }
}

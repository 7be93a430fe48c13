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

  /// The model's file: an existing path, else a shipped model of that name.
  var url: URL {
    let url = URL(fileURLWithPath: network)
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) {
      return isFolder.boolValue ? RunFolder(url: url).model : url
    }
    return Model.shippedNames.contains(network) ? Model.shippedURL(network) : url
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

import CTorch
import DDNFiles
import Foundation

/// A module that PyTorch saved as TorchScript: weights and code in one file.
///
/// The module is in evaluation mode and computes no gradients. Not for concurrent use.
///
/// - Warning: Loading and calling a module runs the file's code with the rights of this process, as far as TorchScript
///   allows: its operators can read and write files. Load only files that you trust.
public final class ScriptModule {
  private let handle: ct_script
  private let path: String

  /// Loads a file that `torch.jit.save` or the `save` method of a scripted or traced module wrote.
  ///
  /// - Parameters:
  ///   - url: the file.
  ///   - device: where its parameters and buffers go.
  /// - Throws: `FileError` for a file that is missing, is not TorchScript, or does not fit this libtorch; `TorchError`
  ///   when the device refuses it.
  public init(contentsOf url: URL, device: Device = .cpu) throws {
    _ = try InputFile.map(url)
    path = url.path
    var loaded: ct_script?
    do throws(TorchError) {
      try check("load", ct_script_load(url.path, &loaded))
    } catch {
      throw FileError(
        .invalid, path: url.path, problem: "is not a TorchScript module that this libtorch reads (\(error.message))",
        remedy: "write it with torch.jit.script(module).save(...)")
    }
    handle = loaded!
    try check("move \(path) to \(device)", ct_script_move(handle, device.type, device.index))
  }

  deinit { ct_script_free(handle) }

  /// Calls `forward`, which must return one tensor.
  ///
  /// - Parameters:
  ///   - inputs: the arguments of `forward`, on the module's device.
  ///   - flag: the name of a Boolean argument of `forward` that is true; nil for none.
  /// - Returns: the result; it has no gradient.
  /// - Throws: `TorchError` with the file's path and the last line of TorchScript's traceback.
  public func callAsFunction(_ inputs: [Tensor], flag: String? = nil) throws(TorchError) -> Tensor {
    var output: ct_tensor?
    let status = withExtendedLifetime(inputs) {
      ct_script_call(handle, inputs.map { $0.handle }, inputs.count, flag, &output)
    }
    try check(path, status)
    return Tensor(owning: output!)
  }
}

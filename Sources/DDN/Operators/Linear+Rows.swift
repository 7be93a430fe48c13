import Torch

extension Tensor {
  private static let chosenImages = Operator("ddn::chosen_images")
  private static let rowsPerPart = 64

  /// The product of rows `[R, in]` and a weight `[out, in]`: `[R, out]`.
  ///
  /// In evaluation a row's bits depend on the row alone, so that an image is the same in any batch. Libraries' matrix
  /// products, used in training, round by the place of a row in its matrix and the number of rows.
  func linear(_ weight: Tensor, in mode: Module.Mode) throws(TorchError) -> Tensor {
    guard mode == .evaluation else { return try linear(weight, bias: nil) }
    // The kernel of chosen images sums in one order for every node's pixel. Here a row is one of a node's channels, and
    // an output a pixel; so neither rows nor results are transposed. Parts of the rows are nodes, one for each thread.
    let (rows, width, outputs) = (shape[0], shape[1], weight.shape[0])
    let part = min(rows, Self.rowsPerPart)
    let parts = (rows + part - 1) / part
    var input = self
    if parts * part > rows {
      input = try .concatenate([self, .zeros([parts * part - rows, width], dtype: dtype, device: device)])
    }
    let output = try Self.chosenImages.tensors(
      .tensor(weight.transposed(0, 1).contiguous().reshaped([1, width, 1, outputs])),
      .tensor(input.reshaped([parts, part, width])), .tensor(.zeros([parts], dtype: .int64, device: device)),
      .tensor(.range(0..<parts, device: device)))[0]  // [parts, part, 1, outputs]
    return try output.reshaped([parts * part, outputs]).slice(0, 0..<rows)
  }
}

extension Linear {
  /// `[R, in]` to `[R, out]`; see `Tensor.linear(_:in:)`.
  func callAsFunction(_ rows: Tensor, in mode: Module.Mode) throws(TorchError) -> Tensor {
    mode == .training ? try self(rows) : try rows.linear(weight.tensor, in: mode) + bias.tensor
  }
}

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
    // The kernel of chosen images sums in one order for every pixel; here a pixel is a row.
    let (rows, width) = (shape[0], shape[1])
    let part = min(rows, Self.rowsPerPart)
    let parts = (rows + part - 1) / part
    var input = self
    if parts * part > rows {
      input = try .concatenate([self, .zeros([parts * part - rows, width], dtype: dtype, device: device)])
    }
    let columns = try input.reshaped([parts, part, width]).transposed(1, 2).contiguous()
      .reshaped([parts, width, 1, part])
    let nodes = try Tensor.zeros([parts], dtype: .int64, device: device)
    let output = try Self.chosenImages.tensors(
      .tensor(columns), .tensor(weight.reshaped([1, weight.shape[0], width]).contiguous()), .optional(nil as Tensor?),
      .tensor(nodes))[0]  // [parts, out, 1, part]
    return try output.reshaped([parts, weight.shape[0], part]).transposed(1, 2).contiguous()
      .reshaped([parts * part, weight.shape[0]]).slice(0, 0..<rows)
  }
}

extension Linear {
  /// `[R, in]` to `[R, out]`; see `Tensor.linear(_:in:)`.
  func callAsFunction(_ rows: Tensor, in mode: Module.Mode) throws(TorchError) -> Tensor {
    mode == .training ? try self(rows) : try rows.linear(weight.tensor, in: mode) + bias.tensor
  }
}

extension Tensor {
  private static let eigenOperator = Operator("aten::linalg_eigh")

  /// Eigenvalues and eigenvectors of symmetric matrices, `[..., N, N]`; the lower triangle is read.
  ///
  /// - Returns: `[..., N]` values, ascending, and `[..., N, N]` vectors of norm 1 as columns.
  public func symmetricEigen() throws(TorchError) -> (values: Tensor, vectors: Tensor) {
    let outputs = try Tensor.eigenOperator(.tensor(self), .string("L"))
    guard case .tensor(let values) = outputs[0], case .tensor(let vectors) = outputs[1] else {
      preconditionFailure("linalg_eigh returns two tensors")
    }
    return (values, vectors)
  }
}

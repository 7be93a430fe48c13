import Torch

/// The mean and the principal axes of images, by the eigenvectors of their covariance.
public struct PrincipalAxes {
  /// The most values per image, C x H x W: the covariance matrix has their square.
  public static let maxValues = 4096

  /// `[1, D]` float32.
  public let mean: Tensor
  /// The variance along every axis, descending, in units of [-1, 1] squared: D of them.
  public let variances: [Double]
  /// `[D, k]` float32, columns of norm 1, by descending variance.
  public let vectors: Tensor

  private static let addOperator = Operator("aten::add_", "Tensor")
  private static let flipOperator = Operator("aten::flip")
  private static let batch = 1024
  private static let mostImages = 40 * batch

  /// - Parameters:
  ///   - source: of images with at most `maxValues` values.
  ///   - count: how many to read from the first; of more than 40,960, batches at even distances are used.
  ///   - kept: k, in 1...D; nil for all.
  ///   - progress: called with the finished share; throwing aborts.
  /// - Throws: what the source and `progress` throw; `TorchError`.
  public init(
    of source: any EncodingSource, count: Int, kept: Int? = nil, progress: (Double) throws -> Void = { _ in }
  ) throws {
    precondition(count > 0 && count <= source.count, "\(count) of \(source.count) images cannot be read")
    let first = try source.images(in: 0..<1).images
    let values = first.shape[1...].reduce(1, *)
    precondition(values <= Self.maxValues, "\(values) values per image are above \(Self.maxValues)")

    // Batches in float32, 2 x faster; their sums in float64, for the subtraction below.
    var sum = try Tensor.zeros([1, values], dtype: .float64, device: first.device)
    let products = try Tensor.zeros([values, values], dtype: .float64, device: first.device)
    let batches = (count + Self.batch - 1) / Self.batch
    let step = max(1, (count + Self.mostImages - 1) / Self.mostImages)
    var read = 0
    // Products of n images of D values take about n D^2, their decomposition 10 D^3.
    let readingShare = Double(count / step) / Double(count / step + 10 * values)
    try progress(0)
    for index in stride(from: 0, to: batches, by: step) {
      let range = index * Self.batch..<min((index + 1) * Self.batch, count)
      let images = try source.images(in: range).images.reshaped([range.count, -1])
      sum = try sum + images.to(.float64).sum([0])
      try Self.addOperator(.tensor(products), .tensor(images.transposed(0, 1).matmul(images)))
      read += range.count
      try progress(readingShare * Double(index + 1) / Double(batches))
    }
    let average = try sum * (1 / Double(read))
    let covariance = try products * (1 / Double(read)) - average.transposed(0, 1) * average
    let (ascending, vectors) = try covariance.symmetricEigen()
    variances = try ascending.array(Double.self).reversed().map { max($0, 0) }
    let width = kept ?? values
    self.vectors = try Self.flipOperator.tensor(.tensor(vectors.slice(1, values - width..<values)), .ints([1]))
      .to(.float32)
    mean = try average.to(.float32)
    try progress(1)
  }
}

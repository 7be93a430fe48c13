/// Tolerances relative to a tensor's largest magnitude.
///
/// The original ran in float32; the note beside its numbers says how far that is from a float64 run of the same
/// code. Ours is another float32 run, as far on another side: hence twice that difference.
enum Tolerance {
  /// One layer: nothing accumulates, a few roundings of float32.
  static let layer = 2e-6

  /// Images, features and distances of the recurrent network with 8 nodes; stated as 1e-5.
  static let image = 2 * 1e-5
  /// The same of the ten-level network with 64 nodes, stated as 3e-5 between two batch sizes. Differences double with
  /// every level: ours are 3.7e-5 to 6.5e-5 at the last one, by instruction set.
  static let imageOfTenLevels = 2 * 6.5e-5
  /// The worst gradient of a parameter; stated as 9.2e-5, in the stacked network. There ours are up to 3.2e-4, by
  /// instruction set and threads: biases before a layer norm, which takes most of their effect away, so that much of
  /// what is left is rounding.
  static let gradient = 4 * 9.2e-5
  /// The same of the ten-level network; stated as 2.3e-4.
  static let gradientOfTenLevels = 2 * 2.3e-4
  /// Losses; stated as 2.1e-7 for the twenty training steps, 1.7e-7 for ten levels.
  static let loss = 2 * 2.1e-7
  /// A weight after twenty steps of Adam, absolute; stated as 3.4e-5. Adam divides by the gradient and so enlarges what
  /// is near zero: ours is 8.5e-5 for one tensor under AVX2. Weights move by up to 2e-2 in these steps.
  static let trainedWeight = 2 * 8.5e-5

  /// A residual block, forward and backward; stated as 5e-7. Ours are up to 1.2e-6 without fused multiplications (5e-7
  /// with AVX-512): what is before a norm of one pixel, which takes most of its effect away.
  static let block = 3 * 5e-7
  /// Images, features and distances of the pyramid network; stated as 1.5e-6. Ours are up to 3.3e-6, in what the
  /// last of thirteen levels leaks.
  static let pyramid = 2 * 3.3e-6
  /// The worst gradient of a parameter of it; stated as 1.1e-5.
  static let pyramidGradient = 2 * 1.1e-5
  /// Losses of it; stated as 2.3e-7.
  static let pyramidLoss = 2 * 2.3e-7
}

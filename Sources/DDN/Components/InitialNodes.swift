/// The nodes that training starts from.
public enum InitialNodes: String, Codable, Sendable, CaseIterable {
  /// Drawn like the other weights.
  case random
  /// The centres of what the levels before leave of the training images, within the principal axes of those
  /// residuals.
  case kmeans
}

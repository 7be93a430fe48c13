/// A step was abandoned before it changed any weight.
public struct StepAbandoned: Error {}

/// Training diverged or was interrupted; one line.
public enum TrainingError: Error, CustomStringConvertible {
  case diverged(images: Int)
  case interrupted(images: Int, savedIn: String)

  public var description: String {
    switch self {
    case .diverged(let images):
      "the loss or its gradient is not finite after \(images) images; start again with a lower learning rate (--lr)"
    case .interrupted(let images, let folder):
      "interrupted after \(images) images; everything is saved in \(folder), continue with --resume \(folder)"
    }
  }
}

import Foundation
import GoldenSupport
import Torch

@testable import DDNVision

extension StateDictionary {
  /// The formula's weights of a network.
  init(formula network: String) throws {
    self.init(try Formula.weights(network), url: URL(filePath: "/formula/\(network).pt"))
  }
}

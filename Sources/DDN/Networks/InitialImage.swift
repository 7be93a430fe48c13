/// What a pyramid's first level reads as the previous image, if not zeros.
public enum InitialImage: String, Codable, Sendable {
  /// Constant channels of -1, 0 and 1: the original program's until 2023-11-20.
  case channelRamp = "channel-ramp"

  /// The value of every channel.
  var channels: [Float] {
    switch self {
    case .channelRamp: [-1, 0, 1]
    }
  }

  /// Adds the image to the first and to the last channels of the first level's features, where other levels add the
  /// previous image and the leaked choice.
  ///
  /// - Parameters:
  ///   - feature: `[C, H, W]`, row-major.
  ///   - featureChannels: C.
  func add(to feature: inout [Float], featureChannels: Int) {
    let pixels = feature.count / featureChannels
    for start in [0, featureChannels - channels.count] {
      for (channel, value) in channels.enumerated() {
        let first = (start + channel) * pixels
        for place in first..<first + pixels { feature[place] += value }
      }
    }
  }
}

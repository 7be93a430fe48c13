/// The image that a pyramid's first level reads in place of a previous one, where it is not zeros.
public enum InitialImage: String, Codable, Sendable {
  /// -1, 0 and 1 in the three channels, at every pixel: what the original program had until 2023-11-20.
  case channelRamp = "channel-ramp"

  /// The value of every channel.
  var channels: [Float] {
    switch self {
    case .channelRamp: [-1, 0, 1]
    }
  }

  /// Adds the image to the first level's feature as any level's input gets the previous image and the leaked choice:
  /// to the first channels, and to the last.
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

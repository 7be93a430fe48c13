import DDN
import DDNGuidance
import DDNPictures
import DDNVision
import Foundation
import Images
import Torch

extension ModelWorker {
  /// Prepares the guides of a drawing.
  ///
  /// - Throws: `RequestError` and `ImageError` for guides that cannot be used; `TorchError`.
  func mix(_ guides: [GuideRequest], for served: ServedModel) throws -> MixedGuide {
    MixedGuide(
      try guides.map { guide in
        MixedGuide.Part(
          GuideKind.named(guide.kind.rawValue)!, try prepare(guide, for: served), weight: guide.weight ?? 1)
      })
  }

  private func prepare(_ guide: GuideRequest, for served: ServedModel) throws -> any PreparedGuide {
    let network = served.network
    let shape = network.imageShape
    switch guide.kind {
    case .strokes:
      let (picture, opacity) = try layer(guide.image!.data, channels: shape[0] == 1 ? .gray : .rgb)
      guard
        let strokes = try MaskMeasurement(
          strokes: picture, opacity: opacity, imageShape: shape, device: network.device)
      else { throw RequestError.unfit("nothing is painted: every pixel is transparent") }
      return PreparedMeasurement(needsTargets: false) { _ in strokes }
    case .mask:
      let opacity = try layer(guide.mask!.data, channels: .gray).opacity.fitted(to: [1] + shape[1...])
      let mask = try ((opacity.tensor() + 1) * 0.5).reshaped(Array(shape[1...]))
      guard try mask.sum().item() > 0.5 else {
        throw RequestError.unfit("nothing is kept: paint what the samples are to keep")
      }
      let known = try MaskMeasurement(target(guide, network), mask: mask.to(network.device))
      return PreparedMeasurement(needsTargets: false) { _ in known }
    case .gray:
      guard shape[0] == 3 else { throw RequestError.unfit("this model's images are gray, without colour to add") }
      let gray = try GrayMeasurement(target(guide, network))
      return PreparedMeasurement(needsTargets: false) { _ in gray }
    case .sr:
      guard let side = guide.side, (1...shape[1]).contains(side) else {
        throw RequestError.unfit("side is not within 1...\(shape[1])")
      }
      let low = try LowResolutionMeasurement(target(guide, network), height: side, width: side)
      return PreparedMeasurement(needsTargets: false) { _ in low }
    case .class:
      guard !served.isConditional else {
        throw RequestError.unfit("this model knows classes itself: give class, not a guide")
      }
      return try served.guide(toClass: guide.class!)
    case .clip:
      guard let clip else {
        throw RequestError.unfit("texts need CLIP, which this server was started without")
      }
      guard shape[0] == 3 else { throw RequestError.unfit("texts need a model of colour images") }
      do { return FixedGuide(try CLIPGuide(clip, text: guide.text!)) } catch let error as CLIPTextError {
        throw RequestError.unfit("\(error)")
      }
    }
  }

  /// `[1, C, H, W]` in [-1, 1].
  private func target(_ guide: GuideRequest, _ network: any DiscreteDistributionNetwork) throws -> Tensor {
    let shape = network.imageShape
    return try decode(guide.image!.data, channels: shape[0] == 1 ? .gray : .rgb).fitted(to: shape).tensor()
      .to(network.device)
  }

  /// A picture with transparency: blended with white, and its opacity.
  private func layer(_ data: Data, channels: ChannelChoice) throws -> (picture: Bitmap, opacity: Bitmap) {
    (try decode(data, channels: channels), try PNG.opacity(of: data))
  }
}

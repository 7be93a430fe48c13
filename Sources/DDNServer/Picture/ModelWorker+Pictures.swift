import DDN
import DDNCodes
import DDNEvaluation
import DDNFiles
import DDNPictures
import Foundation
import Images
import Torch

extension ModelWorker {
  enum EncodingStep: Sendable {
    case target(EncodedTarget)
    case level(EncodedLevel)
  }

  /// Finds a picture's code.
  ///
  /// - Parameters:
  ///   - request: validated.
  ///   - observe: called with what the model sees, and with every level; during the search if it has one path.
  /// - Throws: `RequestError` and other errors of the request, see `RequestError.init`; `TorchError`.
  func encode(_ request: EncodeRequest, observe: @Sendable (EncodingStep) -> Void) throws -> EncodedPicture {
    let served = try model(request.model)
    try served.check(classIndex: request.class)
    let network = served.network
    let shape = network.imageShape
    let picture = try decode(request.picture.data, channels: shape[0] == 1 ? .gray : .rgb).fitted(to: shape)
    observe(.target(EncodedTarget(image: try picture.dataURL())))
    return try bounded { check in
      let target = try picture.tensor().to(network.device)
      var last: (image: Bitmap, psnr: Double)!
      func show(_ level: Int, _ choice: Int, _ image: Tensor) throws {
        let image = try network.enlarged(image)
        last = (try image.bitmaps()[0], try ImageQuality.compare(image.written(), to: target)[0].psnr)
        observe(
          .level(
            EncodedLevel(
              level: level + 1, of: network.codeSpace.levels.count, choice: choice, image: try last.image.dataURL(),
              psnr: min(last.psnr, 99))))
        try check()
      }
      let code: LatentCode
      if let beams = request.beams, beams > 1 {
        var search = CodeSearch()
        search.beams = beams
        let classes = try request.class.map { try Tensor([$0], shape: [1]).to(network.device) }
        let found = try search(target, by: network, classes: classes)
        code = found.codes[0]
        for (level, image) in found.levels.enumerated() { try show(level, code.choices[level], image) }
      } else {
        var run = try network.begin(samples: 1, condition: served.condition(classIndex: request.class, count: 1))
        let nearest = NearestChooser(Target(target))
        while !run.isFinished {
          let output = try run.advance(by: nearest)
          try show(output.level, output.codes.array(Int.self)[0], output.imagesPerSample())
        }
        code = try run.latentCodes()[0]
      }
      let file = try CodeFile.data(
        CodeTable([.init(code: code, classIndex: request.class)], in: network.codeSpace), key: served.keys[0])
      return EncodedPicture(
        model: served.name, code: code.description, class: request.class, bits: network.codeSpace.bits,
        file: file.base64EncodedString(), bytes: file.count, psnr: min(last.psnr, 99),
        picture: try last.image.dataURL(), rivals: try rivals(of: picture, target, check))
    }
  }

  /// WebP and AVIF at their smallest files, as far as libvips has them.
  private func rivals(
    of picture: Bitmap, _ target: Tensor, _ check: () throws -> Void
  ) throws -> [EncodedPicture.Rival] {
    try [PictureCodec.webp, .avif].filter { $0.unavailableReason == nil }.map { codec in
      try check()
      let quality = PictureCodec.qualities.lowerBound
      let file = try codec.encode(picture, quality: quality)
      let decoded = try codec.decode(file, like: picture)
      let psnr = try ImageQuality.compare(decoded.tensor().to(target.device), to: target)[0].psnr
      return .init(
        name: codec.name, setting: codec.setting(quality), bytes: file.count, psnr: min(psnr, 99),
        picture: try decoded.dataURL())
    }
  }

  /// Draws a `.ddn` file of one of the models, level by level.
  ///
  /// - Throws: `RequestError` when it is of no model here, or of several pictures; `FileError` when it is damaged;
  ///   `TorchError`.
  func decode(_ request: DecodeRequest) throws -> DecodedPicture {
    let data = request.file.data
    guard CodeFileHeader.begins(data) else { throw RequestError.unfit("this is no .ddn file; use one of ddn encode") }
    let header = try CodeFileHeader(data, path: "")
    guard header.count == 1 else {
      throw RequestError.unfit("this file holds \(header.count) pictures, and the page shows one; use ddn decode")
    }
    for served in allModels {
      guard let key = served.keys.first(where: { $0.fingerprint == header.fingerprint }) else { continue }
      let entry: CodeList.Entry
      do { entry = try CodeFile(data, path: "", key: key).table[0] } catch let error as FileError
        where error.kind == .invalid
      {  // Its remedies are the command's.
        throw RequestError.unfit("the file \(error.problem); get it again")
      }
      try served.check(classIndex: entry.classIndex)
      return try bounded { check in
        let network = served.network
        var run = try network.begin(
          samples: 1, condition: served.condition(classIndex: entry.classIndex, count: 1))
        var levels: [String] = []
        for choices in try [entry.code].tensors(on: network.device) {
          let output = try run.advance(choosing: choices)
          levels.append(try network.enlarged(output.imagesPerSample()).bitmaps()[0].dataURL())
          try check()
        }
        return DecodedPicture(
          model: served.name, code: entry.code.description, class: entry.classIndex, bytes: data.count, levels: levels)
      }
    }
    throw RequestError.unfit("this file was encoded with a model that is not here; start ddn serve with it")
  }
}

// encode-decode PICTURE OUTPUT.png: finds the code of a picture of a digit, white on black, and draws the code.

import DDN
import DDNFigures
import DDNFiles
import DDNModels
import Foundation
import Images

guard CommandLine.arguments.count == 3 else {
  FileHandle.standardError.write(Data("usage: encode-decode PICTURE OUTPUT.png\n".utf8))
  exit(64)
}
let (picture, output) = (URL(filePath: CommandLine.arguments[1]), URL(filePath: CommandLine.arguments[2]))

do {
  let network = try Model(contentsOf: Model.shippedURL("mnist")).network
  let target = try PNG.read(picture, channels: .gray).centerSquare().resized(width: 32, height: 32).tensor()

  let found = try Reconstruction(of: target, by: network)
  print("code: \(found.codes[0])")
  for (level, errors) in found.errors.enumerated() { print("level \(level + 1): mean squared error \(errors[0])") }

  let image = try network.decode(found.codes)  // [1, 1, 32, 32] in [-1, 1]
  try image.bitmaps()[0].write(to: output)
  print("decoded: \(output.path)")
} catch let error as FileError {
  FileHandle.standardError.write(Data("encode-decode: \(error)\n".utf8))
  exit(error.kind == .missing ? 66 : 65)
}

// encode-decode PICTURE OUTPUT.png: finds the code of a picture of a digit, white on black, and decodes it.

import DDN
import DDNFiles
import DDNModels
import DDNPictures
import Foundation
import Images

guard CommandLine.arguments.count == 3 else {
  FileHandle.standardError.write(Data("usage: encode-decode PICTURE OUTPUT.png\n".utf8))
  exit(64)
}
let (picture, output) = (URL(filePath: CommandLine.arguments[1]), URL(filePath: CommandLine.arguments[2]))

do {
  let server = try await ModelServer(contentsOf: Model.shippedURL("mnist"))

  let target = try PNG.read(picture, fittedTo: server.imageShape)
  let encoded = try await server.encode([target])[0]
  print("code: \(encoded.code)")
  for (level, error) in encoded.errors.enumerated() { print("level \(level + 1): mean squared error \(error)") }

  let decoded = try await server.draw([encoded.code])[0]
  try decoded.write(to: output)
  print("decoded: \(output.path)")
} catch let error as FileError {
  FileHandle.standardError.write(Data("encode-decode: \(error)\n".utf8))
  exit(error.kind == .missing ? 66 : 65)
}

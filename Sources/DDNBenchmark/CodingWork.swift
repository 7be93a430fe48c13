import DDN
import DDNCodes
import Foundation
import Torch

/// Writes random codes as a file in memory and reads them again.
///
/// The original saves codes with torch.save, 16 bits a choice.
public struct CodingWork: Encodable, Sendable {
  public let nodes: Int
  public let levels: Int
  public let images: Int

  init(nodes: Int, levels: Int, images: Int) {
    (self.nodes, self.levels, self.images) = (nodes, levels, images)
  }

  var name: String { "code files K=\(nodes) L=\(levels), \(images) images" }

  func prepare(_ machine: Machine) throws -> PreparedRow {
    let space = CodeSpace(nodes: nodes, levels: levels, side: 32)
    var twister = MersenneTwister(seed: 0)
    let table = CodeTable(space: space, count: images) { _, _ in Int(twister.next()) % nodes }
    let key = CodeFile.Key(space: space, classes: 0, prior: nil, modelFingerprint: 1)
    return PreparedRow(
      makeCase: { ["input.codes": try Tensor(table.choices.map(Int32.init), shape: [levels, images])] },
      run: {
        let file = try CodeFile(CodeFile.data(table, key: key), path: "memory", key: key)
        precondition(file.table == table, "codes changed")
      })
  }
}

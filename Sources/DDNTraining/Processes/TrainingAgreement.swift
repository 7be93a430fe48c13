import Archives
import DDNData
import DDNFiles
import Foundation
import Torch

extension TrainingOptions {
  /// Checks that all ranks have the same program, options and images.
  ///
  /// The paths of the images and the number of threads may differ.
  ///
  /// - Parameters:
  ///   - group: of the ranks.
  ///   - program: the program's version.
  /// - Throws: `ProcessGroupError` (`difference`) on all ranks, naming the first that differs from rank 0.
  public func checkAgreement(over group: ProcessGroup, program: String) throws {
    var options = self
    (options.dataFolder, options.threads, options.fingerprint) = (nil, nil, nil)
    let encoder = JSONEncoder.oneLine
    func digest(_ data: Data) -> Int { Int(Checksum.crc32(data)) }
    // A fixed number of values for all options.
    let own = [
      digest(Data("\(program) \(LibTorch.version)".utf8)), digest(try encoder.encode(options)),
      digest(try encoder.encode(fingerprint)),
    ]
    let all = try group.gather(Tensor(own, shape: [own.count])).array(Int.self)
    let subjects = ["another version of ddn or libtorch", "other options", "other images"]
    for rank in 1..<group.ranks {
      for (index, subject) in subjects.enumerated() where all[rank * own.count + index] != all[index] {
        throw ProcessGroupError(
          .difference,
          "rank \(rank) has \(subject) than rank 0; start all ranks with the same program, options and data")
      }
    }
  }
}

import DDN
import DDNFiles
import DDNPictures
import Torch

/// Images that a network draws of codes, as `ddn generate` writes them.
public struct DrawnSource: FeatureSource {
  private let job: DrawingJob

  public let identity: String
  public let name: String
  public var count: Int { job.count }
  public var labels: [Int]? {
    job.network.classes > 0 ? job.entries.compactMap(\.classIndex).nonempty : nil
  }

  /// - Parameters:
  ///   - job: draws the images.
  ///   - model: its fingerprint.
  ///   - name: of the network, for messages.
  public init(_ job: DrawingJob, model: UInt64, name: String) {
    self.job = job
    self.name = name
    let codes = FileIdentity.checksum(of: job.entries.lazy.map { "\($0.code) \($0.classIndex ?? -1)" })
    identity = "drawn \(String(model, radix: 16)) \(codes) \(job.count) \(job.precision)"
  }

  public func pixels(in range: Range<Int>) throws -> [Tensor] { [try job(range).eightBit()] }
}

/// A data set's images as a network approximates them.
public struct ReconstructedSource: FeatureSource {
  private let job: EncodingJob

  public let identity: String
  public let name: String
  public let labels: [Int]?
  public var count: Int { job.count }

  /// - Parameters:
  ///   - job: encodes the images.
  ///   - labels: of the images; nil without classes.
  ///   - images: identifies the data set.
  ///   - model: the network's fingerprint.
  ///   - name: of the network, for messages.
  public init(_ job: EncodingJob, labels: [Int]?, images: String, model: UInt64, name: String) {
    self.job = job
    self.name = name
    self.labels = labels
    identity = "reconstructed \(String(model, radix: 16)) \(images) \(job.count)"
  }

  public func pixels(in range: Range<Int>) throws -> [Tensor] {
    [try job(range).reconstruction.levels.last!.eightBit()]
  }
}

extension Array {
  fileprivate var nonempty: Self? { isEmpty ? nil : self }
}

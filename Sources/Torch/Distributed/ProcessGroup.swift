import CTorch
import Foundation

/// Processes that train or work together: one rank of a c10d group, over gloo or NCCL.
///
/// All ranks call the same operations in the same order, with tensors of the same shape; unequal sizes end the process.
/// After a failure every operation fails, so a process then ends. Not for concurrent use.
public final class ProcessGroup {
  public let place: ProcessGroupPlace
  public var rank: Int { place.rank }
  public var ranks: Int { place.ranks }
  /// Whether this is the rank that prints and writes.
  public var isMain: Bool { rank == 0 }

  /// Null after `leave()`.
  private var handle: ct_group?

  /// Joins the group that the launcher describes; nil for a single process.
  ///
  /// - Throws: `ProcessGroupError` (`environment` or `join`).
  public static func fromEnvironment(
    _ environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws(ProcessGroupError) -> ProcessGroup? {
    guard let place = try ProcessGroupPlace(environment) else { return nil }
    return try ProcessGroup(place)
  }

  /// Joins a group; returns when all ranks have.
  ///
  /// - Parameters:
  ///   - place: this process's place in the group.
  ///   - usesNCCL: whether operations on CUDA tensors use NCCL, which needs a device for every rank.
  /// - Throws: `ProcessGroupError` (`join`) when a rank is missing at the end of the timeout.
  public init(_ place: ProcessGroupPlace, usesNCCL: Bool = false) throws(ProcessGroupError) {
    self.place = place
    // A write to a lost rank is an error, not the end of this process.
    signal(SIGPIPE, SIG_IGN)
    var joined: ct_group?
    let status = place.host.withCString { host in
      "ddn/\(place.restarts)".withCString { prefix in
        var place = ct_group_place(
          host: host, port: Int32(place.port), serves_store: place.servesStore, prefix: prefix,
          rank: Int32(place.rank), ranks: Int32(place.ranks), uses_cuda: usesNCCL, join_seconds: place.joinSeconds,
          operation_seconds: place.operationSeconds)
        return ct_group_join(&place, &joined)
      }
    }
    guard status == 0 else {
      throw ProcessGroupError(
        .join,
        "could not join the group of \(place.ranks) ranks at \(place.host):\(place.port) within "
          + "\(place.joinSeconds.formatted()) s (\(Self.reason())); check that all ranks were started and that the address "
          + "is reachable, or raise DDN_JOIN_SECONDS")
    }
    handle = joined
  }

  // Freeing a group waits for pending work, which may never end after a failure: only `leave()` frees it.

  /// Replaces a tensor by its sum over all ranks; the bits are equal on all of them.
  ///
  /// - Throws: `ProcessGroupError` (`lost`), as all operations of a group.
  public func sum(_ tensor: Tensor) throws(ProcessGroupError) {
    try operation(withExtendedLifetime(tensor) { ct_group_sum(handle, tensor.handle) })
  }

  /// The tensors of all ranks, in the order of the ranks.
  ///
  /// - Parameter tensor: contiguous.
  /// - Returns: `[ranks, ...]`.
  public func gather(_ tensor: Tensor) throws -> Tensor {
    let all = try Tensor.zeros([ranks] + tensor.shape, dtype: tensor.dtype, device: tensor.device)
    try operation(withExtendedLifetime(tensor) { ct_group_gather(handle, tensor.handle, all.handle) })
    return all
  }

  /// Replaces a tensor by that of rank 0.
  public func broadcast(_ tensor: Tensor) throws(ProcessGroupError) {
    try operation(withExtendedLifetime(tensor) { ct_group_broadcast(handle, tensor.handle) })
  }

  /// Waits for all ranks.
  public func barrier() throws(ProcessGroupError) { try operation(ct_group_barrier(handle)) }

  /// Waits for all ranks, and leaves the group, which may not be used afterwards.
  public func leave() throws(ProcessGroupError) {
    try barrier()
    ct_group_free(handle)
    handle = nil
  }

  private func operation(_ status: @autoclosure () -> Int32) throws(ProcessGroupError) {
    precondition(handle != nil, "the process has left its group")
    guard status() != 0 else { return }
    throw ProcessGroupError(
      .lost,
      "another process of the group has ended, or has not answered for \(place.operationSeconds.formatted()) s "
        + "(\(Self.reason())); the first process to fail says why")
  }

  /// libtorch's reason on one line, without its sources' names and notes.
  private static func reason() -> String {
    var text = String(cString: ct_error_message()).split(separator: "\n").first.map(String.init) ?? "unknown"
    while text.hasPrefix("["), let end = text.firstIndex(of: "]") { text = String(text[text.index(after: end)...]) }
    if let note = text.range(of: ". This ") { text = String(text[..<note.lowerBound]) }
    return text.trimmingCharacters(in: .whitespaces)
  }
}

extension ProcessGroup {
  /// Rank 0's bytes, on all ranks.
  ///
  /// - Parameter data: ignored on other ranks.
  public func broadcast(_ data: Data) throws -> Data {
    let size = try Tensor([data.count], shape: [1])
    try broadcast(size)
    let count = try size.array(Int.self)[0]
    guard count > 0 else { return Data() }
    let bytes = isMain ? [UInt8](data) : [UInt8](repeating: 0, count: count)
    let tensor = try Tensor(bytes, shape: [count])
    try broadcast(tensor)
    return Data(try tensor.array(UInt8.self))
  }

  /// The bytes of all ranks, which may differ in number, in the order of the ranks.
  public func gather(_ data: Data) throws -> [Data] {
    let counts = try gather(Tensor([data.count], shape: [1])).array(Int.self)
    let longest = counts.max()!
    guard longest > 0 else { return counts.map { _ in Data() } }
    let padded = [UInt8](data) + [UInt8](repeating: 0, count: longest - data.count)
    let all = try gather(Tensor(padded, shape: [longest])).array(UInt8.self)
    return counts.enumerated().map { rank, count in Data(all[rank * longest..<rank * longest + count]) }
  }
}

extension ProcessGroup {
  /// A tensor's description in `broadcast(_:)` of named tensors.
  private struct Header: Codable {
    let name: String
    let shape: [Int]
    let scalarType: Int
  }

  /// Rank 0's tensors by name, in host memory, on all ranks.
  ///
  /// - Parameter tensors: contiguous; ignored on other ranks.
  public func broadcast(_ tensors: [String: Tensor]) throws -> [String: Tensor] {
    let own = tensors.sorted { $0.key < $1.key }
    let headers = own.map { Header(name: $0.key, shape: $0.value.shape, scalarType: $0.value.dtype.scalarType) }
    let all = try JSONDecoder().decode([Header].self, from: broadcast(JSONEncoder().encode(headers)))
    var received: [String: Tensor] = [:]
    for header in all {
      let tensor =
        try isMain
        ? tensors[header.name]! : .zeros(header.shape, dtype: DType(scalarType: header.scalarType) ?? .float32)
      if tensor.count > 0 { try broadcast(tensor) }
      received[header.name] = tensor
    }
    return received
  }
}

import Synchronization

/// Counts the requests of each address: a bucket that holds a minute's requests and refills steadily.
final class RateLimiter: Sendable {
  private struct Bucket {
    var tokens: Double
    var filled: ContinuousClock.Instant
  }

  private let perMinute: Double
  private let buckets = Mutex<[String: Bucket]>([:])
  /// More addresses than this are forgotten, those with full buckets first.
  private static let mostAddresses = 10_000

  /// - Parameter perMinute: requests of an address; 0 for no limit.
  init(perMinute: Int) { self.perMinute = Double(perMinute) }

  /// Takes a request into account.
  ///
  /// - Throws: `RequestError` (429) when the address has none left, with the time until it has.
  func admit(_ address: String, now: ContinuousClock.Instant = .now) throws(RequestError) {
    guard perMinute > 0 else { return }
    let wait: Double = buckets.withLock { buckets in
      if buckets.count >= Self.mostAddresses, buckets[address] == nil { forget(&buckets, now) }
      var bucket = filled(buckets[address] ?? Bucket(tokens: perMinute, filled: now), now)
      defer { buckets[address] = bucket }
      guard bucket.tokens >= 1 else { return (1 - bucket.tokens) * 60 / perMinute }
      bucket.tokens -= 1
      return 0
    }
    guard wait == 0 else {
      let seconds = max(1, Int(wait.rounded(.up)))
      throw RequestError(
        .tooManyRequests, "too many requests; try again in \(seconds) s", retryAfterSeconds: seconds)
    }
  }

  private func filled(_ bucket: Bucket, _ now: ContinuousClock.Instant) -> Bucket {
    let seconds = (now - bucket.filled) / .seconds(1)
    return Bucket(tokens: min(perMinute, bucket.tokens + seconds * perMinute / 60), filled: now)
  }

  private func forget(_ buckets: inout [String: Bucket], _ now: ContinuousClock.Instant) {
    buckets = buckets.filter { filled($0.value, now).tokens < perMinute }
    if buckets.count >= Self.mostAddresses { buckets.removeAll() }
  }
}

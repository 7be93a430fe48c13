import ArgumentParser

/// Seeds as people write them: "0-99", "7" or "1,2,5-10"; the generator tells 2^32 of them apart.
struct SeedList: ExpressibleByArgument, CustomStringConvertible {
  let seeds: [UInt64]
  let description: String

  private static let limit = 10_000_000

  init?(argument: String) {
    var seeds: [UInt64] = []
    for part in argument.split(separator: ",", omittingEmptySubsequences: false) {
      let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { UInt64($0) }
      switch ends.count {
      case 1:
        guard let seed = ends[0], seed <= UInt64(UInt32.max) else { return nil }
        seeds.append(seed)
      case 2:
        guard let first = ends[0], let last = ends[1], first <= last, last <= UInt64(UInt32.max),
          last - first < UInt64(SeedList.limit - min(seeds.count, SeedList.limit))
        else { return nil }
        seeds += Array(first...last)
      default: return nil
      }
    }
    self.seeds = seeds
    description = argument
  }

  var defaultValueDescription: String { description }
}

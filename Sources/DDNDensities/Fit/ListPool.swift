import CPrefetch

/// Many short lists in one piece of memory.
///
/// A list's elements lie side by side, in room for 4, 8, 16 and so on; a list that outgrows its room moves to a larger
/// one and leaves the old to others.
struct ListPool<Element> {
  private struct List {
    var start: Int32 = 0
    var count: Int32 = 0
    /// Room for `2^sizeClass` elements; 0 for none yet.
    var sizeClass: Int32 = 0
  }

  private var lists: [List]
  private var storage: [Element] = []
  /// For each size class, where room was left.
  private var spare: [[Int32]] = Array(repeating: [], count: 31)
  private let filler: Element

  /// - Parameter filler: any element; it stands where there is room and no element.
  init(lists count: Int, filler: Element) {
    lists = Array(repeating: List(), count: count)
    self.filler = filler
  }

  func count(_ list: Int) -> Int { Int(lists[list].count) }

  /// Begins to bring in where a list is.
  @inline(__always)
  func prefetch(_ list: Int) { lists.withUnsafeBufferPointer { CPrefetch.prefetch($0.baseAddress! + list) } }

  /// Begins to bring in a list's elements; waits for where they are.
  @inline(__always)
  func prefetchElements(of list: Int) {
    storage.withUnsafeBufferPointer { storage in
      guard let start = storage.baseAddress else { return }
      CPrefetch.prefetch(start + Int(lists[list].start))
    }
  }

  /// The first place in the list where `isWanted`, if any.
  @inline(__always)
  func firstIndex(_ list: Int, where isWanted: (Element) -> Bool) -> Int? {
    let place = lists[list]
    return storage.withUnsafeBufferPointer { storage in
      for index in 0..<Int(place.count) where isWanted(storage[Int(place.start) + index]) { return index }
      return nil
    }
  }

  subscript(list: Int, index: Int) -> Element {
    @inline(__always) get { storage[Int(lists[list].start) + index] }
    @inline(__always) _modify { yield &storage[Int(lists[list].start) + index] }
  }

  mutating func append(_ element: Element, to list: Int) {
    if lists[list].sizeClass == 0 || lists[list].count == 1 << lists[list].sizeClass { grow(list) }
    storage[Int(lists[list].start + lists[list].count)] = element
    lists[list].count += 1
  }

  /// Takes one element out; the last one takes its place.
  mutating func swapRemove(_ list: Int, at index: Int) {
    lists[list].count -= 1
    self[list, index] = self[list, Int(lists[list].count)]
  }

  mutating func removeAll(_ list: Int) { lists[list].count = 0 }

  private mutating func grow(_ list: Int) {
    let old = lists[list]
    let sizeClass = old.sizeClass == 0 ? 2 : Int(old.sizeClass) + 1
    let start: Int32
    if let room = spare[sizeClass].popLast() {
      start = room
    } else {
      start = Int32(storage.count)
      storage.append(contentsOf: repeatElement(filler, count: 1 << sizeClass))
    }
    for index in 0..<Int(old.count) { storage[Int(start) + index] = storage[Int(old.start) + index] }
    if old.sizeClass > 0 { spare[Int(old.sizeClass)].append(old.start) }
    lists[list] = List(start: start, count: old.count, sizeClass: Int32(sizeClass))
  }
}

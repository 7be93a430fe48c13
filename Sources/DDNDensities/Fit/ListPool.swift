import CPrefetch

/// Many short lists in one allocation.
///
/// Each list is contiguous, with a capacity of 4, 8, 16 and so on; a list that outgrows its slot moves to a larger one,
/// and the old slot is reused.
struct ListPool<Element> {
  private struct List {
    var start: Int32 = 0
    var count: Int32 = 0
    /// The capacity is `2^sizeClass`; 0 for no slot yet.
    var sizeClass: Int32 = 0
  }

  private var lists: [List]
  private var storage: [Element] = []
  /// For each size class, the starts of free slots.
  private var free: [[Int32]] = Array(repeating: [], count: 31)
  private let filler: Element

  /// - Parameter filler: any value; fills unused capacity.
  init(lists count: Int, filler: Element) {
    lists = Array(repeating: List(), count: count)
    self.filler = filler
  }

  func count(_ list: Int) -> Int { Int(lists[list].count) }

  /// Prefetches a list's header.
  @inline(__always)
  func prefetch(_ list: Int) { lists.withUnsafeBufferPointer { CPrefetch.prefetch($0.baseAddress! + list) } }

  /// Prefetches a list's elements; reads its header.
  @inline(__always)
  func prefetchElements(of list: Int) {
    storage.withUnsafeBufferPointer { storage in
      guard let start = storage.baseAddress else { return }
      CPrefetch.prefetch(start + Int(lists[list].start))
    }
  }

  @inline(__always)
  func firstIndex(_ list: Int, where matches: (Element) -> Bool) -> Int? {
    let slot = lists[list]
    return storage.withUnsafeBufferPointer { storage in
      for index in 0..<Int(slot.count) where matches(storage[Int(slot.start) + index]) { return index }
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

  /// Replaces an element by the last one, in O(1).
  mutating func swapRemove(_ list: Int, at index: Int) {
    lists[list].count -= 1
    self[list, index] = self[list, Int(lists[list].count)]
  }

  mutating func removeAll(_ list: Int) { lists[list].count = 0 }

  private mutating func grow(_ list: Int) {
    let old = lists[list]
    let sizeClass = old.sizeClass == 0 ? 2 : Int(old.sizeClass) + 1
    let start: Int32
    if let slot = free[sizeClass].popLast() {
      start = slot
    } else {
      start = Int32(storage.count)
      storage.append(contentsOf: repeatElement(filler, count: 1 << sizeClass))
    }
    for index in 0..<Int(old.count) { storage[Int(start) + index] = storage[Int(old.start) + index] }
    if old.sizeClass > 0 { free[Int(old.sizeClass)].append(old.start) }
    lists[list] = List(start: start, count: old.count, sizeClass: Int32(sizeClass))
  }
}

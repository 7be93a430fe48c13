/// A sparse square matrix with fast access to whole rows and columns.
///
/// A row lists its entries; a column lists the rows with an entry there.
struct RivalMatrix {
  /// A stored value of a row.
  struct Entry {
    var column: Int32
    var value: Double
  }

  let size: Int
  private var rows: ListPool<Entry>
  private var columns: ListPool<Int32>
  /// Scratch: for each column, the index of its entry in one row, or -1.
  private var places: [Int32]

  init(size: Int) {
    self.size = size
    rows = ListPool(lists: size, filler: Entry(column: -1, value: 0))
    columns = ListPool(lists: size, filler: -1)
    places = Array(repeating: -1, count: size)
  }

  subscript(row: Int, column: Int) -> Double { find(row, column).map { rows[row, $0].value } ?? 0 }

  /// Prefetches the headers of a row and a column.
  @inline(__always)
  func prefetch(row: Int, column: Int) {
    rows.prefetch(row)
    columns.prefetch(column)
  }

  /// Prefetches their entries.
  @inline(__always)
  func prefetchEntries(row: Int, column: Int) {
    rows.prefetchElements(of: row)
    columns.prefetchElements(of: column)
  }

  @inline(__always)
  mutating func add(_ value: Double, row: Int, column: Int) {
    if let place = find(row, column) {
      rows[row, place].value += value
    } else {
      rows.append(Entry(column: Int32(column), value: value), to: row)
      columns.append(Int32(row), to: column)
    }
  }

  /// Adds `factor` times each entry to a row, in one pass over the row; the entries have distinct columns.
  mutating func add(_ entries: [Entry], times factor: Double, row: Int) {
    let count = rows.count(row)
    for place in 0..<count { places[Int(rows[row, place].column)] = Int32(place) }
    for entry in entries {
      let place = Int(places[Int(entry.column)])
      if place >= 0 {
        rows[row, place].value += factor * entry.value
      } else {
        rows.append(Entry(column: entry.column, value: factor * entry.value), to: row)
        columns.append(Int32(row), to: Int(entry.column))
      }
    }
    for place in 0..<count { places[Int(rows[row, place].column)] = -1 }
  }

  @inline(__always)
  private func find(_ row: Int, _ column: Int) -> Int? { rows.firstIndex(row) { $0.column == Int32(column) } }

  func row(_ row: Int) -> [Entry] { (0..<rows.count(row)).map { rows[row, $0] } }

  /// The rows with an entry in a column.
  func rows(ofColumn column: Int) -> [Int] { (0..<columns.count(column)).map { Int(columns[column, $0]) } }

  func sum(row: Int) -> Double { (0..<rows.count(row)).reduce(0) { $0 + rows[row, $1].value } }

  mutating func scale(row: Int, by factor: Double) {
    for place in 0..<rows.count(row) { rows[row, place].value *= factor }
  }

  mutating func clear(row: Int) {
    for place in 0..<rows.count(row) { remove(row, fromColumn: Int(rows[row, place].column)) }
    rows.removeAll(row)
  }

  mutating func clear(column: Int) {
    for row in rows(ofColumn: column) { rows.swapRemove(row, at: find(row, column)!) }
    columns.removeAll(column)
  }

  mutating func clear(row: Int, column: Int) {
    guard let place = find(row, column) else { return }
    rows.swapRemove(row, at: place)
    remove(row, fromColumn: column)
  }

  private mutating func remove(_ row: Int, fromColumn column: Int) {
    columns.swapRemove(column, at: columns.firstIndex(column) { $0 == Int32(row) }!)
  }
}

/// Words in a 5 x 7 dot matrix, independent of installed fonts.
enum Lettering {
  /// The method's name on three lines in the middle of a square.
  static let words: Canvas = {
    let lines = ["DISCRETE", "DISTRIBUTION", "NETWORKS"].map(line)
    let side = lines.map(\.width).max()! + 4
    let pitch = 20  // Rows from one line's top to the next.
    let top = (side - pitch * (lines.count - 1) - 7) / 2
    var page = Canvas(height: side, width: side) { _, _ in 0 }
    for (index, line) in lines.enumerated() {
      let left = (side - line.width) / 2
      for row in 0..<line.height {
        for column in 0..<line.width {
          page.values[(top + index * pitch + row) * side + left + column] = line.values[row * line.width + column]
        }
      }
    }
    return page
  }()

  /// One line, with one dot between letters.
  private static func line(_ text: String) -> Canvas {
    let letters = text.map { glyphs[$0]! }
    let rows = (0..<7).map { row in letters.map { $0[row] }.joined(separator: ".") }
    return Canvas(rows: rows, ink: 1, paper: 0)
  }

  private static let glyphs: [Character: [String]] = [
    "B": ["####.", "#...#", "#...#", "####.", "#...#", "#...#", "####."],
    "C": [".####", "#....", "#....", "#....", "#....", "#....", ".####"],
    "D": ["####.", "#...#", "#...#", "#...#", "#...#", "#...#", "####."],
    "E": ["#####", "#....", "#....", "####.", "#....", "#....", "#####"],
    "I": ["#####", "..#..", "..#..", "..#..", "..#..", "..#..", "#####"],
    "K": ["#...#", "#..#.", "#.#..", "##...", "#.#..", "#..#.", "#...#"],
    "N": ["#...#", "##..#", "##..#", "#.#.#", "#..##", "#..##", "#...#"],
    "O": [".###.", "#...#", "#...#", "#...#", "#...#", "#...#", ".###."],
    "R": ["####.", "#...#", "#...#", "####.", "#.#..", "#..#.", "#...#"],
    "S": [".####", "#....", "#....", ".###.", "....#", "....#", "####."],
    "T": ["#####", "..#..", "..#..", "..#..", "..#..", "..#..", "..#.."],
    "U": ["#...#", "#...#", "#...#", "#...#", "#...#", "#...#", ".###."],
    "W": ["#...#", "#...#", "#...#", "#.#.#", "#.#.#", "##.##", "#...#"],
  ]
}

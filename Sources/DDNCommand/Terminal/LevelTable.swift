import DDN

/// A table of a pyramid's levels and their totals.
enum LevelTable {
  static func print(_ configuration: PyramidNetwork.Configuration) {
    let header = ["level", "block", "size", "channels", "K", "bits", "parameters", "Mflop"]
    var rows: [[String]] = []
    var (bits, parameters, operations) = (0.0, 0, 0)
    for (number, level) in configuration.levels.enumerated() {
      bits += CodeSpace.Level(nodes: level.nodes, side: level.side).bits
      parameters += level.parameterCount
      operations += 2 * level.multiplyAdds
      let isChanging = level.inputChannels != level.channels
      rows.append([
        "\(number + 1)", level.name, "\(level.side)x\(level.side)",
        (isChanging ? "\(level.inputChannels) to " : "") + "\(level.channels)", "\(level.nodes)",
        formatNumber(bits, digits: 1), "\(level.parameterCount)", millions(2 * level.multiplyAdds),
      ])
    }
    rows.append(["", "all", "", "", "", formatNumber(bits, digits: 1), "\(parameters)", millions(operations)])
    let widths = header.indices.map { column in ([header] + rows).map { $0[column].count }.max()! }
    for row in [header] + rows {
      let cells = zip(row, widths).map { String(repeating: " ", count: $1 - $0.count) + $0 }
      Terminal.print(cells.joined(separator: "  "))
    }
    Terminal.print(
      "bits: of a code up to this level; Mflop: million operations of the block's convolutions per image,")
    Terminal.print("two per multiply-add, without the choice among K images")
  }

  private static func millions(_ operations: Int) -> String { formatNumber(Double(operations) / 1e6, digits: 1) }
}

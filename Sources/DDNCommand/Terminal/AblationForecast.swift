import DDN
import DDNAblation
import DDNData
import DDNTraining
import DDNVision
import Torch

/// What `ddn ablate --dry-run` prints: rows, runs, and an estimate of the time.
struct AblationForecast {
  let plan: AblationPlan
  let images: AblationImages
  let detector: (any FeatureDetector)?
  let data: TrainingImages
  let device: Device

  func print() throws {
    var pace = AblationPace()
    var rows = [["row", "K", "levels", "bits", "parameters", "training images", "per run"]]
    for row in plan.rows {
      Terminal.showLive("timing \(row.label)")
      let parameters = try pace.time(
        row, data: data, images: images, detector: detector, device: device,
        objective: row.options.loadObjective(on: device))
      let space = row.options.network.codeSpace
      let nodes = (space.levels.map(\.nodes).min()!, space.levels.map(\.nodes).max()!)
      rows.append([
        row.label, nodes.0 == nodes.1 ? "\(nodes.0)" : "\(nodes.0)-\(nodes.1)", "\(space.levels.count)",
        formatNumber(space.bits, digits: 1), "\(parameters)", "\(row.options.images)",
        formatDuration(pace.seconds(of: [AblationRun(row: row, seed: plan.seeds[0])]) ?? 0),
      ])
    }
    Terminal.showLive("")
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max()! }
    for row in rows {
      let cells = row.indices.map { column in
        let space = String(repeating: " ", count: widths[column] - row[column].count)
        return column == 0 ? row[column] + space : space + row[column]
      }
      Terminal.print(cells.joined(separator: "  "))
    }
    for omission in plan.omissions { Terminal.print("left out: \(omission.label): \(omission.reason)") }
    Terminal.print(
      "measured by \(images.training.count) training images, "
        + (images.test.map { "\($0.count) images of \($0.name)" } ?? "no test images")
        + (detector.map { ", \(images.samples) random codes, \($0.identity.distanceName)" } ?? ", no distances"))
    Terminal.print(
      "\(counted(plan.runs.count, "run")) (\(counted(plan.rows.count, "row")) x \(counted(plan.seeds.count, "seed"))), about "
        + "\(formatDuration(pace.seconds(of: plan.runs) ?? 0)) on \(device) with "
        + "\(counted(LibTorch.threadCount, "thread")), by a second of steps of each row")
  }
}

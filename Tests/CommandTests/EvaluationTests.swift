import DDNFiles
import Foundation
import Images
import Testing

extension CommandTests {
  @Suite("ddn encode --evaluate") struct EvaluationTests {
    private struct Report: Decodable {
      struct Row: Decodable {
        let method: String
        let images: Int
        let codeBits: Double
        let fileBytes: Double?
        let psnr: Double?
      }
      let count: Int
      let dataSetFileBytes: Double?
      let rows: [Row]
    }

    @Test("tables, a curve and a comparison are written, and file bytes are those of ddn encode") func evaluation()
      async throws
    {
      let folder = try Scratch.folder()
      let arguments = ["encode", "--network", "mnist-k8-l3", "--count", "30"]
      let result = try await Command.run(arguments + ["--evaluate", "--no-pictures", "--threads", "1"], in: folder)
      #expect(result.exitCode == 0, "\(result)")
      let outputs = folder.appending(path: "evaluation")
      let table = try String(contentsOf: outputs.appending(path: "evaluation.md"), encoding: .utf8)
      #expect(result.output.hasPrefix(table) && table.contains("| DDN | 30 | 9 |"), "\(result)")
      #expect(table.contains("| PCA code | 30 | 9 |") && table.contains("| residual k-means | 30 | 9 |"))
      let data = try Data(contentsOf: outputs.appending(path: "evaluation.json"))
      let report = try JSONDecoder().decode(Report.self, from: data)
      #expect(report.count == 30 && report.rows.map(\.codeBits) == [3, 6, 9, 3, 6, 9, 3, 6, 9])
      #expect(try PNG.read(outputs.appending(path: "comparison.png")).width > 4 * 128)
      let curve = try String(contentsOf: outputs.appending(path: "rate-distortion.svg"), encoding: .utf8)
      #expect(curve.contains("PCA code") && curve.hasSuffix("</svg>\n"))

      let encoded = try await Command.run(arguments + ["--threads", "1"], in: folder)
      #expect(encoded.exitCode == 0, "\(encoded)")
      let bytes = try Data(contentsOf: folder.appending(path: "codes.ddn")).count
      #expect(report.dataSetFileBytes == Double(bytes) / 30)
    }

    @Test("mistakes are one line") func mistakes() async throws {
      let folder = try Scratch.folder()
      for (arguments, code, part) in [
        (["--train-data", "a"], 64, "--evaluate"),
        (["--evaluate", "--out", "a.ddn"], 64, "leave out"),
        (["--evaluate", "--levels", "2"], 64, "leave out"),
        (["--evaluate", "--train-data", "absent"], 66, "absent"),
        (["--evaluate", "--data", "absent"], 66, "absent"),
      ] as [([String], Int32, String)] {
        let result = try await Command.run(["encode", "--network", "mnist-k8-l3"] + arguments, in: folder)
        #expect(result.isFailure(code, part), "\(arguments): \(result)")
      }
      let dry = try await Command.run(["encode", "--evaluate", "--dry-run"], in: folder)
      #expect(dry.exitCode == 0 && dry.output.hasPrefix("would measure rate and distortion of 1000 images"), "\(dry)")
      #expect(try Folder.names(in: folder).isEmpty)
    }
  }
}

import ArgumentParser
import DDNGuidance

/// `ddn guide`: its options are those of `ddn guide samples`.
struct GuideCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "guide",
    abstract: "Generate images that guides agree with: super-resolution, inpainting, colouring, classes.",
    discussion: """
      Zero-shot conditional generation: at each level, guides score the K images, and one of the best is chosen. No \
      gradient, and no training for the task.

      Guides, each with an example:
      \(GuideKind.all.map { "  " + $0.example.padded(to: 26) + $0.summary }.joined(separator: "\n"))

      Examples:
        ddn guide --guide sr:4
        ddn guide --guide mask:top --image seven.png --samples 12
        ddn guide --guide gray --network cifar10 --data cifar10-test.zip
        ddn guide --guide mask:top --guide class:3,weight=0.5 --beams 8
        ddn guide --evaluate --data mnist --count 1000

      ddn guide samples --help explains the options.
      """,
    subcommands: [GuideSamples.self, GuideList.self, GuideFigure.self], defaultSubcommand: GuideSamples.self)
}

extension String {
  fileprivate func padded(to length: Int) -> String {
    self + String(repeating: " ", count: max(1, length - count))
  }
}

import ArgumentParser
import DDNGuidance

/// `ddn guide`, and `ddn guide list`.
struct GuideCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "guide",
    abstract: "Generate images that guides agree with: super-resolution, inpainting, colouring, classes.",
    discussion: """
      Zero-shot conditional generation: at each level, guides score the K images, and one of the best is chosen. No \
      gradient, and no training for the task.
      """,
    subcommands: [GuideSamples.self, GuideList.self], defaultSubcommand: GuideSamples.self)
}

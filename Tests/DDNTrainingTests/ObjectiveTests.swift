import DDN
import DDNTraining
import Testing
import Torch

/// L2 on the mean brightness of images.
private struct ShadeObjective: Objective {
  func losses(of step: LevelStep) throws -> Tensor {
    let output = step.output
    let sized = try step.target.sized(height: output.chosen.shape[2], width: output.chosen.shape[3])
    return try (output.imagesPerSample().mean([1, 2, 3]) - sized.mean([1, 2, 3])).squared()
  }
}

@Suite("Objectives") struct ObjectiveTests {
  @Test("training minimizes the given objective") func given() throws {
    let (settings, data) = (SmallTraining.options(learningRate: 1e-2), try SmallTraining.data())
    func loss(_ objective: (any Objective)?, steps: Int) throws -> (first: Double, last: Double) {
      let trainer = try Trainer(settings, data: data, device: .cpu, objective: objective)
      var losses: [Double] = []
      for _ in 0..<steps {
        try trainer.step()
        losses.append(try trainer.takeLosses().reduce(0, +))
      }
      return (losses.prefix(3).reduce(0, +), losses.suffix(3).reduce(0, +))
    }
    let shade = try loss(ShadeObjective(), steps: 60)
    #expect(shade.last < 0.75 * shade.first)
    let (absolute, squared) = (try loss(PixelObjective(.absolute), steps: 1), try loss(nil, steps: 1))
    #expect(absolute.first != squared.first && shade.first != squared.first)
  }

  @Test("the default objective is the options' loss, by default squared") func options() throws {
    let (settings, data) = (SmallTraining.options(learningRate: 1e-2), try SmallTraining.data())
    func first(_ options: TrainingOptions, _ objective: (any Objective)? = nil) throws -> [Double] {
      let trainer = try Trainer(options, data: data, device: .cpu, objective: objective)
      try trainer.step()
      return try trainer.takeLosses()
    }
    var options = settings
    options.loss = .absolute
    #expect(try first(options) == first(settings, PixelObjective(.absolute)))
    #expect(try first(settings) == first(settings, PixelObjective(.squared)))
  }
}

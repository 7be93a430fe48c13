import DDN
import DDNDensities
import Images
import Testing

@testable import DDNFigures

@Suite("Density figures") struct DensityFigureTests {
  @Test("Viridis is dark blue to yellow, and values are clamped")
  func viridis() {
    #expect(Viridis.colour(0) == [68, 1, 84])
    #expect(Viridis.colour(0.5) == [33, 144, 141])
    #expect(Viridis.colour(1) == [253, 231, 37])
    #expect(Viridis.colour(-3) == Viridis.colour(0) && Viridis.colour(7) == Viridis.colour(1))
    let brightness = stride(from: 0.0, through: 1, by: 0.05).map { Viridis.colour($0).reduce(0) { $0 + Int($1) } }
    #expect(zip(brightness, brightness.dropFirst()).allSatisfy { $0 < $1 })
  }

  @Test("a panel has a column per density, an animation an image per frame, all of one size")
  func panel() throws {
    let experiment = DensityExperiment(options: .init(nodes: 50), samples: 500, frames: 3)
    let maps = [Density.gaussian, .uniform].map { $0.map(bins: 10) }
    let outcomes = try experiment.run(on: maps)
    let (one, two) = (try DensityFigures.panel([outcomes[0]]), try DensityFigures.panel(outcomes))
    #expect(two.width == one.width + 208 && two.height == one.height)
    let animation = try DensityFigures.animation(outcomes)
    #expect(animation.frames.count == 2 * 4)
    #expect(Set(animation.frames.map { [$0.width, $0.height] }).count == 1)
  }

  @Test(
    "a loss curve has lines for the mean and the last level within its frame, and skips non-finite losses")
  func lossCurve() {
    let points = (1...20).map { LossCurve.Point(images: $0 * 1000, losses: [1 / Double($0), 3 / Double($0)]) }
    let svg = LossCurve.svg(points + [.init(images: 21_000, losses: [.nan, 1]), .init(images: 22_000, losses: [])])
    #expect(svg.components(separatedBy: "<polyline").count == 3)
    let places = svg.matches(of: /points="([^"]*)"/).map { $0.1.split(separator: " ") }
    #expect(places.map(\.count) == [20, 20])
    for place in places.joined() {
      let (x, y) = (Double(place.split(separator: ",")[0])!, Double(place.split(separator: ",")[1])!)
      #expect((60...620).contains(x) && (20...310).contains(y))
    }
    #expect(svg.contains(">20000<") && !svg.contains("nan"))
    #expect(LossCurve.svg([]).hasPrefix("<svg"))
  }

  @Test("loss curves of several trainings average runs after as many images, and name every training")
  func lossCurves() {
    func points(_ last: [Double]) -> [LossCurve.Point] {
      last.indices.map { LossCurve.Point(images: ($0 + 1) * 1000, losses: [9, last[$0]]) }
    }
    let svg = LossCurve.svg(rows: [
      ("a & b", points([0.1, 0.2]) + points([0.3, 0.2])), ("c", points([0.2, 0.2, .nan])),
    ])
    let places = svg.matches(of: /points="([^"]*)"/).map { $0.1 }
    #expect(places.count == 2 && places[0] == places[1], "means are 0.2 and 0.2")
    #expect(svg.contains(">a &amp; b<") && svg.contains(">c<"))
    #expect(LossCurve.svg(rows: []).hasPrefix("<svg"))
  }

  @Test("a drawing in one dimension names every stage and marks the next node to split or prune")
  func line() {
    let stages = NodeLine.stages(nodes: 5, seed: 0)
    let svg = NodeLineFigure.svg(stages)
    for title in ["(a) initial, K = 5", "(b) split, K = 6", "(c) prune, K = 5", "(d) final, K = 5"] {
      #expect(svg.contains(title))
    }
    #expect(svg.components(separatedBy: "<circle").count - 1 == 2)
    // A cross of two lines, a line to the numbers and three numbers for each of 21 nodes.
    #expect(svg.components(separatedBy: "0.200<").count - 1 >= 15)
  }
}

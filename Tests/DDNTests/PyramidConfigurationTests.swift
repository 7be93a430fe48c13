import Foundation
import Testing
import Torch

@testable import DDN

@Suite("Pyramid configuration") struct PyramidConfigurationTests {
  typealias Configuration = PyramidNetwork.Configuration

  static let impossible: [(part: String, configuration: Configuration)] = [
    ("resolution", .init(resolution: 0)), ("resolution", .init(resolution: 24)),
    ("resolution", .init(resolution: .max)), ("resolution", .init(resolution: .min)),
    ("start side", .init(resolution: 8, startSide: 16)), ("start side", .init(startSide: 3)),
    ("channels", .init(imageChannels: 2)), ("channel base", .init(channelBase: 0)),
    ("levels of one side", .init(maxBlocks: 0)), ("levels of one side", .init(maxBlocks: .max)),
    ("nodes", .init(maxNodes: 1)), ("times", .init(blocksTimes: 0)), ("times", .init(blocksTimes: .nan)),
    ("4096 levels", .init(resolution: 256, blocksTimes: 64)),
    ("channels are given for 2 sides", .init(resolution: 8, channelsOfScales: [8, 8])),
    ("channels", .init(resolution: 2, channelsOfScales: [8, .max])),
    ("channels", .init(resolution: 2, channelsOfScales: [8, 2])), ("odd", .init(resolution: 1, channelsOfScales: [7])),
    ("groups", .init(resolution: 1, channelsOfScales: [18])), ("channels", .init(channelMinimum: 8, channelMaximum: 4)),
    ("channels", .init(channelMinimum: 1, channelMaximum: 2)), ("classes", .init(conditions: [.classNumber(of: 1)])),
    ("classes", .init(conditions: [.classNumber(of: .max)])), ("edges", .init(resolution: 2, conditions: [.edges])),
    ("resize64", .init(conditions: [.lowResolution(side: 64)])),
    ("class", .init(conditions: [.classNumber(of: 10), .classNumber(of: 4)])),
    ("fit", .init(resolution: 8, channelMaximum: 4, conditions: [.gray, .edges, .lowResolution(side: 2)])),
    ("conditions", .init(conditions: Array(repeating: .gray, count: 9))),
    ("3 channels", .init(imageChannels: 1, initialImage: .channelRamp)),
  ]

  @Test("every invalid value is an error of one line that names it", arguments: impossible.indices)
  func refusal(index: Int) throws {
    let (part, configuration) = Self.impossible[index]
    let error = try #require(throws: ConfigurationError.self) { try configuration.validate() }.description
    #expect(error.contains(part) && !error.contains("\n"), "\(error)")
  }

  @Test("valid values have no error")
  func possible() throws {
    for side in [1, 2, 64, 4096] { try Configuration(resolution: side).validate() }
    try Configuration(resolution: 1024, imageChannels: 1, startSide: 1024, maxNodes: 2).validate()
    try Configuration(resolution: 2, channelsOfScales: [10, 160]).validate()
  }

  @Test("a small factor keeps one level per side")
  func rounding() {
    let sides = Configuration(resolution: 8, maxBlocks: 2, blocksTimes: 0.1).levels.map(\.side)
    #expect(sides == [1, 2, 4, 8])
    // Rounded half to even, as in the original: 2.5 levels are 2.
    #expect(Configuration(resolution: 8, maxBlocks: 2, blocksTimes: 1.25).levels.map(\.side) == [1, 2, 2, 4, 4, 8, 8])
  }

  @Test("it survives coding, with conditions as the original's options", arguments: [1, 3])
  func coding(imageChannels: Int) throws {
    let configuration = NetworkConfiguration.pyramid(
      .init(
        resolution: 64, imageChannels: imageChannels, startSide: 2, maxBlocks: 3, maxNodes: 7, blocksTimes: 1.5,
        learnsResidual: false, conditions: [.classNumber(of: 10), .gray, .edges, .lowResolution(side: 8)]))
    let data = try JSONEncoder().encode(configuration)
    #expect(try JSONDecoder().decode(NetworkConfiguration.self, from: data) == configuration)
    #expect(String(decoding: data, as: UTF8.self).contains(#"["class10","color","edge","resize8"]"#))
    for text in ["", "class", "classx", "resize-1", "edge2", "colour"] where text != "class" {
      #expect(ConditionKind(text) == nil, "\(text)")
    }
  }

  @Test("the default initial image is not encoded, another survives coding")
  func initialImage() throws {
    for (image, isWritten) in [(nil, false), (.channelRamp, true)] as [(InitialImage?, Bool)] {
      let configuration = NetworkConfiguration.pyramid(.init(resolution: 8, initialImage: image))
      let data = try JSONEncoder().encode(configuration)
      #expect(String(decoding: data, as: UTF8.self).contains("initialImage") == isWritten)
      #expect(try JSONDecoder().decode(NetworkConfiguration.self, from: data) == configuration)
      #expect(configuration.summary.contains("initial image channel-ramp") == isWritten)
      let ramp = NetworkConfiguration.pyramid(.init(resolution: 8, initialImage: .channelRamp))
      #expect((configuration.weightDifference(from: ramp) == nil) == isWritten)
    }
  }

  @Test("a model with an initial image has the next format version")
  func formatVersion() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "initial-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    for (image, version) in [(nil, "1"), (.channelRamp, "2")] as [(InitialImage?, String)] {
      let configuration = NetworkConfiguration.pyramid(.init(resolution: 4, maxNodes: 4, initialImage: image))
      let url = folder.appending(path: "\(version).safetensors")
      try Model(configuration: configuration, network: configuration.makeNetwork(generator: Generator(seed: 1)))
        .write(to: url)
      #expect(try SafetensorsFile(contentsOf: url).metadata["version"] == version)
      #expect(try Model(contentsOf: url).configuration == configuration)
    }
  }

  @Test("without leak choice nodes read all features, files say so, and earlier readers refuse them")
  func leakChoice() throws {
    let without = PyramidNetwork.Configuration(resolution: 8, maxNodes: 4, leaksChoice: false)
    let with = PyramidNetwork.Configuration(resolution: 8, maxNodes: 4)
    #expect(without.levels.map(\.nodeInputs) == without.levels.map(\.channels))
    #expect(with.levels.map(\.nodeInputs) == with.levels.map { $0.channels / 2 })
    #expect(try PyramidNetwork(without, generator: Generator(seed: 1)).parameterCount == without.parameterLowerBound)
    let (one, other) = (NetworkConfiguration.pyramid(without), NetworkConfiguration.pyramid(with))
    #expect(one.weightDifference(from: other) == "it has leaked choice true, not false")
    #expect(one.summary.contains("no leaked choice") && !other.summary.contains("leaked"))
    #expect(try JSONDecoder().decode(NetworkConfiguration.self, from: JSONEncoder().encode(one)) == one)
    #expect(!String(decoding: try JSONEncoder().encode(other), as: UTF8.self).contains("leaksChoice"))
    #expect(one.architecture.formatVersion == 6 && other.architecture.formatVersion == 1)
  }

  @Test("the summary describes it")
  func summary() {
    #expect(
      NetworkConfiguration.pyramid(.init(conditions: [.classNumber(of: 10), .edges])).summary
        == "pyramid of 63 levels, 64 nodes, 32x32 colour, conditioned on class10 and edge")
    #expect(
      NetworkConfiguration.pyramid(.init(resolution: 64, imageChannels: 1, maxNodes: 512)).summary
        == "pyramid of 127 levels, 256 to 512 nodes, 64x64 gray")
  }

  @Test("weights fit any conditions, and no other network")
  func sameWeights() {
    let one = NetworkConfiguration.pyramid(.init())
    #expect(one.weightDifference(from: .pyramid(.init(conditions: [.gray]))) == nil)
    #expect(one.weightDifference(from: .pyramid(.init(maxNodes: 8))) != nil)
    #expect(one.weightDifference(from: .recurrent(.init())) != nil)
  }

  @Test("rules with the same levels have compatible weights; otherwise the first difference is named")
  func weightDifference() {
    let small = NetworkConfiguration.pyramid(.init(resolution: 4, maxBlocks: 4))
    #expect(small.weightDifference(from: .pyramid(.init(resolution: 4))) == nil)
    #expect(
      small.weightDifference(from: .pyramid(.init(resolution: 4, maxNodes: 8)))
        == "its level 1 is 1x1_0 with 256 channels and 8 nodes, not 1x1_0 with 256 channels and 64 nodes")
    #expect(small.weightDifference(from: .pyramid(.init(resolution: 8))) == "it has resolution 8, not 4")
    #expect(small.weightDifference(from: .recurrent(.init())) == "it is a recurrent network, not a pyramid")
    let recurrent = NetworkConfiguration.recurrent(.init())
    #expect(recurrent.weightDifference(from: .recurrent(.init(repeats: 3, isClassConditional: true))) == nil)
    #expect(recurrent.weightDifference(from: .recurrent(.init(nodes: 8))) == "it has nodes 8, not 64")
  }
}

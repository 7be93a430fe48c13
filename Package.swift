// swift-tools-version: 6.1
import PackageDescription

/// One set of settings for every target: Swift 6 language mode comes from the tools version.
let settings: [SwiftSetting] = [.enableUpcomingFeature("ExistentialAny")]

let package = Package(
  name: "ddn",
  platforms: [.macOS(.v15)],
  products: [
    .executable(name: "ddn", targets: ["DDNCommand"]),
    // Each with the modules whose types its interface names.
    .library(name: "Torch", targets: ["DDNFiles", "Torch"]),
    .library(name: "DDN", targets: ["DDN", "DDNFiles", "Torch"]),
    .library(
      name: "DDNTraining", targets: ["DDN", "DDNData", "DDNFiles", "DDNPictures", "DDNTraining", "Images", "Torch"]),
    .library(
      name: "DDNKit",
      targets: [
        "Archives", "DDN", "DDNAblation", "DDNClassifiers", "DDNCodes", "DDNData", "DDNDensities", "DDNEvaluation",
        "DDNFigures",
        "DDNFiles", "DDNGuidance", "DDNImport", "DDNModels", "DDNPictures", "DDNTraining", "DDNTrees", "DDNVision",
        "Images", "Torch",
      ]),
    .plugin(name: "SetUpLibtorch", targets: ["SetUpLibtorch"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
    // Without traits, whose order on the command line changes from one `swift` to the next: with two of them everything
    // that imports the package is compiled again.
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0", traits: []),
    .package(url: "https://github.com/apple/swift-http-types", from: "1.3.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.80.0"),
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
  ],
  targets: [
    // Libraries of the system, found by pkg-config.
    .systemLibrary(name: "CTorch", pkgConfig: "ctorch"),
    .systemLibrary(name: "CVips", pkgConfig: "vips", providers: [.apt(["libvips-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),

    // In the order of the data: files, tensors, images, the method, data sets, original weights, training, figures.
    .target(name: "DDNFiles", swiftSettings: settings),
    .target(name: "Archives", dependencies: ["CZlib", "DDNFiles"], swiftSettings: settings),
    .target(name: "Torch", dependencies: ["CTorch", "CZlib", "DDNFiles"], swiftSettings: settings),
    .target(name: "Images", dependencies: ["CVips", "DDNFiles"], swiftSettings: settings),
    .target(name: "DDN", dependencies: ["DDNFiles", "Torch"], swiftSettings: settings),
    .target(name: "DDNModels", dependencies: ["DDN"], resources: [.copy("Resources/models")], swiftSettings: settings),
    .target(name: "CPrefetch"),
    .target(name: "DDNDensities", dependencies: ["CPrefetch", "DDN", "DDNFiles", "Images"], swiftSettings: settings),
    .target(name: "DDNPictures", dependencies: ["DDN", "DDNFiles", "Images", "Torch"], swiftSettings: settings),
    .target(
      name: "DDNData", dependencies: ["Archives", "DDN", "DDNFiles", "DDNPictures", "Images", "Torch"],
      resources: [.copy("Resources/mnist-test")], swiftSettings: settings),
    .target(name: "DDNImport", dependencies: ["Archives", "DDN", "DDNFiles", "Torch"], swiftSettings: settings),
    .target(
      name: "TensorBoard",
      dependencies: ["Archives", "DDNFiles", .product(name: "SwiftProtobuf", package: "swift-protobuf")],
      exclude: ["events.proto"], swiftSettings: settings),
    .target(
      name: "DDNTraining", dependencies: ["Archives", "DDN", "DDNData", "DDNFiles", "TensorBoard", "Torch"],
      swiftSettings: settings),
    .target(name: "DDNVision", dependencies: ["Archives", "DDNFiles", "DDNImport", "Torch"], swiftSettings: settings),
    .target(
      name: "DDNClassifiers",
      dependencies: ["Archives", "DDN", "DDNData", "DDNFiles", "DDNPictures", "DDNVision", "Images", "Torch"],
      resources: [.copy("Resources/classifiers")], swiftSettings: settings),
    .target(
      name: "DDNGuidance",
      dependencies: [
        "DDN", "DDNClassifiers", "DDNEvaluation", "DDNFiles", "DDNPictures", "DDNVision", "Images", "Torch",
      ],
      swiftSettings: settings),
    .target(name: "DDNCodes", dependencies: ["Archives", "DDN", "DDNFiles", "Torch"], swiftSettings: settings),
    .target(
      name: "DDNEvaluation",
      dependencies: [
        "Archives", "DDN", "DDNData", "DDNFiles", "DDNImport", "DDNPictures", "DDNVision", "Images", "Torch",
      ],
      swiftSettings: settings),
    .target(
      name: "DDNTrees", dependencies: ["DDN", "DDNFiles", "DDNPictures", "Images", "Torch"], swiftSettings: settings),
    .target(
      name: "DDNFigures",
      dependencies: [
        "DDN", "DDNData", "DDNDensities", "DDNEvaluation", "DDNFiles", "DDNGuidance", "DDNPictures", "Images", "Torch",
      ],
      swiftSettings: settings),
    .target(
      name: "DDNAblation",
      dependencies: [
        "DDN", "DDNData", "DDNEvaluation", "DDNFigures", "DDNFiles", "DDNPictures", "DDNTraining", "DDNVision",
        "Images",
        "Torch",
      ],
      swiftSettings: settings),
    .target(
      name: "DDNBenchmark",
      dependencies: [
        "DDN", "DDNCodes", "DDNData", "DDNDensities", "DDNFiles", "DDNGuidance", "DDNTraining", "DDNTrees",
        "Torch",
      ],
      resources: [.copy("Resources/models")],
      swiftSettings: settings),
    .target(
      name: "DDNServer",
      dependencies: [
        "DDN", "DDNClassifiers", "DDNCodes", "DDNEvaluation", "DDNFiles", "DDNGuidance", "DDNPictures", "DDNTraining",
        "DDNTrees", "DDNVision", "Images", "Torch",
        .product(name: "HTTPTypes", package: "swift-http-types"), .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "HummingbirdCore", package: "hummingbird"), .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOHTTP1", package: "swift-nio"),
      ],
      resources: [.copy("Resources/page")], swiftSettings: settings),
    .executableTarget(
      name: "DDNCommand",
      dependencies: [
        "DDN", "DDNAblation", "DDNBenchmark", "DDNClassifiers", "DDNCodes", "DDNData", "DDNDensities", "DDNEvaluation",
        "DDNFigures", "DDNFiles", "DDNGuidance", "DDNImport", "DDNModels", "DDNPictures", "DDNServer", "DDNTraining",
        "DDNTrees", "DDNVision", "Images", "Torch",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: settings),

    .plugin(
      name: "SetUpLibtorch",
      capability: .command(
        intent: .custom(verb: "setup-libtorch", description: "Fetch libtorch and build libCTorch, unless done."))),

    // Tests mirror the sources; Tests/Golden holds the original's numbers.
    .target(name: "GoldenSupport", dependencies: ["Torch"], path: "Tests/GoldenSupport", swiftSettings: settings),
    .target(name: "ArchivesSupport", dependencies: ["CZlib"], path: "Tests/ArchivesSupport", swiftSettings: settings),
    .testTarget(
      name: "ArchivesTests", dependencies: ["Archives", "ArchivesSupport", "DDNFiles"], swiftSettings: settings),
    .testTarget(name: "TorchTests", dependencies: ["DDNFiles", "GoldenSupport", "Torch"], swiftSettings: settings),
    .testTarget(name: "ImagesTests", dependencies: ["DDNFiles", "Images"], swiftSettings: settings),
    .testTarget(
      name: "DDNTests",
      dependencies: ["DDN", "DDNData", "DDNFiles", "DDNGuidance", "DDNModels", "GoldenSupport", "Torch"],
      swiftSettings: settings),
    .testTarget(
      name: "DDNDensitiesTests", dependencies: ["DDN", "DDNDensities", "DDNFiles", "Images"], swiftSettings: settings),
    .testTarget(
      name: "DDNDataTests",
      dependencies: ["Archives", "ArchivesSupport", "DDNData", "DDNFiles", "GoldenSupport", "Torch"],
      swiftSettings: settings),
    .testTarget(
      name: "DDNImportTests", dependencies: ["Archives", "DDN", "DDNFiles", "DDNImport", "GoldenSupport", "Torch"],
      swiftSettings: settings),
    .target(name: "RecordSupport", path: "Tests/RecordSupport", swiftSettings: settings),
    .testTarget(
      name: "TensorBoardTests", dependencies: ["DDNFiles", "GoldenSupport", "RecordSupport", "TensorBoard"],
      swiftSettings: settings),
    .testTarget(
      name: "DDNTrainingTests",
      dependencies: ["DDN", "DDNData", "DDNFiles", "DDNTraining", "RecordSupport", "TensorBoard", "Torch"],
      swiftSettings: settings),
    .testTarget(
      name: "DDNPicturesTests", dependencies: ["DDN", "DDNFiles", "DDNModels", "DDNPictures", "Images", "Torch"],
      swiftSettings: settings),
    .testTarget(
      name: "DDNGuidanceTests",
      dependencies: [
        "DDN", "DDNData", "DDNFiles", "DDNGuidance", "DDNModels", "DDNPictures", "DDNVision", "GoldenSupport", "Images",
        "Torch",
      ],
      swiftSettings: settings),
    .testTarget(
      name: "DDNVisionTests", dependencies: ["DDNFiles", "DDNVision", "GoldenSupport", "Torch"], swiftSettings: settings
    ),
    .testTarget(
      name: "DDNClassifiersTests",
      dependencies: ["DDN", "DDNClassifiers", "DDNData", "DDNFiles", "DDNModels", "DDNVision", "Torch"],
      swiftSettings: settings),
    .testTarget(
      name: "DDNCodesTests",
      dependencies: ["DDN", "DDNCodes", "DDNFiles", "DDNModels", "GoldenSupport", "Torch"], swiftSettings: settings),
    .testTarget(
      name: "DDNEvaluationTests",
      dependencies: [
        "Archives", "ArchivesSupport", "DDN", "DDNData", "DDNEvaluation", "DDNFiles", "DDNModels", "DDNVision",
        "GoldenSupport", "Images", "Torch",
      ],
      swiftSettings: settings),
    .testTarget(
      name: "DDNTreesTests", dependencies: ["DDN", "DDNFiles", "DDNModels", "DDNTrees", "Images", "Torch"],
      swiftSettings: settings),
    .testTarget(
      name: "DDNFiguresTests", dependencies: ["DDN", "DDNDensities", "DDNFigures", "DDNPictures", "Images", "Torch"],
      swiftSettings: settings),
    .testTarget(
      name: "DDNServerTests",
      dependencies: [
        "DDN", "DDNFiles", "DDNModels", "DDNPictures", "DDNServer", "DDNTraining", "GoldenSupport", "Images", "Torch",
      ],
      swiftSettings: settings),
    .testTarget(
      name: "DDNAblationTests",
      dependencies: [
        "DDN", "DDNAblation", "DDNClassifiers", "DDNData", "DDNEvaluation", "DDNFiles", "DDNTraining", "Images",
        "Torch",
      ],
      swiftSettings: settings),
    .testTarget(
      name: "CommandTests", dependencies: ["DDNFiles", "Images", "RecordSupport", "Torch"], swiftSettings: settings),
  ]
)

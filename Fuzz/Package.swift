// swift-tools-version: 6.0
import PackageDescription

// A package of its own: everything that it uses is built again, with libFuzzer's counters. `make fuzz` does it.
let package = Package(
  name: "ddn-fuzz",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "ddn", path: "..")],
  targets: [
    .executableTarget(
      name: "ddn-fuzz", dependencies: [.product(name: "DDN", package: "ddn")],
      swiftSettings: [.enableUpcomingFeature("ExistentialAny")])
  ]
)

// swift-tools-version: 6.0
import PackageDescription

// A separate package, because everything that it uses is built with libFuzzer's counters. `make fuzz` builds it.
let package = Package(
  name: "ddn-fuzz",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "ddn", path: "..")],
  targets: [
    .executableTarget(
      name: "ddn-fuzz", dependencies: [.product(name: "DDNKit", package: "ddn")],
      swiftSettings: [.enableUpcomingFeature("ExistentialAny")])
  ]
)

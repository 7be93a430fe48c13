// swift-tools-version: 6.1
import PackageDescription

// A separate package: `make fuzz` rebuilds all dependencies with libFuzzer's instrumentation.
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

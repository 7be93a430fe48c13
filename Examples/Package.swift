// swift-tools-version: 6.1
import PackageDescription

// A client of this package. Yours names its address where this one has a path.
let package = Package(
  name: "examples",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "ddn", path: "..")],
  targets: [
    .executableTarget(name: "encode-decode", dependencies: [.product(name: "DDNKit", package: "ddn")])
  ]
)

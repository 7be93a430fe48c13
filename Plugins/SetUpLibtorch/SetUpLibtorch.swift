import Foundation
import PackagePlugin

/// `swift package setup-libtorch`: runs scripts/setup of this package, in a clone or in a client's checkout.
@main struct SetUpLibtorch: CommandPlugin {
  func performCommand(context: PluginContext, arguments: [String]) throws {
    let package = URL(filePath: #filePath).appending(path: "../../..").standardizedFileURL
    let setup = Process()
    setup.executableURL = package.appending(path: "scripts/setup")
    setup.arguments = arguments
    try setup.run()
    setup.waitUntilExit()
    guard setup.terminationStatus == 0 else { exit(setup.terminationStatus) }
  }
}

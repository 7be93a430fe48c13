import DDN
import Foundation
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import Torch

/// A page in the browser to draw with models, walk through their trees, encode pictures and watch a training; and a JSON
/// API under it.
///
/// It is for one machine unless `host` says otherwise, stores nothing, and reads no files after its start but those of
/// a run folder.
public struct PageServer: Sendable {
  public struct Options: Sendable {
    /// The address to listen at.
    public var host = "127.0.0.1"
    /// 0 for a free one.
    public var port = 8080
    /// Names of the server beside addresses and `localhost`.
    public var names: [String] = []
    public var models: [ModelSource] = []
    /// For guides of texts; nil for none.
    public var clip: CLIPSource?
    /// A run folder to watch; nil for none.
    public var run: URL?
    public var device = Device.cpu
    public var limits = ServerLimits()

    public init() {}
  }

  /// The server cannot listen; one line.
  public struct ListenError: Error, CustomStringConvertible {
    public let description: String
  }

  private let options: Options
  private let routes: PageRoutes

  /// Loads the models.
  ///
  /// - Parameters:
  ///   - options: with at least one model.
  ///   - report: called with each internal error, one line.
  /// - Throws: `FileError` for models, weights and run folders that cannot be used; `TorchError`.
  public init(_ options: Options, report: @escaping @Sendable (String) -> Void) async throws {
    self.options = options
    let limits = options.limits
    let worker = ModelWorker(limits: limits)
    routes = PageRoutes(
      limits: limits, assets: try PageAssets(),
      models: ModelRequests(queue: WorkQueue(limits), worker: worker, report: report),
      cards: try await worker.load(options.models, clip: options.clip, device: options.device),
      training: try options.run.map { try TrainingReader($0) },
      checks: RequestChecks(
        names: Set(options.names.map { $0.lowercased() }), limiter: RateLimiter(perMinute: limits.requestsPerMinute)),
      errors: ErrorBodies(report: report))
  }

  /// Whether a host is reached from this machine alone.
  public static func isLoopback(_ host: String) -> Bool { host == "localhost" || DDNServer.isLoopback(host) }

  /// Serves until the process gets an interrupt or termination signal; requests at work are then finished.
  ///
  /// - Parameter onReady: called with the port when requests are accepted.
  /// - Throws: `ListenError` when the address cannot be listened at.
  public func run(onReady: @escaping @Sendable (Int) -> Void) async throws {
    let limits = options.limits
    var logger = Logger(label: "ddn serve")
    logger.logLevel = .critical
    let connections = HTTP1Channel.Configuration(
      idleTimeout: .seconds(Int64(limits.idleSeconds)),
      httpDecoderConfiguration: .init(
        maxHeaderFieldSize: limits.headerBytes, maxHeaderListSize: limits.headerBytes, maxHeaderFieldCount: 100))
    let application = Application(
      router: routes.router(), server: .http1(configuration: connections),
      configuration: .init(
        address: .hostname(options.host, port: options.port), backlog: 1024,
        availableConnectionsDelegate: .maximum(limits.connections, logger: logger)),
      onServerRunning: { channel in onReady(channel.localAddress?.port ?? 0) }, logger: logger)
    do { try await application.runService() } catch
      where error is SocketAddressError || error is SocketAddressError.UnknownHost
    {
      throw ListenError(description: "cannot listen at \(options.host): it is no address of this machine")
    } catch let error as IOError {
      throw ListenError(
        description:
          "cannot listen at \(options.host), port \(options.port): \(String(cString: strerror(error.errnoCode))); choose another with --port"
      )
    }
  }
}

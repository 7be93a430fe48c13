import DDN
import DDNModels
import DDNPictures
import Foundation
import Images
import Testing

@Suite("Serving a model to concurrent callers")
struct ModelServerTests {
  @Test("a hundred concurrent callers get the same results as sequential ones")
  func concurrent() async throws {
    let url = Model.shippedURL("mnist-k8-l3")
    let server = try await ModelServer(contentsOf: url)
    let network = try Model(contentsOf: url).network
    let codes = (0..<50).map { LatentCode(seed: UInt64($0), in: server.codeSpace) }
    let pictures = try network.decode(codes).bitmaps()
    let found = try Reconstruction(of: network.decode(codes), by: network).codes

    let answers = try await withThrowingTaskGroup(of: (Int, Bool).self) { group in
      for caller in 0..<100 {
        group.addTask {
          let index = caller / 2
          if caller % 2 == 0 { return (caller, try await server.draw([codes[index]]) == [pictures[index]]) }
          let encoded = try await server.encode([pictures[index]])
          // Pictures have 8 bits, so the code may differ from that of the exact image.
          return (caller, encoded.count == 1 && encoded[0].picture.width == 32 && encoded[0].errors.count == 3)
        }
      }
      return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
    }
    #expect(answers.count == 100 && answers.values.allSatisfy { $0 })
    #expect(Set(found).count > 10)
  }

  @Test("drawn pictures are encoded to the same pictures")
  func roundTrip() async throws {
    let server = try await ModelServer(contentsOf: Model.shippedURL("mnist-k8-l3"))
    let code = LatentCode(seed: 3, in: server.codeSpace)
    let picture = try await server.draw([code])[0]
    let encoded = try await server.encode([picture])[0]
    #expect(try await server.draw([encoded.code])[0] == encoded.picture)
    #expect(encoded.errors.last! < 1e-3)
    let wide = Bitmap(width: 96, height: 64, channels: 1, shade: 0)
    #expect(try await server.encode([wide])[0].picture.width == 32)
  }

  @Test("mismatched inputs are errors, and a cancelled caller's job stops")
  func refusal() async throws {
    let server = try await ModelServer(contentsOf: Model.shippedURL("mnist-k8-l3"))
    let code = LatentCode(seed: 3, in: server.codeSpace)
    await #expect(throws: ConditionError.self) {
      try await server.encode([Bitmap(width: 32, height: 32, channels: 3, shade: 0)])
    }
    await #expect(throws: LatentCodeError.self) { try await server.draw([code], classes: [1, 2]) }
    await #expect(throws: LatentCodeError.self) { try await server.draw([code], classes: [1]) }
    let task = Task { try await server.draw([LatentCode](repeating: code, count: 100_000), batchSize: 16) }
    task.cancel()
    await #expect(throws: JobStopped.self) { try await task.value }
  }
}

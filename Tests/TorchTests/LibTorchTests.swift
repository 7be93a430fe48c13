import Foundation
import Testing
import Torch

@Suite("libtorch's process")
struct LibTorchTests {
  @Test("tuning the process may be repeated, and tensors from before it stay")
  func tuning() throws {
    let before = try Tensor.full([1000, 1000], 2)
    for _ in 0..<2 { try LibTorch.tuneProcess() }
    let after = try before + Tensor.full([1000, 1000], 1)
    #expect(try after.array(Float.self).allSatisfy { $0 == 3 })
    #expect(try before.array(Float.self).allSatisfy { $0 == 2 })
  }

  @Test("the capability is the one that ATEN_CPU_CAPABILITY names, and CUDA has a version where it has devices")
  func facts() throws {
    let forced = ProcessInfo.processInfo.environment["ATEN_CPU_CAPABILITY"]
    #expect(forced == nil ? !LibTorch.cpuCapability.isEmpty : LibTorch.cpuCapability.lowercased() == forced)
    let version = try LibTorch.cudaVersion()
    #expect(try version != nil || Device.cudaCount() == 0)
    #expect(version.map { $0.wholeMatch(of: /\d+\.\d/) != nil } ?? true)
  }
}

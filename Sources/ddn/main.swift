import DDN
import DDNData
import DDNTraining
import Torch
import Foundation
let a = CommandLine.arguments.dropFirst().map { Int($0)! }
let options = TrainingOptions(network: .recurrent(.init(nodes: a[0], repeats: a[1])), images: a[3], batch: a[2])
let data = try TrainingImages(.shipped(), device: .cpu)
let trainer = try Trainer(options, data: data, device: .cpu)
print(trainer.network.parameterCount, Torch.version, Torch.threadCount)
var last = Date()
while trainer.images < options.images {
  try trainer.step()
  if (trainer.images / a[2]) % 1 == 0 { let l = try trainer.takeLosses(); print(trainer.images, l.map{String(format:"%.4f",$0)}, trainer.perplexities, Double(a[2]) / -last.timeIntervalSinceNow); last = Date() }
}

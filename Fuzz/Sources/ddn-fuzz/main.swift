// Fuzzes a reader: ddn-fuzz READER CORPUS... [libFuzzer options].

import Foundation

/// libFuzzer's main loop, linked by `-sanitize=fuzzer`.
///
/// Source: LLVM's documentation, "libFuzzer", section "Using libFuzzer as a library".
@_silgen_name("LLVMFuzzerRunDriver")
private func runFuzzer(
  _ count: UnsafeMutablePointer<Int32>,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
  _ test: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
) -> Int32

nonisolated(unsafe) private var reader = Reader.pickle

guard CommandLine.arguments.count > 1, let chosen = Reader(rawValue: CommandLine.arguments[1]) else {
  FileHandle.standardError.write(
    Data("usage: ddn-fuzz \(Reader.allCases.map(\.rawValue).joined(separator: "|")) [folder] [-runs=N]\n".utf8))
  exit(64)
}
reader = chosen
let options = [CommandLine.arguments[0]] + CommandLine.arguments.dropFirst(2)
var count = Int32(options.count)
var arguments = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: options.count + 1)
for (place, option) in options.enumerated() { arguments[place] = strdup(option) }
arguments[options.count] = nil
exit(
  runFuzzer(&count, &arguments) { bytes, count in
    reader.read(bytes.map { Data(bytes: $0, count: count) } ?? Data())
    return 0
  })

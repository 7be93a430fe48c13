import Testing
import Torch

@Suite("Pulses") struct PulseTests {
  @Test("a pulse within another one calls both, and leaves the outer one") func nested() throws {
    var (outer, inner) = (0, 0)
    func countOuter() -> Bool {
      outer += 1
      return true
    }
    func countInner() -> Bool {
      inner += 1
      return true
    }
    try withPulse(countOuter) {
      try callPulse()
      try withPulse(countInner) {
        try callPulse()
        func yes() -> Bool { true }
        try withPulse(yes) { try callPulse() }
      }
      try callPulse()
    }
    try callPulse()
    #expect(outer == 4 && inner == 2)
  }

  @Test("any of several pulses stops the work") func stopping() throws {
    func yes() -> Bool { true }
    func no() -> Bool { false }
    for (outer, inner) in [(no, yes), (yes, no)] {
      #expect(throws: TorchError.self) { try withPulse(outer) { try withPulse(inner) { try callPulse() } } }
    }
    #expect(throws: TorchError.self) {
      try withPulse(no) {
        try? withPulse(yes) {}
        try callPulse()
      }
    }
  }
}

/// NumPy's pairwise summation: eight partial sums per block of at most 128 values; longer input is halved.
///
/// The original program sums its counters with NumPy; another order differs in the last bit, which can change a split.
package func pairwiseSum(_ values: ArraySlice<Double>) -> Double {
  if values.count < 8 { return values.reduce(0, +) }
  if values.count > 128 {
    let half = values.count / 2
    let middle = values.startIndex + half - half % 8
    return pairwiseSum(values[..<middle]) + pairwiseSum(values[middle...])
  }
  var lanes = SIMD8<Double>(repeating: 0)
  var index = values.startIndex
  while index + 8 <= values.endIndex {
    for lane in 0..<8 { lanes[lane] += values[index + lane] }
    index += 8
  }
  let sum =
    ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) + ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]))
  return values[index...].reduce(sum, +)
}

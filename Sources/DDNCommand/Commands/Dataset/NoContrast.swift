/// A note on images of a single shade; nil without any.
func noContrastNote(_ constant: [String], of count: Int) -> String? {
  guard let first = constant.first else { return nil }
  if constant.count == count { return "no image has any contrast: every one is of a single shade, such as \(first)" }
  return constant.count == 1
    ? "\(first) is of a single shade" : "\(constant.count) images are of a single shade, such as \(first)"
}

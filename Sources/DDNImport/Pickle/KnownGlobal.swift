/// Everything outside a pickle that the import knows the meaning of; other names are `UnknownGlobal`.
///
/// Nothing here is ever called or made: a name only says what the values beside it mean.
/// Raw values are the names in the newest files; older ones may differ, see `init(module:name:)`.
enum KnownGlobal: String, CaseIterable {
  // Python.
  case range = "builtins.range"
  case set = "builtins.set"
  case encode = "_codecs.encode"
  case orderedDictionary = "collections.OrderedDict"
  case random = "random.Random"

  // NumPy.
  case array = "numpy.ndarray"
  case dtype = "numpy.dtype"
  case reconstructArray = "numpy._core.multiarray._reconstruct"
  case scalar = "numpy._core.multiarray.scalar"
  case arrayFromBuffer = "numpy._core.numeric._frombuffer"

  // PyTorch.
  case rebuildParameter = "torch._utils._rebuild_parameter"
  case rebuildTensor = "torch._utils._rebuild_tensor_v2"
  case loadFromBytes = "torch.storage._load_from_bytes"
  case floatStorage = "torch.FloatStorage"
  case doubleStorage = "torch.DoubleStorage"
  case halfStorage = "torch.HalfStorage"
  case bfloat16Storage = "torch.BFloat16Storage"
  case longStorage = "torch.LongStorage"
  case intStorage = "torch.IntStorage"
  case shortStorage = "torch.ShortStorage"
  case charStorage = "torch.CharStorage"
  case byteStorage = "torch.ByteStorage"
  case boolStorage = "torch.BoolStorage"

  // The original program and its layer.
  case persistentObject = "torch_utils.persistence._reconstruct_persistent_obj"
  case layer = "sddn.discrete_distribution.DiscreteDistributionOutput"
  case layerConvolution = "sddn.discrete_distribution.Conv2dMixedPrecision"
  case nodeStatistics = "sddn.discrete_distribution.SplitableDiscreteDistribution"
  case divergeShaping = "sddn.discrete_distribution.DivergeShapingManager"
  case conditionProcess = "training.networks.ConditionProcess"
  case classEmbedding = "training.networks.ClassEmbeding"

  /// What a pickle may ask to be done with a name.
  enum Use {
    /// REDUCE: called with a tuple of arguments.
    case call
    /// NEWOBJ: an instance without arguments, which BUILD then fills.
    case instance
    /// Nothing: it stands for itself.
    case mention
  }

  var use: Use {
    switch self {
    case .random, .range, .set, .encode, .orderedDictionary, .dtype, .reconstructArray, .scalar, .arrayFromBuffer,
      .rebuildParameter,
      .rebuildTensor, .loadFromBytes, .persistentObject:
      .call
    case .layer, .layerConvolution, .nodeStatistics, .divergeShaping, .conditionProcess, .classEmbedding: .instance
    case .array, .floatStorage, .doubleStorage, .halfStorage, .bfloat16Storage, .longStorage, .intStorage,
      .shortStorage, .charStorage, .byteStorage, .boolStorage:
      .mention
    }
  }

  /// Whether BUILD may give it a state.
  var takesState: Bool {
    switch self {
    case .random, .orderedDictionary, .dtype, .reconstructArray: true
    default: use == .instance
    }
  }

  /// Names that Python 2 and NumPy 1 had for the same.
  private static let olderModules = [
    "__builtin__": "builtins", "numpy.core.multiarray": "numpy._core.multiarray",
    "numpy.core.numeric": "numpy._core.numeric",
  ]

  /// - Returns: nil for what no file of the original names.
  init?(module: String, name: String) {
    // A name with a dot would be a path through attributes: os.path.sys, and from there anywhere.
    guard !name.contains(".") else { return nil }
    let isOldRange = module == "__builtin__" && name == "xrange"
    self.init(rawValue: "\(Self.olderModules[module] ?? module).\(isOldRange ? "range" : name)")
  }
}

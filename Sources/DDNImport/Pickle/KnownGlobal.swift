/// The Python globals that the import interprets; for all others see `UnknownGlobal`.
///
/// Nothing is called or instantiated: a name only tells how to read the values beside it.
/// Raw values are the names in the newest files; for older ones see `init(module:name:)`.
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
  case parameter = "torch.nn.parameter.Parameter"
  case rebuildOldTensor = "torch._utils._rebuild_tensor"
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

  /// How a pickle may use a name.
  enum Use {
    /// REDUCE, with a tuple of arguments.
    case call
    /// NEWOBJ, followed by BUILD; only a parameter has arguments.
    case instance
    /// As a value only.
    case value
  }

  var use: Use {
    switch self {
    case .random, .range, .set, .encode, .orderedDictionary, .dtype, .reconstructArray, .scalar, .arrayFromBuffer,
      .rebuildParameter, .rebuildOldTensor, .rebuildTensor, .loadFromBytes, .persistentObject:
      .call
    case .parameter, .layer, .layerConvolution, .nodeStatistics, .divergeShaping, .conditionProcess, .classEmbedding:
      .instance
    case .array, .floatStorage, .doubleStorage, .halfStorage, .bfloat16Storage, .longStorage, .intStorage,
      .shortStorage, .charStorage, .byteStorage, .boolStorage:
      .value
    }
  }

  /// Whether BUILD may set its state.
  var takesState: Bool {
    switch self {
    case .random, .orderedDictionary, .dtype, .reconstructArray: true
    default: use == .instance
    }
  }

  /// Module names in Python 2 and NumPy 1.
  private static let olderModules = [
    "__builtin__": "builtins", "numpy.core.multiarray": "numpy._core.multiarray",
    "numpy.core.numeric": "numpy._core.numeric",
  ]

  /// Nil for an unknown name.
  init?(module: String, name: String) {
    // A dotted name would be an attribute path, such as os.path.sys, which leads anywhere.
    guard !name.contains(".") else { return nil }
    let isOldRange = module == "__builtin__" && name == "xrange"
    self.init(rawValue: "\(Self.olderModules[module] ?? module).\(isOldRange ? "range" : name)")
  }
}

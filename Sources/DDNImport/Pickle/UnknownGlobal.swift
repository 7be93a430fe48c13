/// Names that are not in `KnownGlobal`.
enum UnknownGlobal {
  /// Modules that only hostile pickles use.
  private static let dangerousModules: Set<Substring> = [
    "__builtin__", "_codecs", "_io", "_pickle", "asyncio", "builtins", "cffi", "code", "codeop", "commands", "copyreg",
    "ctypes", "dill", "exec", "ftplib", "gc", "http", "httplib", "imp", "importlib", "inspect", "io", "joblib",
    "marshal", "mmap", "multiprocessing", "nt", "operator", "os", "pdb", "pickle", "pip", "pkgutil", "platform",
    "popen2", "posix", "profile", "pty", "pydoc", "requests", "runpy", "setuptools", "shutil", "signal", "site",
    "smtplib", "socket", "ssl", "subprocess", "sys", "tempfile", "threading", "timeit", "trace", "types", "urllib",
    "urllib2", "webbrowser", "zipimport",
  ]
  /// Harmless names in those modules.
  private static let harmlessNames: Set = Set(
    [
      "bool", "bytearray", "bytes", "complex", "dict", "float", "frozenset", "int", "list", "object", "slice", "str",
      "tuple",
    ]
    .map { "builtins.\($0)" }
  ).union(["copyreg._reconstructor", "io.BytesIO", "types.SimpleNamespace"])
  /// Dangerous functions in otherwise harmless modules.
  private static let dangerousFunctions: Set = [
    "functools.reduce", "numpy.load", "numpy.testing._private.utils.runstring", "torch.jit.load",
    "torch.load", "torch.hub.load", "torch.serialization.load",
  ]

  /// Whether a file may refer to this name.
  ///
  /// Nothing is ever executed; refusing only tells the user that a file is hostile.
  static func isHarmless(module: String, name: String) -> Bool {
    let root = module.prefix { $0 != "." }
    if harmlessNames.contains("\(module).\(name)") { return true }
    return !module.isEmpty && !name.isEmpty && !name.contains(".") && !dangerousModules.contains(root)
      && !dangerousFunctions.contains("\(module).\(name)")
  }
}

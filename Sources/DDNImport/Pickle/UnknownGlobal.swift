/// Names that are not in `KnownGlobal`.
enum UnknownGlobal {
  /// Modules with which a hostile pickle acts; no honest value is of their classes.
  private static let actingModules: Set<Substring> = [
    "__builtin__", "_codecs", "_io", "_pickle", "asyncio", "builtins", "cffi", "code", "codeop", "commands", "copyreg",
    "ctypes", "dill", "exec", "ftplib", "gc", "http", "httplib", "imp", "importlib", "inspect", "io", "joblib",
    "marshal", "mmap", "multiprocessing", "nt", "operator", "os", "pdb", "pickle", "pip", "pkgutil", "platform",
    "popen2", "posix",
    "profile", "pty", "pydoc", "requests", "runpy", "setuptools", "shutil", "signal", "site", "smtplib", "socket",
    "ssl", "subprocess", "sys", "tempfile", "threading", "timeit", "trace", "types", "urllib", "urllib2", "webbrowser",
    "zipimport",
  ]
  /// Names in those modules that honest values have.
  private static let plainNames: Set = Set(
    [
      "bool", "bytearray", "bytes", "complex", "dict", "float", "frozenset", "int", "list", "object", "slice", "str",
      "tuple",
    ]
    .map { "builtins.\($0)" }
  ).union(["copyreg._reconstructor", "io.BytesIO", "types.SimpleNamespace"])
  /// Functions that act, in modules whose other names are those of honest values.
  private static let actingFunctions: Set = [
    "functools.reduce", "numpy.load", "numpy.testing._private.utils.runstring", "torch.jit.load",
    "torch.load", "torch.hub.load", "torch.serialization.load",
  ]

  /// Whether a value of this name may be in a file, where nothing reads it.
  ///
  /// Nothing is ever run, so this protects nobody; it is for the user to hear that a file is hostile.
  static func isHarmless(module: String, name: String) -> Bool {
    let root = module.prefix { $0 != "." }
    if plainNames.contains("\(module).\(name)") { return true }
    return !module.isEmpty && !name.isEmpty && !name.contains(".") && !actingModules.contains(root)
      && !actingFunctions.contains("\(module).\(name)")
  }
}

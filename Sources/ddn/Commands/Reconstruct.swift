import ArgumentParser
struct Reconstruct: ParsableCommand {}

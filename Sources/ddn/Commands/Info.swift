import ArgumentParser
struct Info: ParsableCommand {}

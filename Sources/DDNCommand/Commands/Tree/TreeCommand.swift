import ArgumentParser

struct TreeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tree",
    abstract: "Classify by the tree of codes, draw it, search in it.",
    discussion: """
      A code is a leaf of a tree with K children a node; a partial code is a subtree.

      Examples:
        ddn tree draw --network mnist-k8-l3
        ddn tree classify --network mnist-k8-l3 --data mnist
        ddn tree search --data mnist my-digit.png
      """,
    subcommands: [TreeDraw.self, TreeClassify.self, TreeSearchCommand.self, TreeFilm.self])
}

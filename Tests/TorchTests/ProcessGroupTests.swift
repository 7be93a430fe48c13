import Testing
import Torch

@Suite("A process's place in a group") struct ProcessGroupTests {
  private let torchrun = [
    "RANK": "3", "WORLD_SIZE": "4", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "node0",
    "MASTER_PORT": "29500", "TORCHELASTIC_RESTART_COUNT": "2", "TORCHELASTIC_USE_AGENT_STORE": "True",
  ]

  @Test("torchrun's variables are read; its agent serves the store") func readsTorchrun() throws {
    let place = try #require(try ProcessGroupPlace(torchrun))
    #expect(place.rank == 3 && place.ranks == 4 && place.localRank == 1 && place.localRanks == 2)
    #expect(place.host == "node0" && place.port == 29500 && place.restarts == 2 && !place.servesStore)
    var first = torchrun
    (first["RANK"], first["TORCHELASTIC_USE_AGENT_STORE"]) = ("0", nil)
    #expect(try ProcessGroupPlace(first)?.servesStore == true)
  }

  @Test("Slurm's variables are a group only with MASTER_ADDR") func readsSlurm() throws {
    var slurm = [
      "SLURM_PROCID": "5", "SLURM_NTASKS": "8", "SLURM_LOCALID": "1", "SLURM_TASKS_PER_NODE": "4(x2)",
      "MASTER_PORT": "1234", "SLURM_RESTART_COUNT": "1",
    ]
    #expect(try ProcessGroupPlace(slurm) == nil)
    slurm["MASTER_ADDR"] = "node0"
    let place = try #require(try ProcessGroupPlace(slurm))
    #expect(place.rank == 5 && place.ranks == 8 && place.localRank == 1 && place.localRanks == 4)
    #expect(place.restarts == 1 && !place.servesStore)
  }

  @Test("one process is no group") func alone() throws {
    #expect(try ProcessGroupPlace([:]) == nil)
    #expect(try ProcessGroupPlace(["RANK": "0", "WORLD_SIZE": "1"]) == nil)
  }

  @Test(
    "a wrong variable is named",
    arguments: [
      ("RANK", "4"), ("RANK", "-1"), ("RANK", "x"), ("RANK", nil), ("WORLD_SIZE", "0"), ("WORLD_SIZE", nil),
      ("LOCAL_RANK", "9"), ("MASTER_ADDR", nil), ("MASTER_PORT", "70000"), ("MASTER_PORT", nil),
      ("DDN_JOIN_SECONDS", "0"), ("DDN_OPERATION_SECONDS", "soon"),
    ])
  func wrong(name: String, value: String?) throws {
    var environment = torchrun
    environment[name] = value
    let error = #expect(throws: ProcessGroupError.self) { try ProcessGroupPlace(environment) }
    #expect(error?.kind == .environment && error?.description.contains(name) == true)
  }

  @Test("threads: OMP_NUM_THREADS, else cores by local ranks") func threads() throws {
    let place = try #require(try ProcessGroupPlace(torchrun))
    #expect(place.threads([:], cores: 16) == 8)
    #expect(place.threads(["OMP_NUM_THREADS": "3"], cores: 16) == 3)
    #expect(place.threads([:], cores: 1) == 1)
  }
}

# `make demo` and `make test` are all a fresh machine needs; `make` alone lists the rest.
PREFIX ?= /usr/local

# The same for programs and tests, so that the sources are compiled once: tests read internals (-enable-testing), and
# without the next two options `swift test` would compile everything again in its own way.
SWIFT_BUILD = -c release -Xswiftc -enable-testing --enable-index-store
SWIFT_TEST = $(SWIFT_BUILD) --disable-testable-imports --disable-xctest

KERNEL_TESTS = ResidualBlock|LayerNormConvolutionSiluTests|Convolution4x4Tests|ChosenImagesTests|NodeDistancesTests|LayerGoldenTests|RecurrentNetworkGoldenTests|PyramidNetworkGoldenTests

# This clone's libCTorch, before one that another clone has published.
export PKG_CONFIG_PATH := $(CURDIR)/.build/ctorch/lib/pkgconfig$(if $(PKG_CONFIG_PATH),:$(PKG_CONFIG_PATH))

.PHONY: help demo test build bench fuzz setup format lint install bundle env clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):[^#]*## /\1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 10

demo: build ## set up, build and run the main job on the data that comes with the sources
	@.build/release/ddn demo

# Tests run side by side; threads within operators would fight. The kernels are tested again as older processors run them.
test: build ## set up, build and run every test
	@OMP_NUM_THREADS=1 swift test $(SWIFT_TEST)
	@for instructions in default avx2; do \
	  OMP_NUM_THREADS=1 ATEN_CPU_CAPABILITY=$$instructions swift test $(SWIFT_TEST) --skip-build --filter '$(KERNEL_TESTS)' \
	    || exit; \
	done

build: setup ## build .build/release/ddn
	@swift build --quiet $(SWIFT_BUILD) --product ddn

setup: ## fetch libtorch and build libCTorch, unless done; LIBTORCH=/path uses one you have
	@scripts/setup

bench: build ## compare with the original in Python; ROWS=layer runs the rows whose name contains the word
	@scripts/bench --rows "$(ROWS)"

fuzz: setup ## feed the readers of files with damaged ones; READER=zip RUNS=5000000 choose
	@scripts/fuzz $(READER) $(RUNS)

format: ## format the Swift sources in place
	@swift format --in-place --parallel --recursive Package.swift Sources Tests Fuzz/Package.swift Fuzz/Sources

lint: ## check the format of the Swift sources
	@swift format lint --strict --parallel --recursive Package.swift Sources Tests Fuzz/Package.swift Fuzz/Sources

install: build ## install ddn into PREFIX, /usr/local unless given
	@scripts/install "$(PREFIX)" $(SWIFT_BUILD)

bundle: setup ## make .build/bundle: ddn, its golden tests and benchmark for a machine without Swift
	@scripts/bundle

env: setup ## print the line with which plain swift commands use this clone's libCTorch
	@echo 'export PKG_CONFIG_PATH=$(CURDIR)/.build/ctorch/lib/pkgconfig'

clean: ## remove what was built here; the downloads stay in the cache
	@rm -rf .build

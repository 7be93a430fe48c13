# `make demo` and `make test` are all that a fresh machine needs; `make` alone lists the targets.
PREFIX ?= /usr/local

# The same for programs, tests and the example, so that sources are compiled once: tests read internals
# (-enable-testing), and without the options of SWIFT_TEST `swift test` would compile everything again.
SWIFT_BUILD = -c release -Xswiftc -enable-testing --enable-index-store
SWIFT_TEST = $(SWIFT_BUILD) --disable-testable-imports --disable-xctest

SWIFT_SOURCES = Package.swift Sources Tests Plugins Fuzz/Package.swift Fuzz/Sources Examples/Package.swift Examples/Sources

KERNEL_TESTS = ResidualBlock|LayerNormConvolutionSiluTests|Convolution4x4Tests|ChosenImagesTests|NodeDistancesTests|LayerGoldenTests|RecurrentNetworkGoldenTests|PyramidNetworkGoldenTests|PriorGoldenTests

# This clone's libCTorch takes precedence over another clone's.
export PKG_CONFIG_PATH := $(CURDIR)/.build/ctorch/lib/pkgconfig$(if $(PKG_CONFIG_PATH),:$(PKG_CONFIG_PATH))

.PHONY: help demo test build examples docs site bench fuzz setup format lint install uninstall bundle release env clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):[^#]*## /\1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 10

demo: build ## set up, build and run the main job on the shipped digits
	@.build/release/ddn demo

# `swift test` builds ddn, too, and with all targets at once no core waits for another. Tests run in parallel, so operators use
# one thread. The kernels are tested again with the instructions of older processors.
test: setup ## set up, build and run every test, the example and the documentation
	@OMP_NUM_THREADS=1 DDN_TEST_PYTHON=$$(scripts/test-python) swift test $(SWIFT_TEST)
	@for instructions in default avx2; do \
	  OMP_NUM_THREADS=1 ATEN_CPU_CAPABILITY=$$instructions swift test $(SWIFT_TEST) --skip-build --filter '$(KERNEL_TESTS)' \
	    || exit; \
	done
	@$(MAKE) --no-print-directory examples docs
	@scripts/page-tests

build: setup ## build .build/release/ddn
	@swift build --quiet $(SWIFT_BUILD) --product ddn

setup: ## fetch libtorch and build libCTorch, unless done; LIBTORCH=/path uses your own
	@scripts/setup

# In the same build folder, where the package's modules are compiled already; SwiftPM would use the plan that it keeps there.
# Without --product SwiftPM would compile protoc, too.
examples: build ## build the package in Examples, encode and decode its picture
	@swift build --quiet --disable-build-manifest-caching --package-path Examples --scratch-path .build $(SWIFT_BUILD) \
	  --product encode-decode
	@.build/release/encode-decode Examples/seven.png .build/seven.png

docs: build ## build the documentation of every public module in .build/docs, and check the links of all pages
	@scripts/links.py
	@scripts/docs

site: docs ## make .build/site: this documentation, every command's help and the modules, as HTML
	@scripts/site

bench: build ## compare with the original in Python; ROWS=layer selects the rows whose name contains the word
	@scripts/bench --rows "$(ROWS)"

fuzz: setup ## feed damaged files to the readers; READER=zip RUNS=5000000 select
	@scripts/fuzz $(READER) $(RUNS)

format: ## format the Swift sources in place
	@swift format --in-place --parallel --recursive $(SWIFT_SOURCES)

lint: ## check the format of the Swift sources
	@swift format lint --strict --parallel --recursive $(SWIFT_SOURCES)

install: build ## install ddn into PREFIX (default: /usr/local), with manual pages and completions
	@scripts/install "$(PREFIX)" $(SWIFT_BUILD)

uninstall: ## remove what `make install` with this PREFIX has installed
	@scripts/install --remove "$(PREFIX)"

bundle: setup ## make .build/bundle: ddn, golden tests and benchmark for a machine without Swift
	@scripts/bundle

release: setup ## make .build/release-archive/ddn-*.tar.xz: ddn for a bare Debian 12 or Ubuntu 24.04
	@scripts/release

env: setup ## print the line that makes plain swift commands use this clone's libCTorch
	@echo 'export PKG_CONFIG_PATH=$(CURDIR)/.build/ctorch/lib/pkgconfig'

clean: ## remove build products; downloads stay in the cache
	@rm -rf .build

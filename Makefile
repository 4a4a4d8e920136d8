# A thin front over scripts/setup.sh and the CMake presets.

# Like PREFIX of autotools; `make install PREFIX=$HOME/.local` needs no root.
PREFIX ?= /usr/local
# Extra arguments for the configuration, e.g. CMAKE_ARGS=-DCMAKE_COMPILE_WARNING_AS_ERROR=ON
CMAKE_ARGS ?=
# Extra arguments for ctest, e.g. CTEST_ARGS='--tests-regex Wiring'
CTEST_ARGS ?=
# Extra arguments for the benchmark, e.g. BENCH_ARGS='--only W1,W3 --seconds 5'
BENCH_ARGS ?=

CONFIGURE = mkdir -p build && { cmake --preset release $(CMAKE_ARGS) >build/configure.log 2>&1 \
  || { cat build/configure.log; exit 1; }; }

.DEFAULT_GOAL := help
.PHONY: help setup build test coverage valgrind check-frameworks bench quickstart docs snippets wheel install format clean

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-18s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup:  ## install what the build needs: Debian packages (or list them), and .venv for Python
	@scripts/setup.sh build python
	@scripts/setup-python.sh

build: setup  ## build the release preset
	@$(CONFIGURE)
	@cmake --build --preset release

test: build  ## build, and run all tests
	@scripts/setup.sh test
	@ctest --preset release --parallel $$(nproc) $(CTEST_ARGS)

coverage:  ## build with counters, run all tests, list the lines that no test reached
	@scripts/setup.sh build coverage
	@cmake --preset coverage $(CMAKE_ARGS) >/dev/null && cmake --build --preset coverage
	@find build/coverage -name '*.gcda' -delete
	@ctest --preset coverage --parallel $$(nproc) $(CTEST_ARGS) >build/coverage/tests.log \
	  || tail -20 build/coverage/tests.log
	@# Threads count without locks: a counter of a branch may end below 0, which gcovr takes for an error.
	@gcovr --root . --filter src/ --filter include/ --object-directory build/coverage \
	  --gcov-ignore-parse-errors --exclude-unreachable-branches --csv build/coverage/files.csv \
	  --html-details build/coverage/index.html --json build/coverage/lines.json
	@tests/coverage_by_module.py build/coverage/lines.json

valgrind: setup  ## run the tests of the kernels under memcheck
	@scripts/setup.sh valgrind
	@$(CONFIGURE)
	@cmake --build --preset release --target lmrnn_program test_unit test_properties
	@tests/robustness/valgrind.sh

check-frameworks: setup  ## test with recent PyTorch and JAX, pinned (a large download, once)
	@$(CONFIGURE)
	@cmake --build --preset release --target lmrnn_program lmrnn_python bench_driver
	@scripts/check-frameworks.sh build/release

bench: setup  ## compare speed with PyTorch, JAX, NeuroGym (a large download, once)
	@$(CONFIGURE)
	@cmake --build --preset release --target bench_driver lmrnn_python
	@bench/setup
	@build/bench-venv/bin/python bench/compare.py --json build/bench/results.json $(BENCH_ARGS)

# Without the tests and benchmarks, more than a quarter of a first build.
quickstart: setup  ## train a network on Mod-Cog in a few minutes, and write its report
	@$(CONFIGURE)
	@cmake --build --preset release --target lmrnn_program lmrnn_python
	@scripts/quickstart.sh

docs: setup  ## build the documentation, build/site/index.html, which needs no network
	@scripts/setup.sh docs
	@$(CONFIGURE)
	@cmake --build --preset release --target lmrnn_program lmrnn_python
	@scripts/build-docs.sh

snippets: docs  ## run every block of code of README and docs from the rendered pages
	@.venv/bin/python scripts/run-snippets.py

wheel: setup  ## build a Python wheel that needs no compiler, and the source distribution
	@scripts/build-wheel.sh build/wheels portable

install: build  ## install program, library and headers under PREFIX
	@cmake --install build/release --prefix $(PREFIX)

format:  ## format the C++ sources
	@scripts/setup.sh check
	@git ls-files '*.cpp' '*.hpp' | xargs clang-format -i

clean:  ## remove build/ and .venv; keep runs/
	@rm -rf build .venv

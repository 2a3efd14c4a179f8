# Everything is built in .venv from requirements.lock; see `make help`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# DVC runs its stages with `python`, which must be the one of .venv.
export PATH := $(CURDIR)/$(BIN):$(PATH)

.DEFAULT_GOAL := help
.PHONY: help setup git_repository dvc_locks repro recognizer detector test test-all check docs docs-serve wheel lock clean

help:  ## list these targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## */\t/' | expand -t 12

setup: $(READY)  ## create .venv with the locked dependencies and the package

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "lpr needs Python 3.11 or later; name one with: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || \
	  { echo "this Python has no venv module; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $@

# An unpacked ZIP is none, and DVC's own message does not say what to do.
git_repository:
	@git rev-parse --git-dir >/dev/null 2>&1 || \
	  { echo "DVC needs a Git repository, and $(CURDIR) is none: type 'git init' there, then again: make $(MAKECMDGOALS)" >&2; exit 1; }

# DVC, killed while it writes one of these files, leaves it empty or cut off, and then refuses to run.
dvc_locks: $(READY)
	@test -s .dvc/tmp/rwlock || rm -f .dvc/tmp/rwlock
	@if $(BIN)/dvc stage list $(LOCK:.lock=.yaml) 2>&1 >/dev/null | grep -q "$(LOCK)"; then \
	  git checkout --quiet -- $(LOCK) 2>/dev/null || rm $(LOCK); \
	  echo "$(LOCK) was cut off, as DVC was killed while it wrote it; it is as committed again, and DVC's cache has what was made since"; \
	fi

repro: LOCK = dvc.lock
repro: git_repository dvc_locks $(READY)  ## run all stages that are due (dvc repro); the report is reports/index.html
	@$(BIN)/dvc repro
	@echo "report: $(CURDIR)/reports/index.html"

recognizer: LOCK = recognizer/dvc.lock
recognizer: git_repository dvc_locks $(READY)  ## train the recognizer on synthetic plates (dvc repro recognizer/dvc.yaml); two hours
	@$(BIN)/dvc repro recognizer/dvc.yaml

detector: $(READY)  ## train the detector that ships, of the sets in DATA=FOLDER: experiments/open_pasted/models/detector.int8.onnx
	@test -d "$(DATA)" || { echo "name the folder of the sets that conf/data/open.yaml lists: make detector DATA=FOLDER" >&2; exit 1; }
	$(BIN)/lpr experiment experiment=open data=open data.root=$(abspath $(DATA)) hydra.run.dir=experiments/open
	$(BIN)/lpr experiment experiment=open_pasted data=open data.root=$(abspath $(DATA)) hydra.run.dir=experiments/open_pasted
	cd experiments/open_pasted && lpr export --int8

test: $(READY)  ## run the tests, but for the slow ones
	@$(BIN)/python -m pytest

test-all: $(READY)  ## run all tests
	@$(BIN)/python -m pytest -m 'slow or not slow'

check: $(READY)  ## check style (ruff), types (mypy) and imports between rooms (import-linter)
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports

docs: $(READY)  ## build the documentation site into site/
	@$(BIN)/mkdocs build --strict --quiet
	@echo "documentation: $(CURDIR)/site/index.html"

docs-serve: $(READY)  ## show the documentation site while it is edited
	@$(BIN)/mkdocs serve

wheel: $(READY)  ## build the wheel into dist/
	@rm -rf build  # of an earlier wheel, with files that may be gone
	@$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-build-isolation --no-deps --wheel-dir dist .

lock:  ## resolve the dependencies of pyproject.toml anew into requirements.lock
	@$(PYTHON) -m venv $(VENV)-lock && $(VENV)-lock/bin/python -m pip install --quiet uv
	@$(VENV)-lock/bin/uv pip compile pyproject.toml --universal --python-version 3.11 \
	  --extra experiments --extra cpu --extra serve --extra s3 --extra gs --extra ray --extra fonts --extra dev --extra docs \
	  --generate-hashes --no-header --quiet --upgrade --output-file requirements.lock
	@rm -rf $(VENV)-lock

clean:  ## remove .venv, the site, the wheel and the caches of the tools
	@rm -rf $(VENV) $(VENV)-lock site build dist .pytest_cache .mypy_cache .ruff_cache

# All commands for this checkout, for people and for CI. They need python3 (3.11 or later) and make.
# A command installs its packages first if its stamp in .venv is older than pyproject.toml.

PYTHON ?= python3
DATA ?= ../shared/data
ARGS ?=

# The build hook would compile the kernels in an environment of its own; here the one at hand has all that it takes.
INSTALL = HATCH_BUILD_NO_HOOKS=true .venv/bin/python -m pip install -qq --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help demo kernels test format lint types docs check quality speed clean

help: ## Print this list
	@echo "make ..."
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-9s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: .venv/.installed kernels ## Cluster the duplicates in a small invented newsroom
	@echo "Clusters of duplicates in examples/newsroom.jsonl:" >&2
	@.venv/bin/dedup cluster examples/newsroom.jsonl --format table

kernels: .venv/.installed
	@.venv/bin/python -m dedup.precompile

test: .venv/.dev .venv/.programs kernels ## Run the tests; some of them: make test ARGS="-k laws"
	@.venv/bin/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder $(ARGS)

format: .venv/.dev ## Format the code, and apply safe fixes
	@.venv/bin/ruff format
	@.venv/bin/ruff check --fix

lint: .venv/.dev ## Check format and style
	@.venv/bin/ruff format --check
	@.venv/bin/ruff check

types: .venv/.dev ## Check the types
	@.venv/bin/mypy

docs: .venv/.docs ## Write the references, and build the site into site/ (open site/index.html)
	@.venv/bin/python -m tools.reference
	@.venv/bin/python -m tools.navigation
	@.venv/bin/zensical build --strict --clean --config-file .zensical.toml
	@.venv/bin/python -m tools.llms

# Kernels are compiled on one core: the other lints meanwhile.
check: .venv/.dev ## Run all checks of CI: lint, types, test, docs
	@$(MAKE) --no-print-directory --jobs 2 lint types kernels
	@$(MAKE) --no-print-directory test docs

quality: .venv/.bench $(if $(findstring --peers,$(ARGS)),.venv/.peers) ## Score against the labelled articles in DATA (default: ../shared/data)
	@.venv/bin/python -m benchmarks.quality --data $(DATA) $(ARGS)

speed: .venv/.bench $(if $(findstring --peers,$(ARGS)),.venv/.peers) ## Measure speed and peak memory, beside other tools
	@.venv/bin/python -m benchmarks.speed --data $(DATA) $(ARGS)

clean: ## Remove all files that these commands created, including .venv
	@rm -rf .venv dedup/kernels .hypothesis .mypy_cache .pytest_cache .ruff_cache build dist site
	@find dedup tests tools benchmarks -name __pycache__ -prune -exec rm -rf {} +

.venv/.installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo 'dedup needs Python 3.11 or later. If it has another name here: make PYTHON=python3.12 ...' >&2; exit 1; }
	@echo "Installing dedup into .venv: about a minute, only once." >&2
	@$(PYTHON) -m venv .venv || { echo 'Python could not create .venv. On Debian and Ubuntu: apt install python3-venv' >&2; exit 1; }
	@$(INSTALL) -e .
	@.venv/bin/python -m compileall -q dedup
	@touch $@

.venv/.dev: .venv/.installed
	@echo "Installing the tools for the checks, only once." >&2
	@$(INSTALL) -e '.[dev]'
	@touch $@

# A browser, Java, nginx and a Redis server: root on Debian gets them. Elsewhere the tests that need them are skipped, with their names.
.venv/.programs: .venv/.dev
	@missing=""; \
	command -v chromium > /dev/null || missing="$$missing chromium"; \
	command -v java > /dev/null || missing="$$missing openjdk-17-jre-headless"; \
	command -v nginx > /dev/null || missing="$$missing nginx-light"; \
	command -v redis-server > /dev/null || missing="$$missing redis-server"; \
	if [ -n "$$missing" ] && command -v apt-get > /dev/null && [ "$$(id -u)" = 0 ]; then \
		echo "Installing programs for the tests with apt-get, only once:$$missing" >&2; \
		{ apt-get update -qq && apt-get install -qq --no-install-recommends $$missing; } > .venv/programs.log 2>&1 \
			|| { tail -3 .venv/programs.log >&2; echo "apt-get could not install$$missing: their tests are skipped" >&2; }; \
	elif [ -n "$$missing" ]; then \
		echo "Missing:$$missing. The tests that need them are skipped, and listed at the end." >&2; \
	fi
	@touch $@

.venv/.docs: .venv/.installed
	@echo "Installing the tools for the site, only once." >&2
	@$(INSTALL) -e '.[docs]'
	@touch $@

.venv/.bench: .venv/.installed
	@echo "Installing the packages for the benchmarks, only once." >&2
	@$(INSTALL) -e '.[bench]'
	@touch $@

.venv/.peers: .venv/.installed
	@echo "Installing the tools and the model of --peers, and torch, only once. To keep torch small, install a build without CUDA into .venv first." >&2
	@$(INSTALL) -e '.[peers]'
	@touch $@

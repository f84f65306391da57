# The commands of the course. `make run` and `make test` need Python 3.11 and make, nothing else.

# uv does not compile what it installs: the first import does, once, and must be able to keep it.
unexport PYTHONDONTWRITEBYTECODE
# Two processes run side by side, of one thread each: more would wait for each other.
ONE_THREAD := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1

PYTHON ?= $(shell for p in python3.11 python3 python; do command -v $$p && break; done)
BIN := .venv/bin
STAMP := .venv/.installed
EXTRAS := lab,test

.DEFAULT_GOAL := help
.PHONY: help run test lab notebooks site slides claims address data bench benchmark-table lock replica \
	pythons clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(STAMP): pyproject.toml constraints/lock.txt
	@test -n "$(PYTHON)" || { echo "No Python found: install Python 3.11, or pass PYTHON=..."; exit 1; }
	@echo "Installing into .venv: this takes a minute or two the first time."
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python constraints/install.py $(EXTRAS)
	@touch $@

run: $(STAMP) ## Install, run the notebooks from the top, write them and HTML pages to build/
	@$(MAKE) --no-print-directory --jobs 2 $(wildcard notebooks/day*.ipynb)

notebooks/day%.ipynb: FORCE
	@$(ONE_THREAD) $(BIN)/workshop run $@

FORCE:

# File by file, so that what a file's tests share is made once; three processes, since some wait for
# a browser or a time limit. Of the notebooks the solved ones: `make run` runs the students'.
test: $(STAMP) ## Install, run all tests: library, doctests, solved notebooks, lint
	$(ONE_THREAD) $(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder \
	notebooks/solutions workshop tests

lab: $(STAMP) ## Install, open JupyterLab on the notebooks
	$(BIN)/jupyter lab notebooks

notebooks: $(STAMP) ## Write the notebooks again from notebooks/src, run and clean them
	$(BIN)/python notebooks/build.py

site: $(STAMP) ## Write the course's site to build/site (SOLUTIONS=1: with the solved notebooks)
	@$(BIN)/python -W ignore -m docs.site $(if $(SOLUTIONS),--solutions)

slides: $(STAMP) ## Write a deck of slides a day to build/slides, and print it where Chromium is
	@$(BIN)/python -m docs.slides

claims: $(STAMP) ## Measure again, over five seeds, what the lessons say in numbers
	$(ONE_THREAD) $(BIN)/python -m notebooks.claims

address: $(STAMP) ## Change the address: REPOSITORY=https://github.com/OWNER/NAME REF=tag
	$(BIN)/python notebooks/address.py '$(REPOSITORY)' '$(REF)'
	@touch $(STAMP) # pyproject.toml is newer now, and what is installed stays as it is

data: $(STAMP) ## Simulate the shipped data set again and compare it with its SHA-256
	$(BIN)/workshop data simulate
	$(BIN)/workshop data check

bench: $(STAMP) ## Measure everything side by side: one table of ratios, in half an hour
	$(BIN)/python constraints/install.py $(EXTRAS),bench
	$(BIN)/python -m benchmarks.suite $(if $(ONLY),--only $(ONLY))

benchmark-table: $(STAMP) ## Train all 378 networks of the space again, for hours; it can be stopped
	$(BIN)/python constraints/install.py $(EXTRAS),bench
	$(BIN)/python -m benchmarks.nas_table $(if $(FROM),--from $(FROM))

lock: $(STAMP) ## Write constraints/lock.txt from what .venv holds (upgrade there first)
	@{ echo "# The exact versions that the course was tested with, on Python $$($(BIN)/python -c \
	'import platform; print(platform.python_version())')."; \
	echo "# Written by \`make lock\` from .venv; do not edit."; \
	$(BIN)/python -m pip freeze --exclude-editable --exclude ucla-automl-workshop \
	| sed -n 's/^\([A-Za-z0-9._-]*==[^+ ]*\).*/\1/p'; } > constraints/lock.txt.part
	@mv constraints/lock.txt.part constraints/lock.txt
	@touch $(STAMP)

replica: $(STAMP) ## Run the notebooks in a replica of Colab's runtime (Python 3.13; gigabytes)
	$(BIN)/python tests/colab_replica.py

pythons: $(STAMP) ## Test what needs no framework on Python 3.10 to 3.13
	$(BIN)/python tests/pythons.py

clean: ## Remove what running and testing left (not .venv)
	rm -rf build dist .pytest_cache .ruff_cache .hypothesis
	find . -path ./.venv -prune -o -name __pycache__ -type d -exec rm -rf {} +

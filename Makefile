# Everything here makes its own environment: a Python 3.11 or newer is enough.
PYTHON ?= python3
TOX = .venv/bin/tox

# Seconds for each of the targets that are fuzzed.
FUZZ_SECONDS ?= 300

.PHONY: help develop test demo demo-web bench docs fuzz matrix clean python environment

help:
	@echo "make develop set up what one test needs, in build/develop"
	@echo "make test    the whole tox matrix, as CI runs it"
	@echo "make demo    see what a proxy does to an application, and the cure"
	@echo "make demo-web  see the page in a browser, behind a real nginx"
	@echo "make bench   what it costs, beside other middlewares"
	@echo "make fuzz    fuzz for an hour, or FUZZ_SECONDS for each target"
	@echo "make docs    build the documentation into build/site"
	@echo "make matrix  write the documentation's matrix of proxies and servers anew"

develop: environment
	@$(TOX) -q devenv -e develop build/develop

test: python
	$(PYTHON) tools/run_tests.py

demo bench docs: environment
	@$(TOX) -q run -e $@

demo-web: environment
	@$(TOX) -q run -e $@

fuzz: environment
	@FUZZ_SECONDS=$(FUZZ_SECONDS) $(TOX) -q run -e fuzz-long

matrix: python
	@$(PYTHON) tools/write_matrix.py

environment: python
	@$(PYTHON) tools/environment.py

python:
	@$(PYTHON) -c 'import sys; sys.exit("Needed: make PYTHON=python3.11, or newer" \
		if sys.version_info < (3, 11) else 0)'

clean:
	rm -rf .venv .tox build dist

# make demo: all that is needed is installed, then the story is told on a site of its own.
# make test: the same for the whole test suite. Both need Debian or Ubuntu with Python 3.11 or newer.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
# Tests wait for servers more than they compute.
JOBS   ?= 4
SECONDS ?= 60
# What benchmarks/ldif.py measures beside: its wheel would need OpenLDAP's headers, its source does not.
PYTHON_LDAP ?= python-ldap==3.4.8
export PYTHON_LDAP_SOURCE ?= $(VENV)/python-ldap

.PHONY: demo test test-fast test-long lint docs site picture bench fuzz dist bundle clean help packages-demo packages-test
.DELETE_ON_ERROR:

help:
	@echo 'make demo       install what is needed, then: dcmcfg lab demo'
	@echo 'make test       install what is needed, then all tests'
	@echo 'make test-fast  the tests that start no server'
	@echo 'make test-long  all tests, with every kill, replay and example instead of a sample'
	@echo 'make lint       ruff and mypy'
	@echo 'make docs       write the pages that are made from the code'
	@echo 'make site       build the documentation site in build/site, and check its links'
	@echo 'make picture    draw docs/picture.svg from a run on a lab'
	@echo 'make bench      how long things take'
	@echo 'make fuzz       readers on broken input; SECONDS=600 is for how long'
	@echo 'make dist       the wheel and the source distribution, in dist/'
	@echo 'make bundle     these, and two bundles that install without a network'
	@echo 'make clean      remove what these made'
	@echo 'PYTHON=$(PYTHON) is the interpreter to use.'

demo: packages-demo $(VENV)/stamp-demo
	$(BIN)/dcmcfg lab demo
	@echo 'dcmcfg is $(BIN)/dcmcfg'

test: packages-test $(VENV)/stamp-dev
	$(BIN)/pytest -n $(JOBS) $(PYTEST)

test-fast: $(VENV)/stamp-dev
	$(BIN)/pytest -m 'not real' $(PYTEST)

# An hour and more: what make test samples is looked at whole.
test-long: packages-test $(VENV)/stamp-dev
	DCMCFG_LONG=1 $(BIN)/pytest -n $(JOBS) --timeout 1800 $(PYTEST)

lint: $(VENV)/stamp-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

docs: $(VENV)/stamp-dev
	$(BIN)/python docs/generate.py

# A page that was removed leaves no copy, and each warning is an error.
site: $(VENV)/stamp-docs
	rm -rf build/site build/site-cache
	$(BIN)/python -m sphinx -b html -W -n --keep-going -q -d build/site-cache docs build/site
	$(BIN)/python docs/check_site.py build/site

picture: packages-demo $(VENV)/stamp-dev
	$(BIN)/python docs/picture.py

# What is measured is compiled, as pip leaves what it installs.
bench: packages-test $(VENV)/stamp-dev $(PYTHON_LDAP_SOURCE)
	@unset PYTHONDONTWRITEBYTECODE; set -e; $(BIN)/python -m compileall -q dcmcfg; for each in benchmarks/*.py; do echo "$$each"; $(BIN)/python "$$each"; done

fuzz: $(VENV)/stamp-dev
	nice $(BIN)/python -m fuzz --seconds $(SECONDS)

# What is published: a wheel and a source distribution, checked as a package index would.
dist: $(VENV)/stamp-dev
	rm -rf dist
	$(BIN)/python -m build
	$(BIN)/twine check --strict dist/*
	$(BIN)/check-wheel-contents dist

bundle: dist
	$(BIN)/python -m release.bundle dist

clean:
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

packages-demo packages-test: packages-%:
	@PYTHON='$(PYTHON)' bash .ci/install-packages $*

# Without it that benchmark says what it leaves out, and the others run all the same.
$(VENV)/python-ldap: | $(BIN)/pip
	@rm -rf $@.new && mkdir $@.new
	@if $(BIN)/pip download --quiet --disable-pip-version-check --no-deps --no-binary :all: --dest $@.new '$(PYTHON_LDAP)'; then \
	  tar -xzf $@.new/*.tar.gz -C $@.new --strip-components=1 && mv $@.new $@; \
	else echo '$(PYTHON_LDAP) cannot be had'; rm -rf $@.new; fi

# A stamp is younger than pyproject.toml only when the installation it stands for was completed.
$(VENV)/stamp-demo: pyproject.toml | $(BIN)/pip
	$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/stamp-dev: pyproject.toml | $(BIN)/pip
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@ $(VENV)/stamp-demo

$(VENV)/stamp-docs: pyproject.toml | $(BIN)/pip
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[docs]'
	@touch $@ $(VENV)/stamp-demo

$(BIN)/pip:
	@PYTHON='$(PYTHON)' bash .ci/install-packages venv
	$(PYTHON) -m venv $(VENV)

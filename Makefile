# Everything that a person or CI runs. `make check` and `make test` set up what they need.
PYTHON ?= python3
BIN := .venv/bin
SETUP := .venv/.installed

.DEFAULT_GOAL := help
.PHONY: help setup check test test-fast test-engine test-open-webui test-database packets lint format local twin mutation shapes docs benchmark-proxy lock clean

help: ## What can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

setup: $(SETUP) ## The virtual environment, from the hash-pinned lock

$(SETUP): requirements.lock
	@echo "setting up .venv (first run, or requirements.lock changed)"
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed: this is " + sys.version.split()[0] + "; name another with make PYTHON=python3.12")'
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	@touch $@

check: $(SETUP) ## Both environments offline: graphs, policies, parity, and what AWS publishes that it accepts
	@$(BIN)/python -m preflight check; checked=$$?; $(BIN)/python -m preflight conform || exit $$?; exit $$checked

test: $(SETUP) ## The tests, on every processor
	@$(BIN)/python -m pytest -n auto --dist loadfile

test-fast: $(SETUP) ## The inner loop: everything that is not marked slow
	@$(BIN)/python -m pytest -n auto --dist loadfile -m "not slow"

test-engine: $(SETUP) ## The tests on the real engine; needs the pulumi CLI on PATH
	@$(BIN)/python -m pytest tests/engine -m engine -n auto --dist worksteal

# One environment a version, about 8 GB each; packages of both come from pip's cache the second time.
OPEN_WEBUI := build/open-webui
$(OPEN_WEBUI)-%/.installed: | $(SETUP)
	@echo "installing Open WebUI $* into $(OPEN_WEBUI)-$* (about 8 GB, once)"
	@$(PYTHON) -m venv $(OPEN_WEBUI)-$*
	@$(OPEN_WEBUI)-$*/bin/python -m pip install --quiet --disable-pip-version-check "open-webui[postgres]==$*"
	@touch $@

test-open-webui: $(SETUP) ## The preset with the real Open WebUI of staging's release; installs about 8 GB
	@version=$$($(BIN)/python -m releases.interface_versions staging) && \
	$(MAKE) --no-print-directory $(OPEN_WEBUI)-$$version/.installed && \
	OPEN_WEBUI_PYTHON=$(CURDIR)/$(OPEN_WEBUI)-$$version/bin/python \
	$(BIN)/python -m pytest tests/components/applications/test_open_webui.py tests/open_webui

test-database: $(SETUP) ## Prepare with the real Open WebUI of every release; installs about 8 GB each, needs redis-server
	@versions=$$($(BIN)/python -m releases.interface_versions) && pythons= && \
	for version in $$versions; do \
		$(MAKE) --no-print-directory $(OPEN_WEBUI)-$$version/.installed || exit; \
		pythons="$$pythons,$$version=$(CURDIR)/$(OPEN_WEBUI)-$$version/bin/python"; \
	done && \
	OPEN_WEBUI_PYTHONS=$$pythons $(BIN)/python -m pytest tests/database

N ?= 1000
packets: $(SETUP) ## Topology against the kernel on N random networks (SEED= to repeat); Linux, root, nftables, iproute2
	@$(BIN)/python -m tests.topology.packets $(N) $(if $(SEED),--seed $(SEED))

APP ?= stand-in
local: $(SETUP) ## The path of a request on this machine (APP=open-webui: the real application, about 8 GB once)
ifeq ($(APP),open-webui)
	@version=$$($(BIN)/python -m releases.interface_versions staging) && \
	$(MAKE) --no-print-directory $(OPEN_WEBUI)-$$version/.installed && \
	OPEN_WEBUI_PYTHON=$(CURDIR)/$(OPEN_WEBUI)-$$version/bin/python exec $(BIN)/python -m local --app $(APP)
else
	@$(BIN)/python -m local --app $(APP)
endif

STACK ?= prod
twin: $(SETUP) ## The environment of a stack on this machine, from its graph (STACK=staging, APP=open-webui); Linux, as root
ifeq ($(APP),open-webui)
	@version=$$($(BIN)/python -m releases.interface_versions $(STACK)) && \
	$(MAKE) --no-print-directory $(OPEN_WEBUI)-$$version/.installed && \
	OPEN_WEBUI_PYTHON=$(CURDIR)/$(OPEN_WEBUI)-$$version/bin/python exec $(BIN)/python -m local twin --stack $(STACK) --app $(APP)
else
	@$(BIN)/python -m local twin --stack $(STACK) --app $(APP)
endif

mutation: $(SETUP) ## Break both environments in every fixed way and print how much the policies report
	@$(BIN)/python -m tests.mutation

shapes: $(SETUP) ## Write the committed shape of every environment anew, for review
	@$(BIN)/python -m preflight shapes --write

docs: $(SETUP) ## Write every document that is generated from the code
	@$(BIN)/python -m preflight docs --write

lint: $(SETUP) ## ruff and the strict type checker
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/basedpyright

format: $(SETUP) ## Rewrite files in the project's format
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

benchmark-proxy: $(SETUP) ## The proxy's configuration against a bare pass-through
	@$(BIN)/python -m benchmarks.proxy

lock: $(SETUP) ## Renew requirements.lock from pyproject.toml
	@$(BIN)/uv pip compile --quiet pyproject.toml --group dev --universal --generate-hashes --no-emit-index-url --no-header --output-file requirements.lock

clean: ## Remove what was set up and built
	@rm -rf .venv build .pytest_cache .ruff_cache .hypothesis

# All commands for developers and CI. Each target sets up the virtual environment if needed.
PYTHON ?= python3
BIN := .venv/bin
# The slow tests wait for other programs most of the time, so a small machine runs more of them than it has processors.
# A worker takes up to 3 GB.
WORKERS ?= $(shell $(PYTHON) -c 'import os; n = os.cpu_count() or 1; print(max(n, min(2 * n, 4)))')
SETUP := .venv/.installed
# uv does not compile what it installs. With this variable set, every process that the tests start would compile what it imports.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup init check test test-fast test-engine test-open-webui test-database test-canary test-gateway test-browser packets lint format local twin bootstrap-plan report mutation shapes docs benchmark-proxy lock clean

help: ## List all targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

# uv installs the lock in a third of pip's time, and compiles nothing that is not imported. It does not read pip's settings, so
# pip installs everything where those name an index of your own, and where uv cannot reach the public one.
define install-lock
sed -n '/^uv==/,/^ *# via/p' requirements.lock >.venv/uv.lock && \
$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement .venv/uv.lock && \
{ { ! $(BIN)/python -m pip config list | grep -q index-url && \
    $(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --requirement requirements.lock; } || \
  $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock; }
endef

setup: $(SETUP) ## Set up the virtual environment from the hash-pinned lock

$(SETUP): requirements.lock
	@echo "setting up .venv (first run, or requirements.lock changed)"
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed: this is " + sys.version.split()[0] + "; name another with make PYTHON=python3.12")'
	@$(PYTHON) -m venv .venv
	@$(install-lock)
	@$(BIN)/python -m preflight.pulumi.program
	@touch $@

check: $(SETUP) ## Check every environment offline: policies, parity, and AWS's published constraints
	@$(BIN)/python -m preflight check; checked=$$?; $(BIN)/python -m preflight conform; conforming=$$?; \
	  if [ $$checked != 0 ]; then echo "not clean: the findings of the first part are above" >&2; exit $$checked; fi; exit $$conforming

init: $(SETUP) ## Ask for your own values and write the stack files
	@$(BIN)/python -m preflight init

test: $(SETUP) ## Run the tests on every processor (WORKERS=1: in one process)
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

test-fast: $(SETUP) ## Run the tests that are not marked slow
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder -m "not slow"

test-engine: $(SETUP) ## Run the tests on the real engine; needs the Pulumi CLI on PATH
	@$(BIN)/python -m pytest tests/engine -m engine -n auto --dist worksteal

# One virtual environment for each version, about 8 GB each. pip tries hundreds of versions of its dependencies for many
# minutes; uv takes seconds to choose them. The image has the packages of both extras.
OPEN_WEBUI := build/open-webui
$(OPEN_WEBUI)-%/.installed: local/interface/image.lock | $(SETUP)
	@echo "installing Open WebUI $* into $(OPEN_WEBUI)-$* (about 8 GB, once)"
	@$(PYTHON) -m venv $(OPEN_WEBUI)-$*
	@$(BIN)/uv pip install --quiet --python $(OPEN_WEBUI)-$*/bin/python "open-webui[postgres,unstructured]==$*"
	@$(BIN)/uv pip install --quiet --python $(OPEN_WEBUI)-$*/bin/python --no-deps --require-hashes --requirement $<
	@touch $@

test-open-webui: $(SETUP) ## Test the preset and the models with the real Open WebUI of staging's release; installs about 8 GB
	@version=$$($(BIN)/python -m releases.interface_versions staging) && \
	$(MAKE) --no-print-directory $(OPEN_WEBUI)-$$version/.installed && \
	OPEN_WEBUI_PYTHON=$(CURDIR)/$(OPEN_WEBUI)-$$version/bin/python \
	$(BIN)/python -m pytest tests/components/applications/test_open_webui.py tests/open_webui \
		tests/local/twin/test_gateway.py::test_an_answer_streams_from_each_group \
		tests/local/twin/test_gateway.py::test_a_document_is_embedded_by_the_gateway_and_found_again

test-database: $(SETUP) ## Test an update and its rollback with the real Open WebUI; installs 2 versions, 8 GB each; needs redis-server
	@versions=$$($(BIN)/python -m tests.database.upcoming) && pythons= && \
	for version in $$versions; do \
		$(MAKE) --no-print-directory $(OPEN_WEBUI)-$$version/.installed || exit; \
		pythons="$$pythons,$$version=$(CURDIR)/$(OPEN_WEBUI)-$$version/bin/python"; \
	done && \
	OPEN_WEBUI_PYTHONS=$$pythons $(BIN)/python -m pytest tests/database --ignore tests/database/test_canary.py

# Each version that a manifest in releases/ names, and the next one. First on the application's own SQLite, then on PostgreSQL.
test-canary: $(SETUP) ## Test that no log of any release's real Open WebUI has what a person wrote; 8 GB a version; needs redis-server
	@versions=$$({ $(BIN)/python -m releases.interface_versions && $(BIN)/python -m tests.database.upcoming; } | sort -u) && pythons= && \
	for version in $$versions; do \
		$(MAKE) --no-print-directory $(OPEN_WEBUI)-$$version/.installed || exit; \
		python=$(CURDIR)/$(OPEN_WEBUI)-$$version/bin/python; \
		pythons="$$pythons,$$version=$$python"; \
		OPEN_WEBUI_PYTHON=$$python $(BIN)/python -m pytest tests/open_webui/test_canary.py || exit; \
	done && \
	OPEN_WEBUI_PYTHONS=$$pythons $(BIN)/python -m pytest tests/database/test_canary.py

LITELLM := build/litellm
$(LITELLM)/.installed: tests/gateway/requirements.lock | $(SETUP)
	@echo "installing LiteLLM into $(LITELLM) (about 1 GB, once)"
	@$(PYTHON) -m venv $(LITELLM)
	@$(LITELLM)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement tests/gateway/requirements.lock
	@touch $@

test-gateway: $(LITELLM)/.installed ## Test the gateway's task with the real LiteLLM; installs about 1 GB; Linux, as root, iproute2
	@LITELLM_PYTHON=$(CURDIR)/$(LITELLM)/bin/python $(BIN)/python -m pytest tests/gateway

BROWSER := build/browser
$(BROWSER)/.installed: tests/browser/requirements.lock | $(SETUP)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --upgrade --target $(BROWSER) --requirement $<
	@touch $@

test-browser: $(SETUP) $(BROWSER)/.installed ## Test the real Open WebUI on prod's twin with Chromium (Debian's chromium and libnss3-tools)
	@version=$$($(BIN)/python -m releases.interface_versions prod) && \
	$(MAKE) --no-print-directory $(OPEN_WEBUI)-$$version/.installed && \
	BROWSER_PACKAGES=$(CURDIR)/$(BROWSER) OPEN_WEBUI_PYTHON=$(CURDIR)/$(OPEN_WEBUI)-$$version/bin/python \
	$(BIN)/python -m pytest tests/browser

N ?= 1000
packets: $(SETUP) ## Topology against the kernel on N random networks (SEED= to repeat); Linux, root, nftables, iproute2
	@$(BIN)/python -m tests.topology.packets $(N) $(if $(SEED),--seed $(SEED))

APP ?= stand-in
local: STACK ?= staging
local: $(SETUP) ## Run one task of a stack on loopback, from its graph (STACK=prod, APP=open-webui: the real one, 8 GB)
	@$(call on-this-machine)

twin: STACK ?= prod
twin: $(SETUP) ## Run a stack on this machine, from its graph (STACK=staging, APP=open-webui); Linux, as root
	@$(call on-this-machine,twin)

ifeq ($(APP),open-webui)
on-this-machine = version=$$($(BIN)/python -m releases.interface_versions $(STACK)) && \
	$(MAKE) --no-print-directory $(OPEN_WEBUI)-$$version/.installed && \
	OPEN_WEBUI_PYTHON=$(CURDIR)/$(OPEN_WEBUI)-$$version/bin/python exec $(BIN)/python -m local $(1) --stack $(STACK) --app $(APP)
else
on-this-machine = exec $(BIN)/python -m local $(1) --stack $(STACK) --app $(APP)
endif

report: $(SETUP) ## Write report.html: what the environments expose, allow, keep and cost, on one page
	@$(BIN)/python -m preflight report --output report.html && echo "wrote report.html"

bootstrap-plan: $(SETUP) ## List the steps to running environments, each with its command and state (STACK=staging)
	@$(BIN)/python -m preflight plan $(STACK)

mutation: $(SETUP) ## Apply a fixed set of faults to both environments and print how many the policies report
	@$(BIN)/python -m tests.mutation

shapes: $(SETUP) ## Regenerate the committed shape of every environment
	@$(BIN)/python -m preflight shapes --write

docs: $(SETUP) ## Regenerate the controls, the reference, the costs, the package schema and the code owners
	@$(BIN)/python -m preflight docs --write
	@$(BIN)/python -m tests.engine.package_schema
	@$(BIN)/python -m preflight owners --write
	@$(BIN)/python -m preflight cost --write

lint: $(SETUP) ## Run ruff and the strict type checker
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/basedpyright

format: $(SETUP) ## Format the code and fix lint errors
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

benchmark-proxy: $(SETUP) ## Compare the proxy's configuration with a bare pass-through; needs wrk
	@$(BIN)/python -m benchmarks.proxy

lock: $(SETUP) ## Regenerate requirements.lock, and those of the tests with the real LiteLLM and with a browser
	@$(BIN)/uv pip compile --quiet tests/browser/requirements.in --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --output-file tests/browser/requirements.lock
	@$(BIN)/uv pip compile --quiet pyproject.toml --group dev --universal --generate-hashes --no-emit-index-url --no-header --output-file requirements.lock
	@$(BIN)/uv pip compile --quiet tests/gateway/requirements.in --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --output-file tests/gateway/requirements.lock

clean: ## Remove the virtual environment, builds and caches
	@rm -rf .venv build .pytest_cache .ruff_cache .hypothesis

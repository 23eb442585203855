# Everything a person does with a checkout; `make help` lists it. Needs Python 3.11 or newer, Node with npm (for
# `make lint` 20.19 or newer) and, where something is missing and you are root, apt. Everything else goes into .tools/,
# .imagemill/ and the two .venv folders.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules --warn-undefined-variables
# Programs and tests are started many times: an interpreter that may not keep what it compiled takes twice as long to
# start. Some shells and images forbid it.
export PYTHONDONTWRITEBYTECODE :=

PYTHON ?= python3
UV_VERSION := 0.13.8
UV := .tools/venv/bin/uv
SERVICES := services/.venv/bin
OPERATOR := operator/.venv/bin
SERVICES_READY := services/.venv/.ready
OPERATOR_READY := operator/.venv/.ready
E2E_READY := e2e/.venv/.ready
JAVASCRIPT_READY := .tools/javascript/node_modules/.ready
AXE := .tools/axe/node_modules/axe-core/axe.min.js
PEERS_READY := services/bench/peers/.venv/.ready
ARGS ?=
# Most tests wait for servers; four at a time keep two processors busy.
JOBS ?= 4
GSTREAMER := gir1.2-gst-rtsp-server-1.0 python3-gi $(addprefix gstreamer1.0-plugins-,base good ugly bad)

##@ Use

.PHONY: run
run: $(SERVICES_READY) rabbitmq ## Start all of Imagemill on this machine; Ctrl-C stops it
	@exec $(SERVICES)/python -m imagemill.local

##@ Use a cluster

.PHONY: up
up: ## Start all of Imagemill in kind (or the cluster E2E_CONTEXT names) and lead its page to this machine
	@exec ./e2e/up

.PHONY: down
down: ## Remove what `make up` made
	@./e2e/down

.PHONY: images
images: ## Build the images; prints their size and how long their programs take to start
	@./images/build

.PHONY: install-file
install-file: $(E2E_READY) ## Write dist/workerpool-operator.yaml for `kubectl apply` (ARGS="--namespace jobs --broker-secret broker")
	@mkdir -p dist && e2e/.venv/bin/python charts/install.py $(ARGS) >dist/workerpool-operator.yaml
	@echo "kubectl apply --server-side --filename dist/workerpool-operator.yaml"

.PHONY: sbom
sbom: $(UV) ## Write what is in the images to sbom/ (CycloneDX)
	@./scripts/sbom $(UV) $$(awk '$$1 == "appVersion:" { print $$2 }' charts/imagemill/Chart.yaml)

##@ Check

.PHONY: test
test: test-services test-operator test-chart ## Run every test, against a real RabbitMQ and a CouchDB API of their own

.PHONY: test-services
test-services: $(SERVICES_READY) $(AXE) rabbitmq chromium gstreamer ## Run the tests of the services (ARGS="-k name" chooses)
	cd services && .venv/bin/pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder $(ARGS)

.PHONY: faults
faults: $(SERVICES_READY) rabbitmq ## Everything that can go wrong once, at every step of a picture's way (a quarter of an hour)
	cd services && IMAGEMILL_FAULTS=all .venv/bin/pytest tests/faults $(ARGS)

.PHONY: simulate
simulate: $(SERVICES_READY) ## The ledger's protocol in simulated time (ARGS="--schedules 100000 --seed 1", --mutations, --story SEED)
	cd services && PYTHONPATH=.:tests:tests/support .venv/bin/python -m simulation $(ARGS)

.PHONY: fuzz
fuzz: $(SERVICES_READY) ## Broken pictures, headers, forms, streams and messages by chance (ARGS="--minutes 10 --seed 1")
	cd services && ulimit -v 8388608 && PYTHONPATH=.:tests:tests/support .venv/bin/python -m fuzz $(ARGS)

.PHONY: chaos
chaos: $(SERVICES_READY) rabbitmq ## Break programs and servers at random while pictures come, then count (ARGS="--minutes 5 --seed 1")
	cd services && PYTHONPATH=.:tests:tests/support:../e2e/src .venv/bin/python -m chaos $(ARGS)

.PHONY: chaos-cluster
chaos-cluster: $(SERVICES_READY) ## The same with the chart in kind, or the cluster E2E_CONTEXT names (ARGS="--minutes 10 --seed 1")
	@./e2e/chaos $(ARGS)

.PHONY: test-operator
test-operator: $(OPERATOR_READY) rabbitmq ## Run the tests of the operator
	cd operator && .venv/bin/pytest -n $(JOBS) --dist loadfile $(ARGS)

.PHONY: test-chart
test-chart: $(E2E_READY) ## Run the tests of the chart, which need no cluster
	cd e2e && .venv/bin/pytest $(ARGS)

.PHONY: e2e
e2e: $(E2E_READY) ## Test the chart in kind (or the cluster E2E_CONTEXT names); E2E_KEEP=1 keeps the cluster
	@$(MAKE) --no-print-directory chromium || echo "Going on without Chromium: the page is not tested."
	@./e2e/run $(ARGS)

.PHONY: lint
lint: $(SERVICES_READY) $(OPERATOR_READY) $(E2E_READY) $(JAVASCRIPT_READY) ## Check style, types, imports, scripts and Dockerfiles
	cd services && .venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/mypy && .venv/bin/lint-imports
	cd operator && .venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/mypy && .venv/bin/lint-imports
	cd e2e && .venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/mypy
	e2e/.venv/bin/ruff check --config e2e/pyproject.toml charts images && e2e/.venv/bin/ruff format --check --config e2e/pyproject.toml charts images
	$(MAKE) --no-print-directory lint-charts
	./scripts/lint-files $(SERVICES) $(dir $(JAVASCRIPT_READY)).bin

.PHONY: lint-charts
lint-charts: $(E2E_READY) ## Check that the charts can be linted and packed, and say the same in all places
	e2e/.venv/bin/python charts/values.py
	e2e/.venv/bin/python charts/lint.py 2>/dev/null

.PHONY: audit
audit: $(SERVICES_READY) ## Ask PyPI's advisories about all versions in the lock files (needs them to be reachable)
	@./scripts/audit $(SERVICES)/pip-audit {services,operator,e2e}/requirements{,-dev}.lock

##@ Measure

.PHONY: bench-pipeline
bench-pipeline: $(SERVICES_READY) rabbitmq ## CPU per picture, accept rate and 2,000 pictures end to end, as ratios
	cd services && PYTHONPATH=.:tests:tests/support .venv/bin/python -m bench.pipeline $(ARGS)

.PHONY: bench-previews
bench-previews: $(SERVICES_READY) ## CPU time and bytes of previews beside the work on the picture
	cd services && PYTHONPATH=.:tests:tests/support .venv/bin/python -m bench.previews

.PHONY: bench-peers
bench-peers: $(SERVICES_READY) $(PEERS_READY) rabbitmq ## Imagemill beside Flask with Celery, Dramatiq, FastStream, taskiq and pika
	cd services && PYTHONPATH=.:tests:tests/support .venv/bin/python -m bench.against_peers $(ARGS)

.PHONY: bench-door
bench-door: $(SERVICES_READY) rabbitmq ## Slow clients, a batch of 20,000, bodies of a gibibyte, 2,000 open pages: what they do to others
	cd services && PYTHONPATH=.:tests:tests/support .venv/bin/python -m bench.door $(ARGS)

.PHONY: bench-pages
bench-pages: $(SERVICES_READY) rabbitmq chromium ## What each page costs and when it is painted, from 1,000 to 100,000 pictures (ARGS="1000 1000000" names others)
	cd services && PYTHONPATH=.:tests:tests/support .venv/bin/python -m bench.pages $(ARGS)

.PHONY: bench-uploads
bench-uploads: $(SERVICES_READY) rabbitmq chromium ## The page with 10,000 files to upload: frames, heap, requests; 2,000 known files
	cd services && PYTHONPATH=.:tests:tests/support .venv/bin/python -m bench.uploads $(ARGS)

.PHONY: bench-cameras
bench-cameras: $(SERVICES_READY) rabbitmq ## CPU and memory of 50 file feeds, and frames missed
	cd services && PYTHONPATH=.:tests:tests/support .venv/bin/python -m bench.cameras $(ARGS)

.PHONY: bench-scaling
bench-scaling: $(OPERATOR_READY) ## Our policy, KEDA and a tuned KEDA on 24 traces, over the least there can be (ARGS="--only steady --plots bench-results")
	cd operator && .venv/bin/python -m bench.scaling $(ARGS)

.PHONY: bench-operator
bench-operator: $(OPERATOR_READY) ## The burst on which KEDA was measured, on the cluster that kubectl names
	cd operator && .venv/bin/python -m bench.burst $(ARGS)

.PHONY: bench-pools
bench-pools: $(OPERATOR_READY) ## One tick's time and the operator's memory with 500 pools
	cd operator && .venv/bin/python -m bench.many_pools $(ARGS)

##@ Keep up

.PHONY: screenshots
screenshots: $(SERVICES_READY) rabbitmq chromium ## Take the pictures of README.md and docs anew (ARGS="pools" names some)
	cd services && PYTHONPATH=.:tests:tests/support .venv/bin/python -m screenshots $(ARGS)

.PHONY: lock
lock: $(UV) ## Write the lock files anew from both pyproject.toml
	cd services && ../scripts/lock ../$(UV) --extra api --extra worker --extra alerter --extra cli --extra s3
	cd operator && ../scripts/lock ../$(UV) --extra cluster
	cd e2e && ../scripts/lock ../$(UV)
	cd services/bench/peers && ../../../scripts/lock ../../../$(UV)

.PHONY: clean
clean: ## Remove all state, tools and environments; refuses while Imagemill runs
	@./scripts/refuse-while-running "$${IMAGEMILL_HOME:-.imagemill}"
	rm -rf .imagemill .tools services/.venv services/bench/peers/.venv operator/.venv e2e/.venv e2e-logs
	find services operator e2e -type d \( -name __pycache__ -o -name '.*_cache' -o -name .hypothesis \) -prune -exec rm -rf {} +

.PHONY: help
help: ## Show this
	@awk 'BEGIN { FS = ":.*## " } \
	  /^##@/ { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# --- what the targets above need -------------------------------------------------------------------

$(UV): Makefile scripts/python-venv
	@./scripts/python-venv $(PYTHON) .tools/venv
	@.tools/venv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@touch $@

$(SERVICES_READY): $(UV) services/requirements-dev.lock services/pyproject.toml operator/pyproject.toml
	@./scripts/project-venv $(UV) $(PYTHON) services --editable ../operator

$(PEERS_READY): $(UV) services/bench/peers/requirements-dev.lock services/bench/peers/pyproject.toml
	@./scripts/project-venv $(UV) $(PYTHON) services/bench/peers

$(OPERATOR_READY): $(UV) operator/requirements-dev.lock operator/pyproject.toml
	@./scripts/project-venv $(UV) $(PYTHON) operator

$(E2E_READY): $(UV) e2e/requirements-dev.lock e2e/pyproject.toml
	@./scripts/project-venv $(UV) $(PYTHON) e2e

# What the JavaScript is checked with.
$(JAVASCRIPT_READY): services/dev/javascript/package-lock.json
	@mkdir -p .tools/javascript && cp services/dev/javascript/package.json services/dev/javascript/package-lock.json .tools/javascript/
	@cd .tools/javascript && npm ci --engine-strict --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

# What the tests in a browser look for barriers with.
$(AXE): services/dev/axe/package-lock.json
	@mkdir -p .tools/axe && cp services/dev/axe/package.json services/dev/axe/package-lock.json .tools/axe/
	@cd .tools/axe && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

.PHONY: rabbitmq
rabbitmq:
	@[[ -n "$${AMQP_URL:-}" ]] || ./scripts/debian-package rabbitmq-server /usr/lib/rabbitmq/bin/rabbitmq-server

# An RTSP server for the tests of cameras.
.PHONY: gstreamer
gstreamer:
	@for package in $(GSTREAMER); do \
	  dpkg -s $$package >/dev/null 2>&1 || ./scripts/debian-package $$package /nonexistent; done

.PHONY: chromium
chromium:
	@./scripts/debian-package chromium /usr/bin/chromium
	@./scripts/debian-package chromium-driver /usr/bin/chromedriver

# Supaplane. `make` alone prints this map.
.DEFAULT_GOAL := help
SHELL := /bin/sh
export PYTHONSAFEPATH := 1
# Hundreds of processes start here: none should compile what another has compiled.
unexport PYTHONDONTWRITEBYTECODE
PY := .venv/bin/python
ARGS ?=
# Two at a time: each may run a cluster of its own, which takes about a gigabyte.
PARALLEL ?= -n 2 --dist loadscope --no-loadscope-reorder
CLUSTER ?= auto
VALUES ?= helm/supaplane/ci/default-values.yaml

##@ Use it

.PHONY: demo
demo: install ## A whole platform on this machine, and a first project (ARGS=--once tears it down again, CLUSTER=kind|devcluster)
	@$(PY) -m supaplane_demo up --cluster $(CLUSTER) $(ARGS)

.PHONY: down
down: install ## Stop everything that `make demo` started (ARGS=--delete-data removes its data too)
	@$(PY) -m supaplane_demo down $(ARGS)

.PHONY: status
status: install ## What of the demo runs, and how its projects are
	@$(PY) -m supaplane_demo status $(ARGS)

##@ Prove it

.PHONY: test
test: check ## Everything that CI runs: checks, then all tests
	@$(PY) -m supaplane_devcluster build
	@if [ "$$(id -u)" = 0 ] && [ "$$(uname)" = Linux ]; then $(PY) -m supaplane_devcluster build --node real; fi
	@$(PY) -m supaplane_devcluster.tools helm
	$(PY) -m pytest $(PARALLEL) $(ARGS)

.PHONY: test-fast
test-fast: install ## Only the tests that need no cluster
	@$(PY) -m supaplane_devcluster.tools helm
	$(PY) -m pytest -m "not cluster and not live and not browser" $(PARALLEL) $(ARGS)

.PHONY: test-cluster
test-cluster: install ## Only the tests on a real control plane
	@$(PY) -m supaplane_devcluster build
	@$(PY) -m supaplane_devcluster.tools helm
	$(PY) -m pytest -m cluster $(PARALLEL) $(ARGS)

.PHONY: test-live
test-live: install ## Only the tests on real pods (root, Linux)
	@$(PY) -m supaplane_devcluster build --node real
	$(PY) -m pytest -m live $(ARGS)

.PHONY: check
check: install ## Format, lint, strict types, import contracts, generated files
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	.venv/bin/lint-imports --cache-dir .import_linter_cache
	$(PY) -m supaplane_contract --check
	cmp crds/supabaseprojects.yaml helm/supaplane/files/crds/supabaseprojects.yaml
	$(PY) -m supaplane_api.documents --check

.PHONY: bench
bench: install ## Measure what the README claims (minutes; wants a quiet machine)
	@$(PY) -m supaplane_devcluster build
	$(PY) benchmarks/run.py $(ARGS)

##@ Work on it

.PHONY: install
install: ## The pinned packages, in .venv
	@devcluster/bootstrap.sh

.PHONY: format
format: install ## Format and mend what can be mended by itself
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

.PHONY: generate
generate: install ## Write the generated files again: CRD, documents
	$(PY) -m supaplane_contract --write
	cp crds/supabaseprojects.yaml helm/supaplane/files/crds/supabaseprojects.yaml
	$(PY) -m supaplane_api.documents --write
	$(PY) -m supaplane_demo.install --write

.PHONY: images
images: install ## Build the images of operator and API without Docker (root, Debian); prints where they are
	@$(PY) -m supaplane_demo.images

.PHONY: cluster
cluster: install ## A bare Kubernetes with simulated nodes, named dev (`python -m supaplane_devcluster --help`)
	@$(PY) -m supaplane_devcluster up dev $(ARGS)

.PHONY: chart
chart: install ## Lint the chart and print what it installs (VALUES=helm/supaplane/ci/full-values.yaml)
	@helm=$$($(PY) -m supaplane_devcluster.tools helm) && \
		$$helm lint helm/supaplane --strict --values $(VALUES) >&2 && \
		$$helm template supaplane helm/supaplane --namespace supaplane-system --values $(VALUES)

.PHONY: lock
lock: install ## Pin the newest versions that pyproject.toml allows
	.venv/bin/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 \
		--all-extras --group dev pyproject.toml --output-file requirements.lock --upgrade
	for program in operator api; do \
		.venv/bin/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header \
			--extra $$program --constraint requirements.lock pyproject.toml \
			--output-file $$program/requirements.lock --upgrade; \
	done

.PHONY: clean
clean: ## Remove the environment and all caches in this folder (stop the demo first)
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: help
help: ## This map
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@/ { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo

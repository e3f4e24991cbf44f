# Every target is one command. `make help` lists them.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV_VERSION := 0.13.9
# Where this is set, as in many containers, every process of a run and of the suite would compile each module anew: half of what a start costs.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help

help: ## List every target
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

install: $(VENV)/.installed ## Make .venv with everything that the fast suite needs

$(VENV)/.installed: requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "writ needs Python >= 3.11; set PYTHON=python3.11" >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { apt-get update -qq && apt-get install -y -qq python3-venv; } >&2 || \
		{ echo "Python's venv module is missing; install it (Debian: apt-get install python3-venv)" >&2; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check uv==$(UV_VERSION)
	@$(BIN)/uv pip sync -q --python $(BIN)/python --require-hashes requirements/dev.txt
	@$(BIN)/uv pip install -q --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

run: install ## Make 200 verified conversations offline, over both domains
	@$(BIN)/writ run --out runs

test: install ## The fast suite, under two minutes
	@$(BIN)/python -m pytest -n 2 --dist loadscope -m "not slow and not long"

test-long: install ## Modules that try many worlds and many faults; CI runs them too
	@$(BIN)/python -m pytest -n 2 --dist loadscope -m "long and not slow"

test-slow: install ## What takes longer: kills, outages, ten thousand conversations in a browser
	@$(BIN)/python -m pytest -n 2 --dist loadscope -m slow

tools: ## What the fast suite tests with beside Python: an S3 server, Helm, kubeconform, kubectl, Argo's command line (once, into the cache; needs Go)
	@tests/e2e/cluster/build.sh versitygw helm kubeconform kubectl argo

test-train: $(VENV)/train/.installed ## What needs the training packages: SFT, resumption, two processes, a small model in closed loop (seven CPU-minutes)
	@$(BIN)/uv pip install -q --python $(VENV)/train/bin/python --no-deps --require-hashes -r requirements/dev.txt
	@$(VENV)/train/bin/python -m pytest tests/training tests/jobs/test_together.py

bench: install ## What things cost, each with its machine; JSON in test-output/ (under ten minutes on two quiet cores)
	@mkdir -p test-output
	@$(BIN)/python benchmarks/start.py --json test-output/start.json
	@$(BIN)/python benchmarks/conversation.py --json test-output/conversation.json
	@$(BIN)/python benchmarks/client.py --requests 1000 --seconds 2 --concurrency 1,32,128,512,1024 --json test-output/client.json
	@$(BIN)/python benchmarks/memory.py --json test-output/memory.json
	@$(BIN)/python benchmarks/growth.py --json test-output/growth.json
	@$(BIN)/python benchmarks/tasks.py --json test-output/tasks.json
	@$(BIN)/python benchmarks/verifier.py --conversations 1000 --tasks 150 --users 80 --to test-output/verifier.json

chaos: install ## Kills, faulty models, faulty stores: a table of fault and outcome (about twenty minutes, ten of them one outage; --kills for more)
	@mkdir -p test-output
	@$(BIN)/python benchmarks/chaos.py --to test-output/chaos.json

learn: $(VENV)/train/.installed ## A model that learns from random weights: conversations, SFT, serving, exam (five CPU-minutes)
	@$(VENV)/train/bin/python benchmarks/learn.py --to test-output/learn

ablate: $(VENV)/train/.installed ## The arms of the paper on the tiny model: four arms, three seeds (an hour and a half of CPU time, computed)
	@$(VENV)/train/bin/writ ablate --plain --config recipes/ablate.yaml --out test-output/ablate/store --to test-output/ablate

ablate-smoke: $(VENV)/train/.installed ## Two small arms, two seeds: the plumbing of an ablation (minutes); its figures say nothing of any data
	@$(VENV)/train/bin/writ ablate --plain --config recipes/ablate-smoke.yaml --out test-output/ablate-smoke/store --to test-output/ablate-smoke

$(VENV)/train/.installed: requirements/train-cpu.txt $(VENV)/.installed
	@test -x $(VENV)/train/bin/python || $(BIN)/uv venv -q --python $(BIN)/python $(VENV)/train
	@$(BIN)/uv pip sync -q --python $(VENV)/train/bin/python --require-hashes requirements/train-cpu.txt
	@$(BIN)/uv pip install -q --python $(VENV)/train/bin/python --no-deps -e .
	@touch $@

check: install ## Lint and strict types
	@$(BIN)/ruff check src tests benchmarks examples docs
	@$(BIN)/ruff format --check src tests benchmarks examples docs
	@$(BIN)/mypy

images: ## Build the container images with buildah, podman or docker; digests, bills of material and sizes in dist/images
	@images/build.sh

e2e: install ## On a cluster of its own (Linux, root; 40 minutes the first time, then 20), or the one of KUBECONFIG
	@tests/e2e/run.sh

e2e-full: install ## The same with what takes long: 256 shards, training, GitOps, tenants, schedules, events, servers that sleep, enforced policies
	@FULL=1 tests/e2e/run.sh

docs: install ## Build the manual into site/ (open site/index.html; needs no network to read)
	@test -x $(VENV)/docs/bin/python || $(BIN)/uv venv -q --python $(BIN)/python $(VENV)/docs
	@$(BIN)/uv pip sync -q --python $(VENV)/docs/bin/python --require-hashes requirements/docs.txt
	@$(BIN)/python docs/reference.py
	@$(VENV)/docs/bin/sphinx-build -q -a -W --keep-going -d $(VENV)/docs/doctrees docs site
	@echo "site/index.html"

lock: install ## Pin all dependencies anew, by hash
	@$(BIN)/uv pip compile -q --upgrade --universal --generate-hashes --no-emit-index-url pyproject.toml -o requirements/core.txt
	@$(BIN)/uv pip compile -q --upgrade --universal --generate-hashes --no-emit-index-url --group dev pyproject.toml -o requirements/dev.txt
	@$(BIN)/uv pip compile -q --upgrade --universal --generate-hashes --no-emit-index-url --group docs -o requirements/docs.txt

.PHONY: help install run images e2e test test-train bench chaos learn ablate ablate-smoke tools check lock

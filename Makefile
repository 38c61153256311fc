# Penstock. `make` says what there is; `make run` and `make test` each do all of their own set-up.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory

# Debian's own Python, whatever else is first on PATH: the demonstration uses nothing but its standard library.
PYTHON := /usr/bin/python3
# Where a release build leaves penstock-init, penstockd and penstock.
BIN := $(CURDIR)/.build/release
# Frame pointers would cost a new connection a twentieth of the instructions; who profiles adds --no-omit-frame-pointers.
BUILD_FLAGS := -c release --static-swift-stdlib --omit-frame-pointers

# How the kernel hands the agent's connections over: make run MODE=tproxy
MODES := redirect tproxy gateway
MODE ?= redirect

# How long each fuzzer runs: make fuzz FUZZ_SECONDS=600
FUZZ_SECONDS ?= 60

.PHONY: help
help: ## what there is
	@echo "Penstock governs what leaves an AI agent's pod."
	@echo
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo "  make run AGENT='curl https://allowed.example/'    runs a command of yours as the agent"
	@echo "  make run MODE=tproxy                              captures by TPROXY instead of the redirect"
	@echo "  make run MODE=gateway                             a router, and the agents of two clients behind it"

.PHONY: run
run: mode root packages build ## a pod, a world and an agent that tries to get out; each attempt beside its record
	@$(PYTHON) deploy/demo/run.py --programs "$(BIN)" --mode $(MODE) $(if $(value AGENT),--agent "$$AGENT_COMMAND")
# The command reaches the script through the environment, unexpanded: neither make nor the shell can change it.
AGENT_COMMAND := $(value AGENT)
export AGENT_COMMAND

.PHONY: test
test: root packages lint build check charts agree ## everything that must hold: format, release build, tests, checks
	@echo "==> swift test (all of it: .build/test.log)"
	@mkdir -p .build
	@PENSTOCK_BIN="$(BIN)" swift test --disable-xctest 2>&1 | tee .build/test.log | \
	    grep --line-buffered -vE '^\[[0-9]+/[0-9]+\]|^◇|^(Building|Build complete)' || { \
	    echo "==> what failed"; grep -aA 3 '^✘ Test .* recorded an issue' .build/test.log | cut -c 1-400 | tail -n 60 || true; \
	    grep -aE 'Test run with|error: ' .build/test.log | cut -c 1-400 | tail -n 3 || true; exit 1; }

.PHONY: agree
agree: swift ## the compiled policy against a plain scan of its rules, on a million random questions
	@echo "==> a million questions"
	@MEASURE=1 swift build --quiet $(BUILD_FLAGS) --product MeasurePolicy
	@"$(BIN)/MeasurePolicy" agree 1000000

.PHONY: soak
soak: root packages build ## the daemon killed 200 times under load
	@echo "==> swift test (kills)"
	@PENSTOCK_KILLS=200 PENSTOCK_BIN="$(BIN)" swift test --disable-xctest --filter RobustnessKillTests

.PHONY: image
image: root swift pods venv ## the container image, by buildah, and its SBOM in .build/penstock.spdx.json
	@$(PYTHON) Tests/Containers/e2e.py --build
	@$(PYTHON) Tests/Containers/e2e.py --no-build --only image

.PHONY: manifests
manifests: pods venv ## what deploy/ holds for clusters: schemas, linters, alert rules
	@.build/venv/bin/python Tests/Containers/e2e.py --only manifests

.PHONY: e2e
e2e: root swift pods ## the image, the manifests and the compose file, built and run by podman
	@mkdir -p .build; $(MAKE) venv >.build/venv.log 2>&1 & venv=$$!; \
	    built=0; $(PYTHON) Tests/Containers/e2e.py --build || built=$$?; \
	    wait $$venv || { cat .build/venv.log >&2; exit 1; }; exit $$built
	@.build/venv/bin/python Tests/Containers/e2e.py --no-build

.PHONY: pods
pods: # what builds and runs images
	@deploy/install-packages.sh build lab pods

.PHONY: venv
venv: # what manifests are checked with, from PyPI
	@[ .build/venv/.made -nt Tests/Containers/requirements.txt ] || { echo "==> .build/venv"; mkdir -p .build; \
	    $(PYTHON) -m venv --clear .build/venv; \
	    tries=3; \
	    until .build/venv/bin/pip install --quiet --disable-pip-version-check --retries 10 --timeout 60 \
	        -r Tests/Containers/requirements.txt; do \
	        tries=$$((tries - 1)); [ "$$tries" -gt 0 ] || exit 1; \
	        echo "==> PyPI did not deliver: once more in 10 s"; sleep 10; done; \
	    touch .build/venv/.made; }

.PHONY: packages
packages: ## installs the packages of deploy/packages.txt that are missing
	@deploy/install-packages.sh

.PHONY: build
build: swift ## the release programs, in .build/release
	@echo "==> swift build (release)"
	@swift build --quiet $(BUILD_FLAGS) --product penstock-init
	@swift build --quiet $(BUILD_FLAGS) --product penstockd
	@swift build --quiet $(BUILD_FLAGS) --product penstock

.PHONY: lint
lint: swift ## the formatter's rules, strictly
	@echo "==> swift format lint"
	@swift format lint --strict --parallel -r Package.swift Sources Tests

.PHONY: check
check: ## the scripts parse, and systemd understands its units
	@echo "==> scripts"
	@for script in deploy/*.sh deploy/image/*.sh deploy/systemd/*.sh .ci/run; do bash -n "$$script"; done
	@for script in deploy/demo/*.py Tests/Containers/*.py; do \
	    $(PYTHON) -c 'import ast, sys; ast.parse(open(sys.argv[1]).read(), sys.argv[1])' "$$script"; done
	@echo "==> systemd's units"
	@deploy/systemd/check.sh

.PHONY: charts
charts: venv build ## the Helm chart, and what penstock inject makes, against Kubernetes 1.29 to 1.37
	@.build/venv/bin/python deploy/check_charts.py --programs "$(BIN)"

.PHONY: fuzz
fuzz: swift ## each parser against random bytes, for FUZZ_SECONDS (60)
	@for folder in Tests/Fuzz/*/; do \
	    name=$$(basename "$$folder"); echo "==> $$name, $(FUZZ_SECONDS) s"; \
	    export FUZZ=1; flags="--scratch-path .build-fuzz -Xswiftc -sanitize=fuzzer,address -Xswiftc -use-ld=lld"; \
	    swift build --quiet --product "$$name" $$flags; \
	    mkdir -p ".build-fuzz/corpus/$$name" "$$folder/Regressions"; \
	    "$$(swift build --show-bin-path $$flags)/$$name" -max_total_time=$(FUZZ_SECONDS) -print_final_stats=1 \
	        -artifact_prefix="$$folder/Regressions/" ".build-fuzz/corpus/$$name" "$$folder/Regressions"; \
	done

.PHONY: clean
clean: ## everything that was built
	rm -rf .build .build-fuzz

# What a target needs before it can start, said plainly where it is not there.

.PHONY: mode
mode:
	@$(if $(filter $(MODES),$(MODE)),,$(error MODE=$(MODE) is none of: $(MODES)))true

.PHONY: root
root:
	@[ "$$(id -u)" = 0 ] || { \
	    echo "Penstock's tests and its demonstration make network namespaces and kernel rules of their own: they need root."; \
	    echo "    sudo env PATH=\"\$$PATH\" make $(firstword $(MAKECMDGOALS))"; exit 1; } >&2

.PHONY: swift
swift:
	@wanted=$$(cat .swift-version); \
	found=$$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9][0-9.]*\).*/\1/p' | head -n 1 || true); \
	major=$${found%%.*}; rest=$${found#*.}; minor=$${rest%%.*}; \
	[ -n "$$found" ] && { [ "$$major" -gt 6 ] || { [ "$$major" = 6 ] && [ "$$minor" -ge 3 ]; }; } || { \
	    echo "Penstock is built with Swift $$wanted (6.3 or later); on PATH there is $${found:-no swift}."; \
	    echo "Get it from https://www.swift.org/install/linux/ , for instance with swiftly:"; \
	    echo "    curl -O https://download.swift.org/swiftly/linux/swiftly-\$$(uname -m).tar.gz"; \
	    echo "    tar zxf swiftly-\$$(uname -m).tar.gz && ./swiftly init && swiftly install $$wanted"; \
	    echo "or unpack the toolchain of your distribution and put its usr/bin first on PATH."; exit 1; } >&2

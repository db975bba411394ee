# SPDX-License-Identifier: MIT
# The front door. It only delegates: CMake builds the C++, Kbuild the modules, scripts/ the rest.
#   KVER=…      kernel to build the modules for (default: the newest installed cloud kernel headers)
#   DESTDIR=…   where make install puts its tree (default: this machine)
SHELL := /bin/bash
.DEFAULT_GOAL := all
export KVER DESTDIR FUZZ_SECONDS JOBS
MAKEFLAGS += --no-print-directory

.PHONY: all core modules run check check-full bench shell install uninstall stage fuzz fuzz-random prove \
	coverage format lint clean deps help

all: modules ## build everything: core, daemon, command line, kernel modules, tests
	@scripts/build gcc

core: deps ## build the C++ parts: build/gcc/hvcore/hvcore, daemon/{hvd,hv-vmm,hv-run}, cli/hvctl
	@scripts/build gcc products

modules: core ## build the kernel modules: build/kmod/hv.ko
	@scripts/build_modules

run: stage ## show it: boot Linux in an emulated machine, hoist, enforce a policy, unhoist
	@scripts/demo

check: deps ## all gates and tests, in less than 25 minutes; last line: passed, failed, skipped
	@scripts/check

check-full: deps ## the same with long fuzzing and the long system tests
	@scripts/check --full

bench: stage ## measure native against hoisted; writes build/bench (JSON, SVG)
	@scripts/build gcc unit
	@tests/bench/run

shell: stage ## a login inside the emulated machine, hoisted
	@scripts/rig --shell

install: modules ## install to this machine or to DESTDIR; also KVER=$(uname -r)
	@scripts/install

uninstall: deps ## take away what make install put there, but for changed configuration
	@scripts/install --remove

stage: modules ## install to build/stage, which the emulated machines are made from
	@DESTDIR=build/stage scripts/install --quiet

fuzz: deps ## fuzz every target for SECONDS (default 300) each
	@scripts/build asan fuzzers
	@FUZZ_SECONDS=$(or $(SECONDS),$(FUZZ_SECONDS),300) scripts/check_fuzz

fuzz-random: deps ## CALLS (default 10 million) random hypercalls and netlink messages
	@scripts/fuzz_random $(CALLS)

prove: deps ## prove the core: proofs, vacuity checks and mutants, one table (docs/proof.md)
	@scripts/check_prove

coverage: deps ## lines of the core that no proof, fuzzer or unit test covers; table by folder
	@scripts/coverage

format: deps ## rewrite the C++ sources as .clang-format says
	@scripts/check_format --fix

lint: all ## style gates and clang-tidy
	@scripts/build clang
	@scripts/check_style sources built tidy

clean: ## remove everything that was built (downloads in .cache stay)
	@scripts/clean

deps: ## install the Debian packages that are needed (as root), or name them
	@scripts/deps

help: ## this text
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

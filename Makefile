# make help: what there is. Everything lies in this folder: .venv, .cache, .demo.
.DEFAULT_GOAL := help
.PHONY: help setup servers demo test quick lint format bench soak clean
BIN := .venv/bin
LEFT_OUT := .cache/left-out
export PYTHONPATH := $(CURDIR)

help:           ## this text
	@sed -n 's/^\([a-z]*\):.*## /make \1\t/p' Makefile

setup:          ## make the environment .venv
	@tests/setup/environment.sh

servers:        ## install the servers and the browser that the tests start (Debian, root)
	@tests/setup/servers.sh

demo:           ## a whole intake on loopback: probed, broken, found, healed
	@tests/setup/browser.sh
	@tests/setup/environment.sh
	@$(BIN)/intake-prober demo

test: setup servers  ## all tests, real servers included
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/pytest --quiet --numprocesses=auto --hypothesis-profile=ci
	@mkdir -p .cache && rm -f $(LEFT_OUT)
	@LEFT_OUT=$(LEFT_OUT) $(BIN)/pytest --quiet --numprocesses=3 --dist=loadfile -m "real and not browser"
	@LEFT_OUT=$(LEFT_OUT) $(BIN)/pytest --quiet --numprocesses=2 --dist=loadfile -m browser
	@LEFT_OUT=$(LEFT_OUT) $(BIN)/pytest --quiet -m chaos

quick: setup    ## lint, types, imports and the tests without servers: before each commit
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/pytest -q --numprocesses=auto

lint: setup     ## lint and types alone
	@$(BIN)/ruff check .
	@$(BIN)/mypy

format: setup   ## format
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: setup    ## benchmarks: ratios, printed
	@$(BIN)/python -m tests.benchmarks

soak: setup     ## canaries for a long time, with faults
	@$(BIN)/python -m tests.soak

clean:          ## remove what make made
	rm -rf .venv .cache .demo .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# Two commands: `make run` shows Headwater working, `make test` proves it. Both need only Python 3.11+ and pip.

PYTHON ?= python3
BIN := .venv/bin
VENV := @$(PYTHON) infra/deployment/venv.py

.PHONY: run test bench load format clean

run:  ## servers, API, handlers, projections and a sample recording; settings come from the environment
	$(VENV)
	@exec $(BIN)/headwater up --demo

test:  ## formatter, linter, types, every test on real servers
	$(VENV) dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n 2 --dist worksteal --cov --cov-report=term:skip-covered

bench:  ## measure, beside the eventsourcing library
	$(VENV) dev bench
	@exec $(BIN)/python -m tests.bench

load:  ## twenty uploads at once with chats and reads beside them: p50, p95, p99 of each endpoint, and whether all arrived
	$(VENV) dev
	@exec $(BIN)/python -m tests.load

format:
	$(VENV) dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:  ## everything that was made, except data (.headwater)
	rm -rf .venv build *.egg-info .coverage* .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

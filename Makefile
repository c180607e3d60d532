# The two commands of the README are `make demo` and `make test`; the rest is for people who work on pdx.
# Only python3, make and a package index are needed. A second run is quick: the stamp files remember what is installed.

PYTHON   ?= python3
PYTHON26 ?= $(firstword $(shell command -v python3.11 python3.10 python3.12) $(PYTHON))
VENV     ?= .venv
VENV26   ?= .venv-paddle26
VENVCORE ?= .venv-core
PLUGINS  := $(sort $(dir $(wildcard plugins/*/pyproject.toml)))
SOURCES  := pyproject.toml $(wildcard plugins/*/pyproject.toml)
EDITABLE := $(foreach plugin,$(PLUGINS),-e ./$(plugin))
PIP      := -m pip install --quiet --disable-pip-version-check
TESTS    ?= tests
TASK     ?= cls
PLUGIN   ?= $(notdir $(wildcard plugins/*))

.PHONY: help demo test test-core test-without check-without test-sweep test-paddle26 lint format docs bench clean

help:
	@echo "make demo           install everything into $(VENV) and run the demonstration (TASK=det for another task)"
	@echo "make test           run the tests"
	@echo "make test-core      run the core's tests without Paddle and without plugins"
	@echo "make test-without PLUGIN=det   run the tests as if the folder plugins/det had been deleted"
	@echo "make test-sweep     run the exhaustive tests too (long)"
	@echo "make test-paddle26  run the tests with Paddle 2.6.2 and numpy below 2"
	@echo "make lint           check style;  make format  applies it"
	@echo "make docs           write docs/cli.md and docs/plugins/reference.md from the source"
	@echo "make bench          print the start-up times"
	@echo "make clean          remove the environments"

demo: $(VENV)/.installed
	$(VENV)/bin/pdx demo $(TASK)

test: $(VENV)/.tools
	$(VENV)/bin/python -m pytest $(TESTS)

test-sweep: $(VENV)/.tools
	$(VENV)/bin/python -m pytest $(TESTS) -m "sweep or not sweep"

test-core: $(VENVCORE)/.tools
	$(VENVCORE)/bin/python -m pytest tests/core

test-without: $(VENV)/.tools
	for plugin in $(PLUGIN); do $(VENV)/bin/python tests/without_plugin.py $$plugin $(TESTS) || exit 1; done

# quick: without each plugin in turn, every module of tests is imported, and the rules about tests are checked
check-without: $(VENV)/.tools
	for plugin in $(PLUGIN); do $(VENV)/bin/python tests/without_plugin.py $$plugin tests --collect-only -qq || exit 1; done
	$(VENV)/bin/python -m pytest tests/test_plugin_folders.py

test-paddle26: $(VENV26)/.tools
	$(VENV26)/bin/python -m pytest $(TESTS)

lint: $(VENV)/.tools
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .

format: $(VENV)/.tools
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

docs: $(VENV)/.installed
	$(VENV)/bin/python docs/make_cli.py
	$(VENV)/bin/python docs/make_reference.py

bench: $(VENV)/.tools
	$(VENV)/bin/python benchmarks/startup/help_with_plugins.py
	$(VENV)/bin/python benchmarks/startup/many_plugins.py

clean:
	rm -rf $(VENV) $(VENV26) $(VENVCORE)

$(VENV)/.installed: $(SOURCES)
	$(call make_venv,$(PYTHON),$(VENV))
	$(VENV)/bin/python $(PIP) -e ".[cpu]" $(EDITABLE)
	$(call check_opencv,$(VENV))
	@touch $@

$(VENV)/.tools: $(VENV)/.installed
	$(VENV)/bin/python $(PIP) -e ".[dev]"
	$(call check_opencv,$(VENV))
	@touch $@

$(VENVCORE)/.tools: pyproject.toml
	$(call make_venv,$(PYTHON),$(VENVCORE))
	$(VENVCORE)/bin/python $(PIP) -e ".[dev]"
	$(call check_opencv,$(VENVCORE))
	@touch $@

$(VENV26)/.tools: $(SOURCES)
	$(call make_venv,$(PYTHON26),$(VENV26))
	$(VENV26)/bin/python $(PIP) "paddlepaddle==2.6.2" "numpy<2" -e ".[dev]" $(EDITABLE)
	$(call check_opencv,$(VENV26))
	@touch $@

define make_venv
	@$(1) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' || \
	    { echo "pdx needs Python 3.10 to 3.13; name one with: make PYTHON=python3.12 ..."; exit 1; }
	@echo "installing into $(2), which takes a few minutes the first time"
	@$(1) -m venv $(2) || { echo "On Debian and Ubuntu: apt install python3-venv"; exit 1; }
endef

# The desktop wheel of OpenCV links libGL and X libraries, which servers and containers lack.
define check_opencv
	@$(1)/bin/python -c "import cv2" 2>/dev/null || { \
	    echo "opencv-python cannot be loaded here (no desktop libraries): using opencv-python-headless instead"; \
	    $(1)/bin/python -m pip uninstall --quiet -y opencv-python; \
	    $(1)/bin/python $(PIP) --force-reinstall --no-deps opencv-python-headless; \
	    $(1)/bin/python -c "import cv2"; }
endef

# `make demo` shows what it does, `make test` checks that it still does it, `make slim` checks the installation
# without torch in an environment of its own. All need Python 3.11 or later, git and make; everything else goes into .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test check slim clean

demo: $(VENV)/installed
	$(BIN)/sketchcolor colorize examples/pages -o demo-out/no-reference --overwrite --verbose
	$(BIN)/sketchcolor colorize examples/pages -o demo-out/with-reference --reference examples/reference --overwrite --verbose
	$(BIN)/sketchcolor extract demo-out/with-reference -o demo-out/sketches --overwrite --verbose
	@echo
	@echo "Look at demo-out/: no-reference/ is what the model makes of the pages alone, with-reference/ what it"
	@echo "makes of them and the rough colourings in examples/reference/, sketches/ is the way back."

test: $(VENV)/installed-dev check

# One more than there are cores, as browsers and processes that end are waited for.
WORKERS := $(shell echo $$(($$(nproc 2>/dev/null || echo 2) + 1)))

check:
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python tools/make_site.py
	$(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

# Megabytes that the slim installation may take, pip included: 604 when this was written, of which SciPy, OpenCV,
# ONNX Runtime and NumPy are 447.
SLIM_MOST := 640

slim:
	rm -rf build/slim && $(PYTHON) -m venv build/slim
	build/slim/bin/python -m pip install --quiet -r requirements/slim.txt
	build/slim/bin/python -m pip install --quiet --no-deps .
	build/slim/bin/sketchcolor colorize examples/pages -o build/slim/pages --json >build/slim/outcome.json
	build/slim/bin/python -c 'import importlib.util as u, sys; sys.exit("torch is installed" if u.find_spec("torch") else 0)'
	@size=$$(du -sm build/slim/lib/python3*/site-packages | cut -f1); echo "slim: $$size MB"; test $$size -le $(SLIM_MOST)

$(VENV)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "sketchcolor needs Python 3.11 or later; run: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/installed: $(VENV)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/installed-dev: $(VENV)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@ $(VENV)/installed

clean:
	rm -rf $(VENV) demo-out build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis

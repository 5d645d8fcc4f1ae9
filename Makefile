# Two commands for a newcomer: `make demo` and `make test`. Both do all their own set-up, inside .venv and the
# model store; all they need is Python 3.11, make and a package index that pip reaches.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
RUN_LAYERS := base media array onnx names web hub asr align pull cli
pip_install = @echo 'installing $(1)'; $(BIN)/python -m pip install --quiet --disable-pip-version-check \
    --no-deps --no-compile --require-hashes \
    $(foreach layer,$(1),-r requirements/$(layer).txt)

.PHONY: help demo test lint lock figures clean
help:
	@echo "make demo   watch a film become a subtitled film (first time: about a minute of set-up)"
	@echo "make test   prove the project: linters, types, every test"
	@echo "make lock   rewrite requirements/*.txt from requirements/*.in"
	@echo "make figures   measure every figure again, some hours: python bench/all.py --list says what it needs"

demo: .venv/.scenes
	$(BIN)/cp-whisperx models pull
	$(BIN)/python -m scenes.demo demo

test: .venv/.dev
	$(BIN)/cp-whisperx --quiet models pull base tiny.en silero-vad pyannote-segmentation ge2e-speaker \
	    pyannote-segmentation-3 campplus-speaker en-names en-words
	$(BIN)/ruff check .
	$(BIN)/hadolint --config docker/hadolint.yaml docker/Dockerfile
	$(BIN)/zizmor --offline --quiet .github/workflows
	$(BIN)/mypy
	$(BIN)/python -m pytest

lint: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/hadolint --config docker/hadolint.yaml docker/Dockerfile
	$(BIN)/zizmor --offline --quiet .github/workflows
	$(BIN)/mypy

lock: .venv/.dev
	UV=$(CURDIR)/$(BIN)/uv requirements/lock

figures: .venv/.dev
	$(BIN)/python bench/all.py

# Python compiles what it imports at its first start; compiling all of every package would add 30 MB.
# Words are aligned with sound, not recognised, so the 28 MB of pocketsphinx's language models go.
# The locks name every package, so nothing is resolved (--no-deps) and nothing is built from outside sources.
.venv/.run: requirements/build.txt $(foreach layer,$(RUN_LAYERS),requirements/$(layer).txt) pyproject.toml | $(BIN)/python
	$(call pip_install,build $(RUN_LAYERS))
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@rm -f $(BIN)/../lib/python*/site-packages/pocketsphinx/model/en-us/*.lm.bin
	@touch $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=...")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip uninstall --quiet --yes setuptools

.venv/.scenes: .venv/.run requirements/scenes.txt
	$(call pip_install,scenes)
	@touch $@

.venv/.dev: .venv/.scenes requirements/sbom.txt requirements/dev.txt
	$(call pip_install,uv sbom dev)
	@touch $@

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache demo out

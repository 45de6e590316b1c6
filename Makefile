# make run    starts DepthMend; ARGS="--source auto" is passed on
# make test   runs the tests;   ARGS="tests/drivers -k depth" is passed on
# make parity runs the large networks against the official outputs (../shared; minutes)
# make check  linters, types, layers, the wheel
# make bench  every benchmark in turn
# make screenshots  photographs every page and state into build/screenshots; ARGS="--only 3d" takes some
# make languages gathers the window's words for translation and says which lack one
# make format puts the sources in order
# make clean  removes what the others made, .venv included
#
# Another build of torch, for a PC with an NVIDIA card (remembered in .venv):
#   make run TORCH="torch==2.13.0 --index-url https://download.pytorch.org/whl/cu130"

PYTHON := .venv/bin/python
ARGS ?=
TORCH ?=
export TORCH

.PHONY: run test parity check bench screenshots languages format clean setup-run setup-dev
.DEFAULT_GOAL := run

run: setup-run
	@$(PYTHON) main.py $(ARGS)

test: setup-dev
	@.ci/test.sh $(ARGS)

parity: setup-dev
	@$(PYTHON) -m pytest -p no:xvfb -m huge $(ARGS)

check: setup-dev
	@.ci/check.sh

bench: setup-dev
	@export OMP_WAIT_POLICY=PASSIVE QT_QPA_PLATFORM=xcb; for file in benchmarks/*.py; do echo "== $$file"; \
		xvfb-run -a -s "-screen 0 1920x1200x24" $(PYTHON) "$$file" $(ARGS) || failed="$$failed $$file"; done; \
		if [ -n "$$failed" ]; then echo "limits broken or failed:$$failed"; exit 1; fi

screenshots: setup-dev
	@for theme in dark light outdoor; do for size in 1280x720 1280x800 1920x1080 2560x1600 800x1280; do \
		for language in en zh_CN; do \
		xvfb-run -a -s "-screen 0 2560x1600x24" env QT_QPA_PLATFORM=xcb \
		$(PYTHON) docs/screenshots/gallery.py --theme $$theme --size $$size \
		--language $$language $(ARGS) || exit 1; done; done; done
	@xvfb-run -a -s "-screen 0 2560x1600x24" env QT_QPA_PLATFORM=xcb \
		$(PYTHON) docs/screenshots/gallery_work.py --theme dark,light,outdoor \
		--size 1280x720,1280x800,1920x1080,2560x1600,800x1280 --language en,zh_CN $(ARGS)

languages: setup-dev
	@$(PYTHON) .ci/languages.py

format: setup-dev
	@.venv/bin/ruff check --fix-only .
	@.venv/bin/ruff format .

clean:
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	find . -name __pycache__ -not -path './.git/*' -prune -exec rm -rf {} +

setup-run:
	@.ci/setup.sh run

setup-dev:
	@.ci/setup.sh dev

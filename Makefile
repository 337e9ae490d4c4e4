# Needs Python 3.11 or newer (with venv and pip) and nothing else. `make` shows what there is.

PYTHON ?= python3
VENV ?= .venv
PORT ?= 8000
VAR_DIR ?= var
TRIALS ?= 200
SEED ?= 1
export PORT VAR_DIR

# exec: the launcher takes make's place as the receiver of signals.
EMBEDDED = exec $(VENV)/bin/python -m embedded

.DEFAULT_GOAL := help
.PHONY: help run test check bench chaos shell manage

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(VENV)/run.stamp ## Start everything on this machine  [PORT=8000 VAR_DIR=var]
	@$(EMBEDDED) run

test: $(VENV)/dev.stamp ## Run the tests  [ARGS="-k wallet -x"]
	@$(EMBEDDED) test $(ARGS)

check: $(VENV)/dev.stamp ## Lint, types, templates, bandit, migrations, deployment settings
	@$(EMBEDDED) check

bench: $(VENV)/dev.stamp ## Measure against floors written by hand  [ONLY=wallet,rent.collect]
	@$(EMBEDDED) bench $(ONLY)

chaos: $(VENV)/dev.stamp ## Break everything while buying, then audit  [TRIALS=200 SEED=1]
	@$(EMBEDDED) chaos $(TRIALS) $(SEED)

shell: $(VENV)/run.stamp ## Open a Python shell with the models
	@$(EMBEDDED) manage shell

manage: $(VENV)/run.stamp ## Run a command of manage.py  [CMD="createsuperuser"]
	@$(EMBEDDED) manage $(CMD)

# Packages are installed again only when their list changed. Not compiling them ahead
# halves the time, and what is used is compiled when it is first used.
define install
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
		|| { echo "Python 3.11 or newer is needed, and '$(PYTHON)' is not. Name one: make PYTHON=python3.12 …" >&2; exit 1; }
	@test -x $(VENV)/bin/pip || { echo "Making $(VENV) …"; $(PYTHON) -m venv $(VENV); }
	@echo "Installing $(1) …"
	@$(VENV)/bin/python -m pip install --disable-pip-version-check --no-compile -q -r $(1)
endef

$(VENV)/run.stamp: requirements.txt
	$(call install,requirements.txt)
	@touch $@

$(VENV)/dev.stamp: requirements.txt requirements-dev.txt
	$(call install,requirements-dev.txt)
	@touch $(VENV)/run.stamp $@

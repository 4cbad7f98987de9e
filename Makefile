# One target for each thing a person does here. `make check` is quick; `make test` is everything.

CARGO ?= cargo
PYTHON := target/python/bin/python
KEYSTONE := target/keystone/bin/keystone-manage

CLIENTS := target/clients/bin/schemathesis

# Of the library: each must do alone; so must none of them.
FEATURES := postgres mysql sqlite keystone,sqlite sqlite,stock-crypto

.PHONY: demo check format lint features documentation unit packages test test-long test-cluster bench bench-cell package man python keystone clients age containers clean-containers

# The tests' build makes the same program, with a few features more in its dependencies.
DEMO_BUILD ?= $(CARGO) build --quiet

demo: ## seal 600 real Keystone rows, look at the bytes, roll, go back, ask the service (SQLite; needs Rust only)
	$(DEMO_BUILD)
	@tests/demo

check: format lint features documentation unit packages ## format, lints, documentation, unit tests; with -j2 lints and builds go on at once

# The lints build metadata only, in a folder of their own, so that they need not wait for what is built to be run.
LINT := CARGO_TARGET_DIR=$(CURDIR)/target/lint

format:
	$(CARGO) fmt --all --check

lint: format
	$(LINT) $(CARGO) clippy --workspace --all-targets --quiet -- --deny warnings

features: lint
	$(LINT) $(CARGO) clippy --package strongroom --quiet -- --deny warnings
	for feature in $(FEATURES); do $(LINT) $(CARGO) clippy --package strongroom --features $$feature --quiet -- --deny warnings || exit; done

documentation: features
	$(LINT) RUSTDOCFLAGS="--deny warnings" $(CARGO) doc --workspace --no-deps --quiet

unit: format
	$(CARGO) test --workspace --lib --quiet

packages: unit
	tests/package

# Most tests wait for a server or a process at any moment: four of them keep a core busy.
export RUST_TEST_THREADS ?= $(shell expr 4 '*' "$$(nproc)")

test: containers python keystone clients age ## everything but the long tests, on real servers in containers; installs what is missing
	$(CARGO) test --workspace --tests
	$(CARGO) test --workspace --doc

test-long: containers python clients ## load, crash matrices and hostile requests; UNTIL=SECONDS leaves what has not begun by then
	tests/long

test-cluster: containers ## Galera and a PostgreSQL failover, with faults at random moments; UNTIL=SECONDS as above
	tests/long cluster

bench: bench-cell containers ## all that is measured, as ratios to a baseline in the same run
	$(CARGO) bench --bench reseal --bench component --bench record --bench service; code=$$?; $(MAKE) --no-print-directory clean-containers; exit $$code

# Flags and features are a build's: the compiler's default flags first, then those of .cargo/config.toml with the stock path and
# with the fast one.
bench-cell: ## a cell sealed and opened, beside stock XChaCha20-Poly1305, bare ring and the feature stock-crypto, with default flags and with ours
	RUSTFLAGS= CARGO_TARGET_DIR=$(CURDIR)/target/cell/default $(CARGO) bench --quiet --package strongroom --bench cell
	CRITERION_HOME=$(CURDIR)/target/cell/stock/criterion CARGO_TARGET_DIR=$(CURDIR)/target/cell/ours $(CARGO) bench --quiet --package strongroom --features stock-crypto --bench cell
	DEFAULT_FLAGS=$(CURDIR)/target/cell/default STOCK_PATH=$(CURDIR)/target/cell/stock CARGO_TARGET_DIR=$(CURDIR)/target/cell/ours $(CARGO) bench --quiet --package strongroom --bench cell

package: ## the packages as crates.io would get them, built from what is in them
	tests/package --build

man: ## manual pages in target/man
	$(CARGO) run --quiet -- man --out target/man

containers:
	tests/containers/prepare

clean-containers:
	@docker ps --all --quiet --filter label=strongroom.test | xargs --no-run-if-empty docker rm --force --volumes > /dev/null
	@docker network ls --quiet --filter label=strongroom.test | xargs --no-run-if-empty docker network rm > /dev/null

age: ## what opens an escrowed root outside this project
	@command -v age > /dev/null || apt-get install -y age > /dev/null || { apt-get update > /dev/null && apt-get install -y age > /dev/null; }

python: $(PYTHON) ## an interpreter with `cryptography`, for the break-glass script

$(PYTHON):
	python3 -m venv target/python || { apt-get install -y python3-venv && python3 -m venv target/python; }
	target/python/bin/pip install --quiet cryptography

clients: $(CLIENTS) ## real clients of the service: keystoneclient, botocore, Schemathesis

$(CLIENTS): tests/clients/requirements.txt | $(PYTHON)
	python3 -m venv target/clients
	target/clients/bin/pip install --quiet --requirement tests/clients/requirements.txt
	@touch $@

keystone: $(KEYSTONE) ## a real Keystone, which must open what was exported

$(KEYSTONE): | $(PYTHON)
	python3 -m venv target/keystone
	target/keystone/bin/pip install --quiet keystone==30.0.0

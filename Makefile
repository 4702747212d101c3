# Two commands matter on a fresh machine: `make demo` and `make test`. Everything else is for work on the code; `make help` lists it.
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.PHONY: help demo test run build check types lint format unit testbed e2e chart cluster bench generate

help: ## show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

node_modules: package.json package-lock.json .npmrc
	@sh build/require.sh npm
	@echo "== npm packages (once)"
	@# Not `npm ci`: it refuses a lock file without the optional packages of platforms that a registry does not carry.
	@npm install --no-save --loglevel=error && touch node_modules

demo: build ## a cluster on this machine, a registry, Headwind, and a push to watch; AUTO=1 checks itself and ends
	@sh build/require.sh go openssl
	@node test/demo/main.ts

test: ## everything: static checks, unit tests, the real control plane, the demo
	@sh build/require.sh npm go openssl
	@$(MAKE) check
	@$(MAKE) testbed
	@$(MAKE) e2e
	@$(MAKE) chart
	@echo "== demo" && $(MAKE) demo AUTO=1
	@echo "== all green"

run: build ## run the operator against the current kubeconfig
	@bin/headwind run

build: node_modules ## bundle into dist/
	@node build/bundle.ts

check: types lint format unit ## types, lint, format, generated files, unit tests: the edit loop

types: node_modules
	@echo "== types" && tsc --noEmit

lint: node_modules
	@echo "== lint" && oxlint --type-aware --deny-warnings

format: node_modules
	@echo "== format (repair: npm run format)" && biome format .

unit: node_modules
	@echo "== unit, adapter, contract and scenario tests"
	@node --test --test-isolation=none --test-reporter=dot 'src/**/*.test.ts' 'test/self/**/*.test.ts' 'test/contracts/**/*.test.ts' 'test/scenarios/**/*.test.ts' 'test/fakes/**/*.test.ts'

testbed: node_modules
	@sh build/require.sh go openssl
	@echo "== test bed" && node test/cluster/binaries.ts
	@node --test 'test/cluster/**/*.test.ts'

e2e: build
	@sh build/require.sh go openssl
	@echo "== end to end, on a real control plane"
	@node test/cluster/run-tests.ts 'test/e2e/**/*.test.ts'

chart: build ## the Helm chart: every value, and an installation on a real control plane (builds helm once)
	@sh build/require.sh go openssl
	@echo "== chart" && node test/cluster/binaries.ts helm >/dev/null
	@node test/cluster/run-tests.ts 'test/chart/**/*.test.ts'

cluster: node_modules ## a control plane and a registry to play with; prints the kubeconfig
	@sh build/require.sh go openssl
	@node test/cluster/main.ts

bench: build ## the performance budget, measured: a table and JSON
	@sh build/require.sh go openssl
	@node bench/main.ts

generate: node_modules ## write the generated files anew
	@node build/generate.ts

# Thin on purpose: every line can be run by hand.
SHELL := /bin/bash
CARGO ?= cargo
CATCHMENT := $(or $(CARGO_TARGET_DIR),target)/release/catchment
# Root is used where there is one.
SUDO := $(shell [ "$$(id -u)" = 0 ] || command -v sudo)
export DEBIAN_FRONTEND := noninteractive

# What building and running a world need, and what the tests add.
BUILD_PACKAGES := protobuf-compiler libprotobuf-dev
PACKAGE_PACKAGES := dpkg-dev binutils
RUN_PACKAGES := $(BUILD_PACKAGES) bird2 nsd unbound bind9-dnsutils iproute2 iputils-ping
TEST_PACKAGES := $(RUN_PACKAGES) $(PACKAGE_PACKAGES) \
  exabgp frr gobgpd openbgpd \
  bind9 bind9utils dnstap-ldns fstrm-bin knot knot-dnssecutils knot-dnsutils knot-resolver ldnsutils \
  etcd-server etcd-client \
  chromium-headless-shell curl iperf3 nginx openssh-client openssh-server python3 systemd \
  nftables pmacct procps strace \
  build-essential clang libbpf-dev llvm
BENCH_PACKAGES := $(RUN_PACKAGES) bind9 bind9-utils bridge-utils exabgp frr gobgpd iperf3 knot mininet nftables openbgpd python3 python3-venv

.PHONY: help demo test lint bench fuzz soak build package install-run install-package install-bench install-test doc

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

demo: install-run build ## bring the world `earth` up with its live map (installs what it needs)
	$(SUDO) $(CATCHMENT) lab up

test: install-test ## every test; what CI runs
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	$(CARGO) nextest run --workspace --locked
	$(CARGO) test --doc --workspace --locked --quiet
	$(CARGO) build --release --locked --bin catchment
	$(SUDO) .ci/package $(CATCHMENT)
	$(SUDO) .ci/scenarios $(CATCHMENT) scenarios/*.toml
	$(SUDO) .ci/unprivileged $(CATCHMENT) scenarios/service-killed.toml scenarios/four-methods.toml

lint: ## formatting, clippy, licences and sources of dependencies
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	@command -v cargo-deny >/dev/null || $(CARGO) install --locked cargo-deny
	$(CARGO) deny check bans licenses sources

package: install-package build ## a Debian package under target/
	packaging/build $(CATCHMENT) $(dir $(CATCHMENT))../package

bench: install-bench build ## measures, and rewrites docs/reference/benchmarks.md (CHAPTERS="decode bgp" for some of it)
	$(SUDO) benches/measure $(CATCHMENT) $(CHAPTERS)

# libFuzzer's switches are not stable yet: the compiler is told to take them all the same.
fuzz: export RUSTC_BOOTSTRAP := 1
fuzz: ## libFuzzer on each target, FUZZ_SECONDS each (600; it installs cargo-fuzz)
	@command -v cargo-fuzz >/dev/null || $(CARGO) install --locked cargo-fuzz
	cd fuzz && for target in $(or $(TARGETS),$$($(CARGO) fuzz list)); do \
	  found=$$(mktemp -d) && $(CARGO) fuzz run $$target $$found corpus/$$target -- -max_total_time=$(or $(FUZZ_SECONDS),600) || exit 1; rm -rf $$found; \
	done

soak: ## the property tests with other cases than `make test` draws, a hundred times as many
	PROPTEST_RNG_SEED=$${PROPTEST_RNG_SEED:-$$(date +%s)} PROPTEST_CASES=$${PROPTEST_CASES:-20000} $(CARGO) nextest run --release --workspace --locked --no-fail-fast

build: ## the release binary
	$(CARGO) build --release --locked --bin catchment

install-run: ## Debian packages that running needs
	@$(call install,$(RUN_PACKAGES))
	@$(call need-cargo)

install-package: ## Debian packages that making a package needs
	@$(call install,$(BUILD_PACKAGES) $(PACKAGE_PACKAGES))
	@$(call need-cargo)

install-bench: ## Debian packages that the benchmarks need
	@$(call install,$(BENCH_PACKAGES))
	@$(call need-cargo)

install-test: ## Debian packages and tools that the tests need
	@$(call install,$(TEST_PACKAGES))
	@$(call need-cargo)
	@command -v cargo-nextest >/dev/null || { echo "installing cargo-nextest"; $(CARGO) install --locked cargo-nextest; }

# Installs those of $(1) that are missing, and says which. Debian starts a fresh daemon by itself: it is told not to,
# so that no router or name server of the machine's own gets in the way.
define install
missing=$$(dpkg-query -W -f='$${db:Status-Status} $${Package}\n' $(1) 2>/dev/null | awk '$$1=="installed"{print $$2}' | sort | comm -13 - <(printf '%s\n' $(1) | sort) | xargs); \
if [ -n "$$missing" ]; then \
  echo "installing from Debian: $$missing"; \
  created=; [ -e /usr/sbin/policy-rc.d ] || { printf '#!/bin/sh\nexit 101\n' | $(SUDO) tee /usr/sbin/policy-rc.d >/dev/null; $(SUDO) chmod +x /usr/sbin/policy-rc.d; created=1; }; \
  $(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq --no-install-recommends $$missing >/dev/null; status=$$?; \
  [ -z "$$created" ] || $(SUDO) rm -f /usr/sbin/policy-rc.d; \
  [ $$status -eq 0 ] || { echo "apt-get could not install: $$missing"; exit 1; }; \
fi
endef

define need-cargo
command -v $(CARGO) >/dev/null || { echo "no cargo here: install Rust with rustup (https://rustup.rs); Debian's own is too old"; exit 1; }
endef

# What people type. Everything runs in a virtual environment made here, from the
# first Python that is new enough; PYTHON=… names another one.

PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
BIN := .venv/bin
WITNESS := .witness
S3A := .s3a
GLUE := .glue
IAM := .iam
READERS := .readers
IMAGES := .images
CHECKOV := .checkov
MINISTACK := .ministack

# Much of what pip installs is never imported. Python compiles the rest when it is, and keeps it for all processes.
INSTALL := install --quiet --disable-pip-version-check --no-compile
unexport PYTHONDONTWRITEBYTECODE

PYTEST := $(BIN)/pytest -n auto --dist loadgroup

.PHONY: demo demo-aws demo-stream ui compose push test test-all ready tests faults protocol tpch fetched witness s3a iam readers images checkov ministack glue lint bench clean

demo: .venv/demo  ## export a quarter, materialize it with Dagster, answer the reference question
	$(BIN)/star-assets demo

demo-aws: .venv/aws  ## the same on S3 and Glue, as moto serves them on this machine
	$(BIN)/python -m star_assets.cli.demo_aws

demo-stream: .venv/demo  ## tills ring, a chart moves, the nightly export comes: three minutes, from nothing
	$(BIN)/python -m star_assets.cli.demo_stream

# Docker's compose reads settings and secrets from .env: add lines such as STAR_LAKE=s3://bucket/retail.
compose: .env  ## Dagster in containers, with its history in PostgreSQL, on http://127.0.0.1:3000
	docker compose up --build

push:  ## build the image and push it into this account's ECR; TAG=… names the release
	./push_image.sh $(TAG)

# The sample's exports have ended; those of another lake go on.
ifndef STAR_LAKE
ui: export STAR_END_DATE ?= 2023-09-30
endif
# With a home, Dagster has no word of a temporary one; dg, to which it refers, is no part of it.
ui: export DAGSTER_HOME ?= $(CURDIR)
ui: export PYTHONWARNINGS ?= ignore:Function `dev_command` is superseded
ui: .venv/demo  ## Dagster's web UI and daemon on http://127.0.0.1:3000
	$(BIN)/dagster dev

test: ready  ## what every change must pass: format, lint, types, and the tests
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory tests

# While pip installs, Maven fetches.
test-all: .venv/demo  ## the same, and the tests that take long, which CONTRIBUTING.md lists
	@$(MAKE) --no-print-directory --jobs=2 ready fetched
	@$(MAKE) --no-print-directory glue lint
	@$(MAKE) --no-print-directory tests PYTEST="$(PYTEST) -m ''"
	@$(MAKE) --no-print-directory faults

tests:
	$(PYTEST)

ready: .venv/test

faults: .venv/test  ## kill 500 processes at random points of random operations, and 80 while tills ring; half an hour
	$(BIN)/python -m star_assets_tests.faults
	$(BIN)/python -m star_assets_tests.tills

protocol: .venv/test  ## explore every order of the steps of the publish protocol, and its shortcuts; minutes
	$(BIN)/python -m star_assets_tests.protocol

tpch: .venv/test  ## the TPC-H example at scale factor 1, against the official answers; minutes, 3 GB of disk
	TPCH_SCALE=1 $(BIN)/pytest star_assets_tests/examples/test_tpch.py

# One after the other, since Maven's files are one for all; beside pip, which has its own.
fetched:
	@$(MAKE) --no-print-directory witness
	@$(MAKE) --no-print-directory s3a
	@$(MAKE) --no-print-directory iam
	@$(MAKE) --no-print-directory readers
	@$(MAKE) --no-print-directory checkov
	@$(MAKE) --no-print-directory ministack
	@$(MAKE) --no-print-directory images

witness: $(WITNESS)/complete  ## fetch Trino, which long tests let read what is published, where Java 17 and Maven are

s3a: $(S3A)/complete  ## fetch the jars with which Spark reads S3 in long tests, where Maven is

iam: $(IAM)/complete  ## fetch a simulator of IAM, to which a long test puts who may do what on AWS, where npm is

readers: $(READERS)/complete  ## fetch an engine for DAX, MetricFlow and a parser of M, to which long tests give what reports write

images: $(IMAGES)/complete  ## fetch Debian as a base and podman-compose, with which a long test builds and starts the images

checkov: $(CHECKOV)/complete  ## fetch checkov, whose rules a long test applies to the templates

ministack: $(MINISTACK)/complete  ## fetch MiniStack, where a long test makes the stack of the template and runs the pipeline under its roles

glue: $(GLUE)/complete  ## make an environment as AWS Glue 5.1 has it, in which a long test runs the job, where Python 3.11, Java and Maven are

lint: .venv/test  ## format, lint and types
	$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/mypy

bench: .venv/bench  ## how fast, against peers; writes bench/results.md
	$(BIN)/python -m bench.run

clean:  ## remove the environment, the sample lake and Dagster's history
	rm -rf .venv $(WITNESS) $(S3A) $(GLUE) $(IAM) $(READERS) $(IMAGES) $(CHECKOV) $(MINISTACK) .bench lake lake-stream .dagster

.venv/made: setup.py
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; PYTHON=/path/to/python names one."; exit 1; }
	$(PYTHON) -m venv .venv
	touch $@

.venv/demo: .venv/made
	$(BIN)/pip $(INSTALL) --editable .
	touch $@

.venv/aws: setup.py .venv/demo
	$(BIN)/pip $(INSTALL) --editable '.[aws,moto]'
	touch $@

# It holds what the demo needs.
.venv/test: .venv/made
	$(BIN)/pip $(INSTALL) --editable '.[test]'
	touch .venv/demo $@

# For test-all. Without it the tests that ask Trino are skipped, and say so.
$(WITNESS)/complete: star_assets_tests/athena/witness/pom.xml
	@if javac -version 2>&1 | grep -q '^javac 17\.' && command -v mvn >/dev/null; then \
		echo "Fetching Trino (270 MB)."; \
		mvn --quiet --batch-mode --file $< package -Dwitness=$(CURDIR)/$(WITNESS) && touch $@ \
			|| echo "WARNING: Trino could not be fetched. The tests that ask it are skipped."; \
	else \
		echo "WARNING: There is no Java 17 or no Maven here. The tests that ask Trino are skipped."; \
	fi

# For test-all. Without it the tests of Spark on S3 are skipped, and say so.
$(S3A)/complete: star_assets_tests/engines/s3a/pom.xml
	@if command -v mvn >/dev/null; then \
		echo "Fetching S3A (13 MB)."; \
		mvn --quiet --batch-mode --file $< package -Ds3a=$(CURDIR)/$(S3A) && touch $@ \
			|| echo "WARNING: S3A could not be fetched. The tests of Spark on S3 are skipped."; \
	else \
		echo "WARNING: There is no Maven here. The tests of Spark on S3 are skipped."; \
	fi

# For test-all. Its licence is the AGPL: it is used here and never shipped. Without it one test is skipped, and says so.
$(IAM)/complete:
	@if command -v npm >/dev/null; then \
		echo "Fetching a simulator of IAM (19 MB)."; \
		npm install --silent --no-audit --no-fund --ignore-scripts --prefix $(IAM) @cloud-copilot/iam-simulate@0.1.173 && touch $@ \
			|| echo "WARNING: It could not be fetched. Rights on AWS have no second opinion."; \
	else \
		echo "WARNING: There is no npm here. Rights on AWS have no second opinion."; \
	fi

# For test-all, in an environment of its own, since they bring 40 packages. Without it the tests that ask them are skipped, and say so.
$(READERS)/complete:
	@echo "Fetching an engine for DAX, MetricFlow and a parser of M (110 MB)."
	@$(PYTHON) -m venv $(READERS) && $(READERS)/bin/pip $(INSTALL) pbix-mcp==0.9.149 metricflow==0.213.0 \
		&& npm install --silent --no-audit --no-fund --ignore-scripts --prefix $(READERS) @microsoft/powerquery-parser@0.18.4 && touch $@ \
		|| echo "WARNING: They could not be fetched. What reports write for other tools is not read by any."

# For test-all. Docker's own images cannot be fetched everywhere, so Debian is their base here.
$(IMAGES)/complete:
	@if [ "$$(id -u)" = 0 ] && command -v buildah >/dev/null && command -v podman >/dev/null && command -v runc >/dev/null \
		&& command -v iptables >/dev/null && command -v debootstrap >/dev/null && [ -x /usr/lib/podman/aardvark-dns ]; then \
		echo "Fetching Debian as the base of images (300 MB)."; \
		rm -rf $(IMAGES) && mkdir $(IMAGES) && $(PYTHON) -m venv $(IMAGES)/compose \
			&& $(IMAGES)/compose/bin/pip $(INSTALL) podman-compose==1.6.0 \
			&& debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates bookworm $(IMAGES)/root >/dev/null \
			&& cp /etc/ssl/certs/ca-certificates.crt $(IMAGES)/root/etc/ssl/certs/ \
			&& rm -rf $(IMAGES)/root/var/cache/apt/archives/*.deb && touch $@ \
			|| echo "WARNING: It could not be fetched. No image is built."; \
	else \
		echo "WARNING: Images are built by root, with buildah, podman, runc, netavark, aardvark-dns, iptables, catatonit and debootstrap. No image is built."; \
	fi

# It pins a boto3 of its own.
$(CHECKOV)/complete:
	@$(PYTHON) -m venv $(CHECKOV) && $(CHECKOV)/bin/pip $(INSTALL) checkov==3.3.30 && touch $@ \
		|| echo "WARNING: checkov could not be fetched. Its rules are not applied to the templates."

# It pins a botocore of its own.
$(MINISTACK)/complete:
	@$(PYTHON) -m venv $(MINISTACK) && $(MINISTACK)/bin/pip $(INSTALL) ministack==1.5.33 && touch $@ \
		|| echo "WARNING: MiniStack could not be fetched. The stack of the template is not made by anybody else's CloudFormation."

# What Glue has, and the modules of its job, pinned to those here; the package itself is the test's. Without it the job is tested in this
# environment alone, and the test says so. Spark 3.5 goes no further than Python 3.11.
$(GLUE)/complete: star_assets_tests/orchestration/glue/pom.xml .venv/demo
	@if $(BIN)/python -c 'import sys; sys.exit(sys.version_info >= (3, 12))' && java -version 2>/dev/null && command -v mvn >/dev/null; then \
		echo "Making an environment for Glue's job (Spark 3.5, 320 MB)."; \
		$(BIN)/python -c 'from star_assets.aws.job_modules import job_modules; print(*job_modules("5.1"), sep="\n")' > .venv/job-modules \
			&& $(PYTHON) -m venv $(GLUE) \
			&& $(GLUE)/bin/pip $(INSTALL) 'pandas>=2.2,<3' boto3 pyspark==3.5.6 \
			&& $(GLUE)/bin/pip $(INSTALL) --no-deps --requirement .venv/job-modules \
			&& mvn --quiet --batch-mode --file $< package -Dglue=$(CURDIR)/$(GLUE) && touch $@ \
			|| echo "WARNING: It could not be made. Glue's job is not tested with Spark 3.5."; \
	else \
		echo "WARNING: There is no Python 3.11, no Java or no Maven here. Glue's job is not tested with Spark 3.5."; \
	fi

# It is made once: PostgreSQL keeps the password that it was begun with.
.env:
	@(umask 077 && $(PYTHON) -c 'import secrets; print(f"POSTGRES_PASSWORD={secrets.token_hex(20)}")' >$@)

.venv/bench: setup.py .venv/demo
	$(BIN)/pip $(INSTALL) --editable '.[aws,moto,spark,tpch]'
	touch $@

# The image of all who run the pipeline without installing it: compose.yaml, and the templates `host` and `schedule`.
# Here: `star-assets` with what it uses on AWS and to pull from PostgreSQL, and Dagster with its history in PostgreSQL.
# Not here: Spark and moto, which neither of them uses.
ARG PYTHON=python:3.11-slim

FROM ${PYTHON} AS build
WORKDIR /source
COPY setup.py pyproject.toml ./
COPY star_assets star_assets
RUN python3 -m venv /opt/star \
    && /opt/star/bin/pip install --no-cache-dir ".[aws,host,postgres]" \
    && /opt/star/bin/pip uninstall --yes pip setuptools

FROM ${PYTHON}
RUN useradd --create-home --uid 1000 star && install -d -o star /data
COPY --from=build /opt/star /opt/star
COPY compose.yaml host /opt/dagster/
ENV PATH=/opt/star/bin:$PATH DAGSTER_HOME=/opt/dagster XDG_CACHE_HOME=/data/cache
USER star
WORKDIR /data
CMD ["star-assets", "--help"]

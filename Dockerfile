# The pipeline's image: `star-assets` with what it uses on AWS and to pull from PostgreSQL.
FROM python:3.11-slim AS wheel
WORKDIR /source
COPY setup.py pyproject.toml ./
COPY star_assets star_assets
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.11-slim
RUN useradd --create-home --uid 1000 star
RUN --mount=type=bind,from=wheel,source=/wheels,target=/wheels \
    pip install --no-cache-dir "$(ls /wheels/star_assets-*.whl)[aws,postgres]"
USER star
WORKDIR /home/star
CMD ["star-assets", "--help"]

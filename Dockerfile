# One image for every process of the stack; docker-compose.yml says which one runs.
FROM python:3.11-slim-bookworm AS build

# The compiler stays behind; without it the loops over bars would be numpy's.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends gcc libc6-dev
WORKDIR /app
COPY requirements/build.txt requirements/
RUN pip install --require-hashes -r requirements/build.txt
COPY pyproject.toml README.md LICENSE ./
COPY scanner scanner
COPY worker worker
COPY scheduler scheduler
COPY views views
COPY simulator simulator
RUN pip wheel --no-deps --no-build-isolation --wheel-dir /wheels .

FROM python:3.11-slim-bookworm

ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 \
    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 \
    CELERY_CUSTOM_WORKER_POOL=worker.pool:FailFastThreadPool

RUN useradd --create-home --uid 1000 scanner
WORKDIR /app

COPY requirements/build.txt requirements/run.txt requirements/
RUN pip install --require-hashes -r requirements/build.txt \
    && pip install --require-hashes --no-build-isolation -r requirements/run.txt

COPY --from=build /wheels /wheels
RUN pip install --no-deps --no-index /wheels/*.whl

USER scanner
WORKDIR /home/scanner
CMD ["scan", "--help"]

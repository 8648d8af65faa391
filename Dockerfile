# One image for every process of ours; compose.yaml says which module each container runs.
FROM python:3.11-slim-bookworm AS build
WORKDIR /tally
COPY requirements/runtime.lock requirements/runtime.lock
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir --require-hashes -r requirements/runtime.lock

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --create-home tally && install -d -o tally /data /keys
WORKDIR /tally
COPY --from=build /venv /venv
COPY schemas schemas
COPY topology topology
COPY commands commands
COPY projections projections
COPY ingest ingest
COPY query_api query_api
COPY web web
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 TALLY_DATA_DIR=/data TALLY_HOST=0.0.0.0
USER 10001
VOLUME /data
CMD ["python", "-m", "query_api"]

# The checkout as an image: `docker build --tag distill .`, then docs/ci.md.
FROM python:3.11-slim-bookworm AS build
WORKDIR /source
COPY . .
RUN python -m venv /opt/distill \
 && /opt/distill/bin/pip install --no-cache-dir --disable-pip-version-check --constraint constraints.txt .

FROM python:3.11-slim-bookworm
# Runs and releases are recorded beside commits.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends git \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --create-home --uid 10001 distill \
 && git config --system --add safe.directory '*'
COPY --from=build /opt/distill /opt/distill
ENV PATH=/opt/distill/bin:$PATH PYTHONDONTWRITEBYTECODE=1
USER 10001
WORKDIR /workspace
ENTRYPOINT ["distill"]
CMD ["--batch"]

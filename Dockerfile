# syntax=docker/dockerfile:1
# An image of dedup with the service, PostgreSQL and compiled kernels. It serves on port 8080, as a user without rights:
#   docker run -p 8080:8080 -e DEDUP_TOKEN=secret -v dedup:/data news-dedup
#   docker run -v "$PWD:/data" news-dedup cluster news.jsonl -o stories.jsonl
ARG PYTHON=3.13

FROM python:${PYTHON}-slim-bookworm AS build
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
# A compiler, for pycld2: it has no wheel for ARM.
# hadolint ignore=DL3008
RUN if [ "$(uname -m)" != x86_64 ]; then \
        apt-get update && apt-get install --yes --no-install-recommends g++ && rm -rf /var/lib/apt/lists/*; \
    fi
RUN python -m venv /opt/dedup
ENV PATH=/opt/dedup/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
COPY pyproject.toml README.md LICENSE hatch_build.py ./
COPY dedup dedup
# The hook would compile in an environment of its own, for one level of the CPU. Here: for each level that the builder has.
# hadolint ignore=DL3013
RUN HATCH_BUILD_NO_HOOKS=true pip install '.[cloud,postgres,serve]' && rm -rf /src/dedup
WORKDIR /
RUN python -m dedup.precompile all

FROM python:${PYTHON}-slim-bookworm
RUN groupadd --system --gid 10001 dedup && useradd --system --uid 10001 --gid dedup --create-home dedup \
    && install --directory --owner dedup --group dedup /data
COPY --from=build /opt/dedup /opt/dedup
ENV PATH=/opt/dedup/bin:$PATH PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/healthz', timeout=4)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["dedup"]
CMD ["serve", "--host", "0.0.0.0", "--index", "/data/seen.db"]

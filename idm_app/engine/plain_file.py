"""A plain file from its first request to its final name."""

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

from idm_app.engine.answers import Answer
from idm_app.engine.messages import Finished, Job, Offered, Probed, Processing
from idm_app.engine.names import safe_name, suggested_name
from idm_app.engine.part_file import PART_NAME, PartFile, check_space, is_elsewhere, publish
from idm_app.engine.progress import StreamCount
from idm_app.engine.reach import Reach
from idm_app.engine.receipt import Receipt
from idm_app.engine.segmented import Fetch
from idm_app.engine.source import Source
from idm_app.engine.surroundings import Stopped, Surroundings
from idm_app.errors import DownloadError

_READ_BYTES = 1 << 20


class LeadsToMedia(Exception):
    """The address is a page, feed or manifest: not a file, but media may be found in it."""


def source_of(job: Job) -> Source:
    """The job's address with all that goes with it."""
    reach = Reach(job.allow_private_addresses, job.blocked_ports)
    return Source(job.url, job.headers, job.referrer, job.cookies, reach)


def fetch_file(job: Job, around: Surroundings) -> Finished:
    """Download ``job``'s address as a file.

    Raises :class:`LeadsToMedia` if the job has no kind yet and the answer is a page, :class:`DownloadError` and
    :class:`Stopped`.
    """
    folder, job_folder = Path(job.folder), Path(job.job_folder)
    receipt = Receipt(job_folder, "file")
    checksums: set[str | None] = {job.checksum}
    part = PartFile(job_folder / PART_NAME)
    part.open()
    part.final_name = safe_name(job.filename) if job.filename else None

    def on_start(answer: Answer, total_bytes: int | None, beginning: bytes) -> None:
        if job.kind is None and (answer.leads_to_media(beginning) or _is_sound_wanted(job, answer)):
            raise LeadsToMedia
        if part.final_name is None:
            part.final_name = suggested_name(answer.headers, answer.url, job.url)
        if not answer.is_encoded:
            checksums.add(answer.digest)
        around.progress.announce(Probed("file", filename=part.final_name, total_bytes=total_bytes))
        if total_bytes is not None:
            check_space(job_folder, total_bytes - around.progress.received_bytes)
            if is_elsewhere(folder, job_folder):
                check_space(folder, total_bytes)

    count = around.progress.add(StreamCount("file"))
    try:
        fetch = Fetch(
            source_of(job), part, count, around, connections=lambda: around.connections.most, on_start=on_start
        )
        total = fetch.run()
    finally:
        part.close()
    around.progress.tick(force=around.progress.has_told)
    for checksum in filter(None, checksums):
        fetch.keep()
        around.progress.send(Processing("verifying"))
        _verify(part.path, checksum, around.stopping)
    try:
        path = publish(part.path, folder, part.final_name or suggested_name({}, job.url, job.url), receipt)
    except DownloadError:
        fetch.keep()
        raise
    receipt.clear_beside()
    return Finished(str(path), total)


def _is_sound_wanted(job: Job, answer: Answer) -> bool:
    """Whether only the sound of this video, or this sound in another format, was asked for."""
    wanted = job.audio_format is not None or job.quality == "audio"
    return wanted and answer.media_type.startswith(("video/", "audio/"))


def probe_file(job: Job, around: Surroundings) -> Offered:
    """What is at ``job``'s address, by the beginning of the first answer. Raises like :func:`fetch_file`."""
    part = PartFile(Path(job.job_folder) / PART_NAME)
    part.open()

    def on_start(answer: Answer, total_bytes: int | None, beginning: bytes) -> None:
        if job.kind is None and answer.leads_to_media(beginning):
            raise LeadsToMedia
        name = suggested_name(answer.headers, answer.url, job.url)
        raise _Known(Offered("file", name, name, total_bytes))

    try:
        Fetch(source_of(job), part, StreamCount("file"), around, connections=lambda: 1, on_start=on_start).run()
    except _Known as known:
        return known.offered
    finally:
        part.close()
    raise DownloadError("unexpected-answer", "it ended before it began")


class _Known(Exception):
    """The first answer has said all."""

    def __init__(self, offered: Offered) -> None:
        super().__init__()
        self.offered = offered


def _verify(path: Path, checksum: str, stopping: Callable[[], bool]) -> None:
    """Raise :class:`DownloadError` unless the file has this checksum (``sha256:hex``), and drop its bytes then."""
    algorithm, _, expected = checksum.partition(":")
    digest = hashlib.new(algorithm.replace("-", ""))
    with path.open("rb") as file:
        while block := file.read(_READ_BYTES):
            digest.update(block)
            if stopping():
                raise Stopped
    if digest.hexdigest() != expected.strip().lower():
        shutil.rmtree(path.parent, ignore_errors=True)
        raise DownloadError("checksum-mismatch", f"{algorithm}:{digest.hexdigest()} came, {checksum} was expected")

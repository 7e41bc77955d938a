"""What is there of a stream, written down every half second, so that a killed worker loses little."""

import threading

from idm_app.engine.answers import Validators
from idm_app.engine.names import safe_name
from idm_app.engine.part_file import PartFile, Ranges, Sidecar, boot_id
from idm_app.engine.segments import Segments

CHECKPOINT_SECONDS = 0.5
SYNC_SECONDS = 5.0
"""How often the disk itself is waited for, in a thread of its own: what a power cut may cost."""


class Checkpoints:
    """The sidecar of one part file while it is being filled."""

    def __init__(self, part: PartFile, now: float) -> None:
        self._part = part
        self._written_at = self._synced_at = now
        self._synced: Ranges = ()
        self._syncing: threading.Thread | None = None

    def take_up(self) -> tuple[Segments, Validators] | None:
        """What an earlier run left; ``None``, and an empty part file, if it is nothing that can be used."""
        sidecar = self._part.read_sidecar()
        if sidecar is not None and sidecar.trusted:
            try:
                segments = Segments.from_received(sidecar.total_bytes, sidecar.trusted)
            except ValueError:
                pass
            else:
                self._synced = sidecar.synced
                if self._part.final_name is None and sidecar.final_name:  # by its first answer; there may be no other
                    self._part.final_name = safe_name(sidecar.final_name)
                return segments, Validators(sidecar.etag, sidecar.last_modified)
        self.clear()
        return None

    def clear(self) -> None:
        """Forget everything."""
        self.close()  # or it would still say of what has gone that it is on the disk
        self._synced = ()
        self._part.clear()

    def is_due(self, now: float) -> bool:
        """Whether it is time for the next one."""
        return now - self._written_at >= CHECKPOINT_SECONDS

    def write(self, segments: Segments, validators: Validators, now: float) -> None:
        """Write down ``segments``, of which everything has been handed to the part file."""
        self._written_at = now
        if (
            (received := self.note(segments, validators))
            and now - self._synced_at >= SYNC_SECONDS
            and not (self._syncing and self._syncing.is_alive())
        ):
            self._synced_at = now
            self._syncing = threading.Thread(target=self._sync, args=(received,), name="sync", daemon=True)
            self._syncing.start()

    def note(self, segments: Segments, validators: Validators) -> Ranges:
        """As :meth:`write`, without waiting for the disk: also after :meth:`close`. Returns what was written down."""
        total, received = segments.total, tuple(segments.received_ranges())
        if total is None or not received:
            return ()  # nothing can be resumed: the whole is not known, or no byte has come yet
        self._part.write_sidecar(
            Sidecar(
                total,
                received,
                self._synced,
                validators.etag,
                validators.last_modified,
                boot_id(),
                self._part.final_name,
            )
        )
        return received

    def close(self) -> None:
        """The part file may be closed or emptied after this."""
        if self._syncing:
            self._syncing.join()

    def _sync(self, received: Ranges) -> None:
        self._part.sync()
        self._synced = received

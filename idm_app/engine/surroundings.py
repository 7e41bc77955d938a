"""What everything in one worker shares."""

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event

from idm_app.engine.progress import Progress
from idm_app.engine.throttle import TokenBucket


class Stopped(Exception):
    """The worker was told to stop. Not an error: everything received is kept."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The rate limit, the way out for reports, and whether to stop."""

    bucket: TokenBucket
    progress: Progress
    stopping: Callable[[], bool]
    concluding: Event = field(default_factory=Event)
    """Set when what has no end of its own is to be ended with what is there: a recording."""

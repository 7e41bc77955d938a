"""The table of doors: what each path needs. The first row that fits counts; a path without a row needs everything.

Standard library only.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class Scope(StrEnum):
    """What a token may do. ``ADMIN`` includes the others; every token may look at the list and the feed."""

    SUBMIT = "submit"
    """Add downloads, ask what an address offers."""
    CONTROL = "control"
    """Pause, resume, change, remove; fetch finished files."""
    ADMIN = "admin"
    """Settings, tokens, pairing, and the dashboard."""


Need = frozenset[Scope]
"""Any one of these opens the door; empty: it stands open."""

OPEN: Need = frozenset()
LOOK: Need = frozenset(Scope)
SUBMIT: Need = frozenset({Scope.SUBMIT, Scope.ADMIN})
CONTROL: Need = frozenset({Scope.CONTROL, Scope.ADMIN})
ADMIN: Need = frozenset({Scope.ADMIN})

_READ = "GET|HEAD"
_DOORS: tuple[tuple[str, str, Need], ...] = (
    # methods (a WebSocket is a GET), path, what it needs
    (_READ, r"/api/health|/login", OPEN),
    ("POST", r"/api/(login|logout)|/api/pairings/[^/]+", OPEN),
    (_READ, r"/api/downloads(/[0-9]+)?|/list|/api/stats|/ws|/api/feed", LOOK),
    ("POST", r"/api/downloads|/download|/api/probe", SUBMIT),
    ("POST|PATCH|DELETE", r"/api/downloads/.+", CONTROL),
    (_READ, r"/api/downloads/[0-9]+/(file|preview)|/api/files\.zip|/api/settings", CONTROL),
)
_TABLE = [(re.compile(methods), re.compile(path), need) for methods, path, need in _DOORS]


def need_of(method: str, path: str) -> Need:
    """What ``method`` on ``path`` (decoded, without the root path) needs."""
    for methods, paths, need in _TABLE:
        if methods.fullmatch(method) and paths.fullmatch(path):
            return need
    return ADMIN


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: this machine on a loopback server, a signed-in browser, or the holder of a token."""

    kind: Literal["local", "session", "token"]
    id: str
    scopes: frozenset[Scope]

    def may(self, need: Need) -> bool:
        """Whether the door opens."""
        return not need or not need.isdisjoint(self.scopes)


LOCAL = Caller("local", "local", ADMIN)

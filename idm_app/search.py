"""Whether a download fits what somebody typed: every word is in its name, file name or address, or its number. Pure."""

from functools import lru_cache

from idm_app.model import Download

_REMEMBERED = 50_000
"""Downloads whose searched text is kept, so that 10,000 of them cost a few milliseconds at each key."""


def words_of(text: str) -> tuple[str, ...]:
    """What :func:`contains` looks for, from what was typed."""
    return tuple(text.casefold().split())


def contains(download: Download, words: tuple[str, ...]) -> bool:
    """Whether every one of ``words`` is somewhere in ``download``, or its number as ``#7``."""
    if not words:
        return True
    searched = _searched(download.title, download.filename, download.request.url)
    return all(word in searched or word == f"#{download.id}" for word in words)


@lru_cache(_REMEMBERED)
def _searched(title: str | None, filename: str | None, url: str) -> str:
    return f"{title or ''} {filename or ''} {url}".casefold()

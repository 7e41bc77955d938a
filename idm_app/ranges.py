"""Many ids in few characters, ``1-40,42``, so that ten thousand fit into an address. Pure."""

from collections.abc import Iterable

from idm_app.errors import InvalidField

MAX_IDS = 20_000


def ranges(ids: Iterable[int]) -> str:
    """``[1, 2, 3, 5]`` → ``1-3,5``."""
    runs: list[list[int]] = []
    for one in sorted(set(ids)):
        if runs and one == runs[-1][1] + 1:
            runs[-1][1] = one
        else:
            runs.append([one, one])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)


def parse_ranges(text: str, field: str = "ids") -> list[int]:
    """The inverse of :func:`ranges`. Raises :class:`InvalidField`."""
    ids: list[int] = []
    for part in text.split(","):
        first, dash, last = part.partition("-")
        if not (first.isascii() and first.isdigit() and (last.isascii() and last.isdigit() if dash else True)):
            raise InvalidField(field, "Write ids and ranges of ids with commas between them, such as 1-40,42.")
        start, stop = int(first[:12]), int((last or first)[:12])
        if stop - start + len(ids) >= MAX_IDS:
            raise InvalidField(field, f"More than {MAX_IDS} files at once. Fetch them in several parts.")
        ids.extend(range(start, stop + 1))
    return list(dict.fromkeys(ids))

"""What is typed, pasted or dropped, as addresses. Pure."""

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping

from idm_app.address import checked_address
from idm_app.dashboard.words import Words
from idm_app.errors import InvalidAddress

MOST_ADDRESSES = 20_000

_BETWEEN_ADDRESSES = re.compile(r"\s*[\r\n]+\s*|\s+(?=https?://)", re.IGNORECASE)
_ADDRESS = re.compile(r"https?://[^\s<>\"]+", re.IGNORECASE)
_ENDS = ".,;:!?'*`"
_OPENED_BY = {")": "(", "]": "[", "}": "{"}
_MOST_SHARED_CHARACTERS = 10_000
_RANGE = re.compile(r"\[(?:(\d{1,9})-(\d{1,9})|([a-z])-([a-z])|([A-Z])-([A-Z]))\]")

Problems = list[tuple[str, str]]
"""Addresses, each with the reason why it cannot be downloaded."""


def split_addresses(text: str) -> list[str]:
    """Every line is an address; so is what follows a blank and begins with ``http``. Blanks inside one stay.

    A range in brackets stands for all it holds, as in IDM's batch: ``file[001-100].zip``, ``part[a-f].rar``.
    At most :data:`MOST_ADDRESSES` and one more, so that too many can be told from enough.
    """
    parts = (part for part in _BETWEEN_ADDRESSES.split(text.strip()) if part)
    every = itertools.chain.from_iterable(map(_spread, parts))
    return list(itertools.islice(every, MOST_ADDRESSES + 1))


def found_addresses(text: str) -> str:
    """The addresses in what is pasted or dropped anywhere on the page, one a line.

    Of running text, only they are left. A line that is one address, or one word (a wrong address), stays as it is.
    """
    return "\n".join(itertools.chain.from_iterable(map(_of_line, text.strip().splitlines())))


def shared_addresses(query: Mapping[str, str]) -> str:
    """The addresses in what a bookmarklet (``add``) or a phone's share menu sends.

    The latter's names stand in ``assets/manifest.webmanifest`` under ``share_target``.
    """
    told = " ".join(query.get(name, "") for name in ("add", "url", "text", "title"))[:_MOST_SHARED_CHARACTERS]
    return "\n".join(dict.fromkeys(_ADDRESS.findall(told)))


def sort_out(addresses: list[str], words: Words) -> tuple[list[str], Problems]:
    """What can be downloaded, and the rest, each with the reason."""
    good, bad = [], []
    for address in addresses:
        try:
            good.append(checked_address(address))
        except InvalidAddress as error:
            bad.append((address, words.refusal(error)))
    return good, bad


def _of_line(line: str) -> Iterable[str]:
    line = line.strip()
    if _ADDRESS.match(line) or len(line.split()) == 1:
        return [line]
    return map(_without_punctuation, _ADDRESS.findall(line))


def _without_punctuation(address: str) -> str:
    """Without what belongs to the sentence around it; a bracket that was opened in the address belongs to that."""
    while address[-1] in _ENDS or _closes_nothing(address):
        address = address[:-1]
    return address


def _closes_nothing(address: str) -> bool:
    last = address[-1]
    return last in _OPENED_BY and address.count(_OPENED_BY[last]) < address.count(last)


def _spread(address: str) -> Iterator[str]:
    found = _RANGE.search(address)
    if found is None:
        yield address
        return
    for part in _parts(*found.groups()):
        yield from _spread(address[: found.start()] + part + address[found.end() :])


def _parts(first: str | None, last: str | None, *letters: str | None) -> Iterator[str]:
    if first is not None and last is not None:
        width = len(first) if first.startswith("0") else 1
        return (str(number).zfill(width) for number in _from_to(int(first), int(last)))
    start, end = (ord(letter) for letter in letters if letter is not None)
    return map(chr, _from_to(start, end))


def _from_to(first: int, last: int) -> range:
    return range(first, last + 1) if first <= last else range(first, last - 1, -1)

"""Which downloads of a tab are selected, as IDM and every file manager do it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self


@dataclass(frozen=True, slots=True)
class Selection:
    """Ids, also of other pages of the view, and the one that a range begins at."""

    ids: frozenset[int] = frozenset()
    anchor: int | None = None

    def picked(self, download_id: int, how: str, shown: Sequence[int]) -> Self:
        """After a pick in ``shown``, all ids of the view in order.

        ``how``: ``only`` (a click), ``toggle`` (with Ctrl, a check box) or ``range`` (with Shift, from the anchor).
        """
        if how == "toggle":
            return replace(self, ids=self.ids ^ {download_id}, anchor=download_id)
        if how == "range" and self.anchor in shown and download_id in shown:
            first, last = sorted((shown.index(self.anchor), shown.index(download_id)))
            return replace(self, ids=frozenset(shown[first : last + 1]))
        return replace(self, ids=frozenset({download_id}), anchor=download_id)

    def within(self, shown: Sequence[int]) -> Self:
        """Without what ``shown`` has no more."""
        return replace(self, ids=self.ids.intersection(shown)) if self.ids else self

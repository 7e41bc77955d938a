"""Dividing what there is among those who want it. Pure."""

from collections.abc import Mapping


def fair_shares(limit: float, demands: Mapping[int, float]) -> dict[int, float]:
    """What each gets: the same for all, and what one cannot use is for the others (max-min fairness).

    Together never more than ``limit``.
    """
    given: dict[int, float] = {}
    left = limit
    modest_first = sorted(demands, key=lambda number: demands[number])
    for place, number in enumerate(modest_first):
        given[number] = min(left / (len(modest_first) - place), demands[number])
        left -= given[number]
    return given

"""Numbers read the same in Python and in the extension: both are held to one table."""

import json
from pathlib import Path

import pytest

from idm_app import units

TABLE = json.loads((Path(__file__).parent.parent / "units_table.json").read_text())
FORMATS = {
    "bytes": units.format_bytes,
    "rate": units.format_rate,
    "duration": units.format_duration,
    "percent": units.format_percent,
}


@pytest.mark.parametrize(
    ("name", "value", "text"), [(name, *case) for name, cases in TABLE.items() if name in FORMATS for case in cases]
)
def test_shared_table(name: str, value: float | None, text: str) -> None:
    assert FORMATS[name](value) == text


def test_instants_survive_a_round_trip() -> None:
    now = units.utc_now()
    text = units.format_instant(now)
    assert text is not None
    assert text.endswith("Z")
    parsed = units.parse_instant(text)
    assert parsed is not None
    assert abs((parsed - now).total_seconds()) < 0.001

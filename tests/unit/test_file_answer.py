"""Which ranges are sent, and how a name is told."""

import pytest

from idm_app.api.file_answer import name_parameters, satisfiable
from idm_app.engine.names import disposition_name


@pytest.mark.parametrize(
    ("asked", "parts"),
    [
        ("bytes=0-9", [(0, 10)]),
        ("BYTES = 0-9", [(0, 10)]),
        ("bytes=90-", [(90, 100)]),
        ("bytes=90-200", [(90, 100)]),
        ("bytes=-7", [(93, 100)]),
        ("bytes=-700", [(0, 100)]),
        ("bytes=0-1, 5-6,", [(0, 2), (5, 7)]),
        ("bytes=0-1,100-", [(0, 2)]),
        ("bytes=100-", []),
        ("bytes=-0", []),
        ("bytes=9-0", None),
        ("bytes=0-1,9-0", None),
        ("bytes=abc", None),
        ("bytes=+1-2", None),
        ("bytes=1_0-20", None),
        ("bytes=٣-4", None),
        ("bytes=", None),
        ("items=0-9", None),
        ("nonsense", None),
    ],
)
def test_ranges(asked: str, parts: list[tuple[int, int]] | None) -> None:
    found = satisfiable(asked, 100)
    assert (found and [(part.start, part.stop) for part in found]) == (parts or found)
    assert (found is None) == (parts is None)


@pytest.mark.parametrize("name", ["a.zip", "a b (1).zip", "näme – 日本.zip", 'a"b;c.zip', "100%20 sure.zip", "😀"])
def test_a_name_comes_through(name: str) -> None:
    header = f"attachment; {name_parameters(name)}"
    assert header.isascii()
    assert disposition_name(header) == name


def test_who_knows_only_the_plain_name_gets_one_with_its_extension() -> None:
    assert name_parameters("näme.zip") == "filename=\"n_me.zip\"; filename*=UTF-8''n%C3%A4me.zip"
    assert name_parameters("name.zip") == 'filename="name.zip"'

"""Files sort themselves."""

import pytest

from idm_app.categories import category_of
from idm_app.model import Kind


@pytest.mark.parametrize(
    ("name", "kind", "category"),
    [
        ("a.ZIP", None, "compressed"), ("a.tar.gz", None, "compressed"), ("a.pdf", None, "documents"),
        ("a.mp3", Kind.MEDIA, "music"), ("setup.exe", None, "programs"), ("film.mkv", None, "video"),
        ("film", Kind.MEDIA, "video"), ("film", None, "other"), (None, None, "other"), ("a.xyz", None, "other"),
    ],
)  # fmt: skip
def test_category(name: str | None, kind: Kind | None, category: str) -> None:
    assert category_of(name, kind) == category

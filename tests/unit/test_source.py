"""Where redirects lead, as servers write it."""

import pytest

from idm_app.engine.reach import Reach
from idm_app.engine.source import redirected
from idm_app.errors import DownloadError

FROM = "http://a.example/b/c.zip?d=e"


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/x y.zip?q=a b", "http://a.example/x%20y.zip?q=a%20b"),
        ("/x%20y.zip?q=a%2Bb+c", "http://a.example/x%20y.zip?q=a%2Bb+c"),
        ("/ü.zip".encode().decode("latin-1"), "http://a.example/%C3%BC.zip"),
        ("/\xfc.zip", "http://a.example/%FC.zip"),
        ('/a<b>"{c}|^`\\d', "http://a.example/a%3Cb%3E%22%7Bc%7D%7C%5E%60%5Cd"),
        ("d.zip#part", "http://a.example/b/d.zip"),
        ("?f=g", "http://a.example/b/c.zip?f=g"),
        ("//other.example:81/x", "http://other.example:81/x"),
        ("http://bücher.example:81/x".encode().decode("latin-1"), "http://xn--bcher-kva.example:81/x"),
        (" \thttp://other.example/x\x00 ", "http://other.example/x"),
    ],
)
def test_a_redirect_leads_where_a_browser_would_go(location: str, target: str) -> None:
    assert redirected(FROM, location, Reach()) == target


@pytest.mark.parametrize("location", ["http://[::1", "http://a\xff.example/", "ftp://x/", "http://x:99999/"])
def test_a_redirect_that_leads_nowhere(location: str) -> None:
    with pytest.raises(DownloadError) as refusal:
        redirected(FROM, location, Reach())
    assert refusal.value.failure_code == "invalid-address"

"""Which addresses and folders are taken."""

import pytest

from idm_app.address import check_never_reached, checked_address, safe_directory
from idm_app.errors import InvalidAddress, InvalidField


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("https://example.org/a.zip", "https://example.org/a.zip"),
        ("  http://example.org/a b.zip \n", "http://example.org/a%20b.zip"),
        ("https://example.org/ü?q=é#ß", "https://example.org/%C3%BC?q=%C3%A9#%C3%9F"),
        ("https://bücher.example/x", "https://xn--bcher-kva.example/x"),
        ("http://[::1]:8080/x", "http://[::1]:8080/x"),
        ("https://example.org/%E4%BD%A0?a=1%202", "https://example.org/%E4%BD%A0?a=1%202"),
        ("HTTPS://EXAMPLE.org/A", "https://example.org/A"),
    ],
)
def test_addresses_that_are_taken(text: str, address: str) -> None:
    assert checked_address(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "", "   ", "example.org/a", "file:///etc/passwd", "javascript:alert(1)", "ftp://example.org/a", "magnet:?xt=1",
        "http://", "http:///x", "https://user:pw@example.org/", "https://user@example.org/", "http://exa\nmple.org/",
        "http://example.org/\x00", "http://example.org/\x1b[31m", "http://example.org/\ud800", "http://example.org:99999/",
        "http://[::1/", "http://" + "a" * 64 + ".org/", "http://" + "a." * 130 + "org/", "http://é" + "a" * 70 + "/",
        "http://example.org/" + "a" * 10_000, "--exec=rm", "ytsearch:cats",
    ],
)  # fmt: skip
def test_addresses_that_are_refused(text: str) -> None:
    with pytest.raises(InvalidAddress) as refused:
        checked_address(text)
    assert str(refused.value).endswith(".")


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "169.254.43518", "0", "0.0.0.0",
        "[::ffff:169.254.169.254]", "[::ffff:a9fe:a9fe]", "[64:ff9b::a9fe:a9fe]", "[2002:a9fe:a9fe::]", "[fe80::1]",
        "[::]", "[fd00:ec2::254]", "100.100.100.200", "224.0.0.1", "①⑥⑨.②⑤④.①⑥⑨.②⑤④",
        "127.0.0.1:8000", "127.1:8000", "2130706433:8000", "localhost:8000", "[::1]:8000", "[::ffff:7f00:1]:8000",
        "0x7f.1:8765",
    ],
)  # fmt: skip
def test_what_is_never_reached_is_refused_at_once_however_it_is_spelled(host: str) -> None:
    with pytest.raises(InvalidAddress) as refused:
        check_never_reached(checked_address(f"http://{host}/x"), (8000, 8765), "urls[3]")
    assert refused.value.field == "urls[3]"


@pytest.mark.parametrize("host", ["127.0.0.1", "10.0.0.1:8000", "[::1]", "localhost:8001", "8.8.8.8:8000", "a.example"])
def test_what_may_be_reached_somewhere_is_taken(host: str) -> None:
    check_never_reached(checked_address(f"http://{host}/x"), (8000, 8765))


@pytest.mark.parametrize(("text", "folder"), [("a", "a"), ("a/b c/d", "a/b c/d"), ("a\\b", "a/b"), ("a//b/", "a/b")])
def test_folders_that_are_taken(text: str, folder: str) -> None:
    assert safe_directory(text) == folder


@pytest.mark.parametrize(
    "text", ["..", "a/../b", "/etc", "\\\\host\\x", "~/x", "a/./b", "C:x", "a\x00", "x" * 201, "/", " a", "a.", "con?"]
)
def test_folders_that_are_refused(text: str) -> None:
    with pytest.raises(InvalidField):
        safe_directory(text)

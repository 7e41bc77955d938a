"""Which addresses and folders are taken."""

from contextlib import suppress
from ipaddress import IPv4Address
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

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
        "http:// 0/", "http://example.org/\x00", "http://example.org/\x1b[31m", "http://example.org/\ud800",
        "http://example.org:99999/", "http://[::1/", "http://" + "a" * 64 + ".org/",
        "http://" + "a." * 130 + "org/", "http://a..b/", "http://.example/", "http://example.org../",
        "http://é" + "a" * 70 + "/",
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
        "0x7f.1:8765", "169.254.169.254.", "localhost.:8000", "any.localhost:8000",
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


_PARTS = st.sampled_from(
    ["http://", "https:", "//", "@", ":", "[", "]", "::1", "%", "?", "#", "\\", "/", "..", "ü", "。", "\u202e"]
)


@given(st.one_of(st.text(), st.lists(st.one_of(_PARTS, st.text(max_size=4))).map("".join)))
@example("http://a。b/")
@example("http://[fe80::1%25eth0]/")
def test_any_text_is_refused_or_becomes_an_address_that_stays_as_it_is(text: str) -> None:
    with suppress(InvalidAddress):
        address = checked_address(text)
        parts = urlsplit(address)
        assert address.isascii()
        assert address.isprintable()
        assert " " not in address
        assert parts.scheme in ("http", "https")
        assert parts.hostname
        assert "@" not in parts.netloc
        assert checked_address(address) == address


_NEVER = st.one_of(
    *(
        st.integers(int(IPv4Address(first)), int(IPv4Address(last))).map(IPv4Address)
        for first, last in (
            ("0.0.0.0", "0.255.255.255"),
            ("169.254.0.0", "169.254.255.255"),
            ("100.100.100.200", "100.100.100.200"),
            ("224.0.0.0", "239.255.255.255"),
        )
    )
)
_SPELLINGS = st.sampled_from(
    [
        "{0}", "{1}", "{1:#x}", "0{1:o}", "{2}.{3}.{4}.{5}", "{2:#x}.{3}.0{4:o}.{5}", "{2}.{6}",
        "[::ffff:{0}]", "[64:ff9b::{0}]", "[::ffff:{7:x}:{8:x}]", "[2002:{7:x}:{8:x}::1]",
    ]
)  # fmt: skip


@given(_NEVER, _SPELLINGS, st.sampled_from(["", ":81"]))
def test_what_is_never_reached_is_known_in_every_spelling(never: IPv4Address, spelling: str, port: str) -> None:
    number, packed = int(never), never.packed
    host = spelling.format(never, number, *packed, number & 0xFFFFFF, number >> 16, number & 0xFFFF)
    with pytest.raises(InvalidAddress):
        check_never_reached(checked_address(f"http://{host}{port}/latest"), ())

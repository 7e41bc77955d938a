"""File names from headers and addresses, also from servers that mean harm."""

import unicodedata
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idm_app.engine.names import disposition_name, numbered, safe_name, suggested_name


def from_header(value: str | bytes) -> str:
    text = value.decode("latin-1") if isinstance(value, bytes) else value
    return suggested_name({"content-disposition": text}, "http://x/url-name.bin", "http://x/url-name.bin")


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ('attachment; filename="plain.zip"', "plain.zip"),
        ("attachment; filename=token.zip", "token.zip"),
        ('filename="no type.zip"', "no type.zip"),
        ("attachment; FileName = spaced.zip ", "spaced.zip"),
        ("attachment; filename*=UTF-8''na%C3%AFve%20%D1%84.zip", "naïve ф.zip"),
        ("attachment; filename=\"fallback.zip\"; filename*=UTF-8''b%C3%A9.zip", "bé.zip"),
        ("attachment; filename*=iso-8859-1'en'%A3%20rates.txt", "£ rates.txt"),
        ("attachment; filename*=UTF-8''%e9.txt", "é.txt"),
        ("attachment; filename*=unknown'en'a.txt", "a.txt"),
        ("attachment; filename*0=long; filename*1=er.txt", "longer.txt"),
        ("attachment; filename*0*=UTF-8''%C3%A9; filename*1*=t%C3%A9.txt", "été.txt"),
        ('attachment; filename="日本語.zip"'.encode(), "日本語.zip"),
        ('attachment; filename="caf\u00e9.zip"'.encode("latin-1"), "café.zip"),
        ('attachment; filename="=?UTF-8?B?0YTQsNC50LsucGRm?="', "файл.pdf"),
        ('attachment; filename="=?UTF-8?Q?caf=C3=A9.pdf?="', "café.pdf"),
        ('attachment; filename="=?bad?B?!!?="', "=_bad_B_!!_="),
        ('attachment; filename="na%C3%AFve.zip"', "naïve.zip"),
        ('attachment; filename="100%.zip"', "100%.zip"),
        (r'attachment; filename="quo\"te.zip"', "quo_te.zip"),
        ('attachment; filename="a; filename=b.zip"', "a; filename=b.zip"),
        ('attachment; filename="one.zip"; filename="two.zip"', "one.zip"),
        ("attachment", "url-name.bin"),
        ('attachment; filename=""', "url-name.bin"),
        ('attachment; filename="../"', "url-name.bin"),
    ],
)
def test_the_name_of_a_header(header: str | bytes, name: str) -> None:
    assert from_header(header) == name


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd", "/etc/passwd", "..\\..\\boot.ini", "C:\\Windows\\x.exe", "\\\\server\\share\\x",
        "..%2f..%2fx", "..././x", "a\0b", "a\r\nSet-Cookie: x", "\x1b[31mred", "\u202egnp.exe", "zero\u200bwidth",
        "CON", "nul.txt", "COM1.log", "LPT¹", "dots...", "blank ", "stream:ads.txt", "wild*?.txt", ".", "..",
        ".bashrc", "-rf", "~/x", "~x", "x" * 10_000, "🎉" * 400 + ".txt", "e\u0301.txt", "evil.desktop", "go.url",
        "x.lnk", "half.part", "<img src=x>.html", "%(title)s.exe", "$(reboot)", "`id`", "\ud800", "\u2028", "...",
        "- - -", "aux.c", "con .txt",
    ],
)  # fmt: skip
def test_hostile_names_become_harmless(name: str) -> None:
    assert_harmless(safe_name(name))
    assert_harmless(from_header(f'attachment; filename="{name.encode("utf-8", "replace").decode("latin-1")}"'))
    path = quote(name, safe="/", errors="replace")
    assert_harmless(suggested_name({}, f"http://x/{path}", f"http://x/{path}"))


def assert_harmless(name: str) -> None:
    assert name
    assert len(name.encode()) <= 200
    assert unicodedata.normalize("NFC", name) == name
    assert not set(name) & set('<>:"/\\|?*')
    assert not {unicodedata.category(character) for character in name} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert name[0] not in ".-~ "
    assert name[-1] not in ". "
    assert name.split(".")[0].strip().upper() not in {"CON", "PRN", "AUX", "NUL", "COM1", "LPT1", "LPT¹"}
    assert not name.lower().endswith((".desktop", ".url", ".lnk", ".part"))


@given(st.text())
def test_every_text_becomes_a_harmless_name_that_stays_as_it_is(text: str) -> None:
    name = safe_name(text)
    assert_harmless(name)
    assert safe_name(name) == name


@given(st.binary(max_size=300))
def test_no_header_breaks_it(raw: bytes) -> None:
    disposition_name(f"attachment; filename={raw.decode('latin-1')}")
    disposition_name(raw.decode("latin-1"))
    assert_harmless(from_header(raw))


def test_a_long_name_keeps_its_extension() -> None:
    assert safe_name("я" * 300 + ".tar.gz").endswith("я.tar.gz")


@pytest.mark.parametrize(
    ("url", "first_url", "headers", "name"),
    [
        ("http://x/a/file.zip?token=1#part", None, {}, "file.zip"),
        ("http://x/my%20file%2Bplus.zip", None, {}, "my file+plus.zip"),
        ("http://x/%D1%84.zip", None, {}, "ф.zip"),
        ("http://x/caf%E9.txt", None, {}, "café.txt"),
        ("http://x/", None, {}, "download"),
        ("http://x", None, {}, "download"),
        ("http://cdn/4f2a", "http://x/tool.exe", {}, "tool.exe"),
        ("http://cdn/real.exe", "http://x/get.php", {}, "real.exe"),
        ("http://x/report", None, {"content-type": "application/pdf"}, "report.pdf"),
        ("http://x/report", None, {"content-type": "application/octet-stream"}, "report"),
        ("http://x/report.v2", None, {"content-type": "application/pdf"}, "report.v2"),
    ],
)
def test_the_name_of_an_address(url: str, first_url: str | None, headers: dict[str, str], name: str) -> None:
    assert suggested_name(headers, url, first_url or url) == name


@pytest.mark.parametrize(
    ("name", "second"),
    [("a.zip", "a (1).zip"), ("a", "a (1)"), ("a.tar.gz", "a (1).tar.gz"), ("v1.2 final", "v1.2 final (1)")],
)
def test_a_taken_name_is_numbered_before_its_extension(name: str, second: str) -> None:
    assert numbered(name, 0) == name
    assert numbered(name, 1) == second

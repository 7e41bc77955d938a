"""What is typed or pasted into the URL field."""

import pytest

from idm_app.dashboard.addresses import MOST_ADDRESSES, found_addresses, sort_out, split_addresses
from idm_app.dashboard.words import words_in


def test_one_address_on_each_line() -> None:
    assert split_addresses("  https://a.example/1 \r\n\n\thttps://b.example/2\n") == [
        "https://a.example/1",
        "https://b.example/2",
    ]


def test_several_on_one_line_and_blanks_inside_an_address() -> None:
    assert split_addresses("https://a.example/one file.zip HTTP://b.example/2") == [
        "https://a.example/one file.zip",
        "HTTP://b.example/2",
    ]


def test_nothing() -> None:
    assert split_addresses(" \n ") == []


def test_bad_ones_come_back_with_the_reason() -> None:
    good, bad = sort_out(["https://a.example/1", "ftp://b.example/2", "https://a.example/x y"], words_in("en"))
    assert good == ["https://a.example/1", "https://a.example/x%20y"]
    assert [address for address, _ in bad] == ["ftp://b.example/2"]
    assert "http://" in bad[0][1]


@pytest.mark.parametrize(
    ("pattern", "first", "last", "count"),
    [
        ("https://a.example/f[001-100].zip", "f001.zip", "f100.zip", 100),
        ("https://a.example/f[8-12].zip", "f8.zip", "f12.zip", 5),
        ("https://a.example/f[3-1].zip", "f3.zip", "f1.zip", 3),
        ("https://a.example/f.r[a-c]", "f.ra", "f.rc", 3),
        ("https://a.example/s[1-2]e[01-10].mkv", "s1e01.mkv", "s2e10.mkv", 20),
    ],
)
def test_a_range_in_brackets_stands_for_all_it_holds(pattern: str, first: str, last: str, count: int) -> None:
    addresses = [address.removeprefix("https://a.example/") for address in split_addresses(pattern)]
    assert (addresses[0], addresses[-1], len(addresses)) == (first, last, count)


def test_what_only_looks_like_a_range_stays() -> None:
    for address in ("http://[::1]:8000/a", "https://a.example/[1]", "https://a.example/[a-3]", "https://a.example/[1-"):
        assert split_addresses(address) == [address]


def test_an_endless_range_ends() -> None:
    assert len(split_addresses("https://a.example/[0-999999999][0-999999999]")) == MOST_ADDRESSES + 1


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("https://a.example/1\n\n ftp://b.example/2 ", "https://a.example/1\nftp://b.example/2"),
        ("https://a.example/with blank.zip", "https://a.example/with blank.zip"),
        ("file: https://a.example/[1-3].zip!", "https://a.example/[1-3].zip"),
        ("- [a](https://a.example/1), 'https://b.example/2' and more", "https://a.example/1\nhttps://b.example/2"),
        ("see https://a.example/x_(y)) or not", "https://a.example/x_(y)"),
        ("nothing in here\nhttps://a.example/1", "https://a.example/1"),
    ],
)
def test_of_running_text_the_addresses_are_left(text: str, found: str) -> None:
    assert found_addresses(text) == found

"""What is typed or pasted into the URL field."""

from idm_app.dashboard.adding import sort_out, split_addresses
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

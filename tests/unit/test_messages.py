"""The border's lines."""

import pytest

from idm_app.engine.messages import (
    Conclude,
    Expanded,
    Failed,
    Finished,
    Job,
    Limit,
    Noted,
    Offered,
    Probed,
    Processing,
    Progressed,
    Ready,
    decode,
    encode,
)

MESSAGES = [
    Job(
        1,
        "http://x/ф",
        "/f",
        "/j",
        subtitles=("en", "de"),
        headers=(("A", "b"),),
        cookies=({"name": "n", "value": "v"},),
        blocked_ports=(1, 2),
    ),
    Limit(5),
    Limit(None),
    Conclude(),
    Probed("file", "t", "n", 5, True),
    Progressed(1, 2, False, 3.5, None, "video", 4, ((0, 5, 1),), (("video", 1, None, False),)),
    Processing("merging"),
    Processing("converting", 95.5),
    Noted("stream-lost", (("error", "line\nbreak"),)),
    Expanded("t", ({"url": "http://x", "title": None},)),
    Offered("media", "t", formats=({"format_id": "1"},), subtitles=("en",), extraction='{"a": "ф"}'),
    Finished("/f/x", 9, ("/f/x.en.vtt",)),
    Failed("not-found", "m", "d", False, 3.0),
    Ready(),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_every_message_comes_back_as_it_was_in_one_line(message: object) -> None:
    line = encode(message)  # type: ignore[arg-type]
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert decode(line) == message


def test_what_a_newer_peer_adds_is_left_out() -> None:
    assert decode(b'{"type": "limit", "bytes_per_second": 1, "new": true}') == Limit(1)


@pytest.mark.parametrize(
    "line", [b"", b"{", b"[]", b"null", b'"x"', b"{}", b'{"type": "unknown"}', b'{"type": 5}', b"\xff"]
)
def test_what_is_no_message_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError, match="not a message"):
        decode(line)

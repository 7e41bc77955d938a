"""What sites and yt-dlp say, in its own words, as our codes; and every code has words that say what to do."""

import pytest

from idm_app.engine.media_failures import media_failure
from idm_app.errors import FAILURES

WORDS = [
    ("ERROR: [youtube] a: Private video. Sign in if you've been granted access to this video", "private-media"),
    ("ERROR: [vimeo] 1: This video is private", "private-media"),
    (
        "ERROR: [youtube] a: Sign in to confirm your age. This video may be inappropriate for some users",
        "login-required",
    ),
    ("ERROR: [youtube] a: Sign in to confirm you\u2019re not a bot. Use --cookies-from-browser", "login-required"),
    ("ERROR: [youtube] a: Join this channel to get access to members-only content", "login-required"),
    ("ERROR: [patreon] 1: This video is only available for registered users. Log in first", "login-required"),
    (
        "ERROR: [x] a: The uploader has not made this video available in your country. You might want to use a VPN",
        "not-in-your-country",
    ),
    ("ERROR: [bbc] a: This content is not available in your location", "not-in-your-country"),
    ("ERROR: [youtube] a: Video unavailable. This video has been removed by the uploader", "not-available"),
    ("ERROR: [youtube] a: This video is no longer available due to a copyright claim", "not-available"),
    ("ERROR: [x] This video is DRM protected", "drm-protected"),
    ("ERROR: Unsupported URL: https://example.org/", "no-media"),
    ("ERROR: [youtube] a: Premieres in 3 hours", "live-not-started"),
    ("ERROR: [x] a: Requested format is not available. Use --list-formats", "format-not-available"),
    ("ERROR: [x] a: Unable to download webpage: HTTP Error 404: Not Found", "not-found"),
    ("ERROR: ffmpeg exited with code 183", "not-fetched"),
    ("ERROR: Postprocessing: Conversion failed!", "merge-failed"),
    ("ERROR: [x] a: HTTP Error 429: Too Many Requests", "server-busy"),
    ("ERROR: [x] a: Unable to extract title; please report this issue on https://github.com/x", "extraction-failed"),
]


@pytest.mark.parametrize(("words", "code"), WORDS, ids=[words[:60] for words, _ in WORDS])
def test_words_become_a_code(words: str, code: str) -> None:
    assert media_failure(RuntimeError(words)).failure_code == code


def test_secrets_in_addresses_and_calls_for_reports_are_left_out() -> None:
    words = "ERROR: Unable to open https://a.example/x?token=secret; please report this issue on https://github.com"
    assert media_failure(RuntimeError(words)).detail == "Unable to open https://a.example/x?…"


@pytest.mark.parametrize(
    "code", ["private-media", "login-required", "not-in-your-country", "not-available", "drm-protected", "no-media"]
)
def test_each_says_what_to_do(code: str) -> None:
    message, retryable = FAILURES[code]
    assert message.count(".") >= 2
    assert not retryable

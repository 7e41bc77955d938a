"""What opens the gate: the keyring on disk, tries, codes, the table of doors."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path

import pytest

from idm_app.access import Access, passwords
from idm_app.access.attempts import Attempts
from idm_app.access.doors import ADMIN, CONTROL, LOOK, OPEN, SUBMIT, Caller, Need, Scope, need_of
from idm_app.access.keyring import SESSION_LIFETIME, Keyring
from idm_app.access.pairings import Pairings
from idm_app.errors import StoreFull, TooManyTries, UnknownPairing, UnknownToken, WrongPassword
from idm_app.settings import Options
from idm_app.units import utc_now


class Clock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


# -- keyring


async def test_what_was_made_is_there_after_the_next_start_and_secrets_are_not(tmp_path: Path) -> None:
    keyring = Keyring.open(tmp_path)
    session = await keyring.add_session()
    token, secret = await keyring.add_token("phone", (Scope.SUBMIT,))
    content = (tmp_path / "access.json").read_text()
    assert session not in content
    assert secret not in content
    again = Keyring.open(tmp_path)
    assert again.by_session(session) is not None
    assert again.by_token(secret) == Caller("token", token.id, frozenset({Scope.SUBMIT}))
    assert again.by_token(session) is None
    assert again.by_session(secret) is None


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "{}", '{"password_hash": 1, "tokens": [1], "sessions": []}', "\ud800"]
)
def test_a_damaged_file_is_set_aside_and_lets_nobody_in(tmp_path: Path, content: str) -> None:
    (tmp_path / "access.json").write_bytes(content.encode("utf-8", "surrogatepass"))
    keyring = Keyring.open(tmp_path)
    assert (keyring.password_hash, keyring.tokens) == (None, {})
    assert len(list(tmp_path.glob("access.json.corrupt-*"))) == 1


async def test_a_session_ends_after_thirty_days_without_use(tmp_path: Path) -> None:
    secret = await Keyring.open(tmp_path).add_session()
    path = tmp_path / "access.json"
    record = json.loads(path.read_text())
    for age, is_alive in ((timedelta(days=-1), True), (timedelta(days=29), True), (timedelta(days=31), False)):
        record["sessions"][0]["last_used_at"] = (utc_now() - age).isoformat()
        path.write_text(json.dumps(record))
        assert (Keyring.open(tmp_path).by_session(secret) is not None) == is_alive
    assert timedelta(days=30) == SESSION_LIFETIME


async def test_use_is_noted_but_not_at_every_request(tmp_path: Path) -> None:
    keyring = Keyring.open(tmp_path)
    token, secret = await keyring.add_token("phone", (Scope.SUBMIT,))
    assert keyring.by_token(secret)
    first = keyring.tokens[token.digest].last_used_at
    assert first is not None
    assert keyring.by_token(secret)
    assert keyring.tokens[token.digest].last_used_at is first
    while not Keyring.open(tmp_path).tokens[token.digest].last_used_at:
        await asyncio.sleep(0.01)


async def test_a_token_that_cannot_be_kept_is_not_given(tmp_path: Path) -> None:
    keyring = Keyring.open(tmp_path / "gone")
    with pytest.raises(StoreFull):
        await keyring.add_token("phone", (Scope.SUBMIT,))
    assert keyring.tokens == {}
    with pytest.raises(UnknownToken):
        await keyring.remove_token("1")
    assert keyring.by_session(await keyring.add_session())  # signing in needs no disk


# -- signing in


async def test_many_tries_at_once_are_no_way_around_the_limit(tmp_path: Path) -> None:
    options = Options(data_dir=tmp_path, download_dir=tmp_path, host="0.0.0.0", password="right")
    access = Access(options, "1")
    tries = await asyncio.gather(*(access.sign_in(f"{n}", "192.0.2.1") for n in range(20)), return_exceptions=True)
    assert sum(isinstance(result, WrongPassword) for result in tries) == 5
    assert sum(isinstance(result, TooManyTries) for result in tries) == 15
    assert await access.sign_in("right", "192.0.2.2")


def test_passwords_are_hashed_with_salt_and_made_up_ones_differ() -> None:
    assert passwords.hashed("one") != passwords.hashed("one")
    assert passwords.hashed("one").startswith("$argon2id$")
    assert passwords.is_right("\ud800ö", passwords.hashed("\ud800ö"))
    assert not passwords.is_right("one", passwords.hashed("two"))
    assert not passwords.is_right("one", "not a hash")
    assert passwords.made_up() != passwords.made_up()
    assert len(passwords.made_up()) == 19


# -- tries and codes


def test_the_sixth_try_within_a_minute_waits_for_the_first_to_be_over() -> None:
    clock = Clock()
    attempts = Attempts(clock)
    for _ in range(5):
        attempts.begin("192.0.2.1")
        clock.now += 10
    with pytest.raises(TooManyTries) as refused:
        attempts.begin("192.0.2.1")
    assert refused.value.retry_after_seconds == 10
    attempts.begin("192.0.2.2")
    clock.now += 10
    attempts.begin("192.0.2.1")


def test_a_right_one_does_not_count() -> None:
    attempts = Attempts(Clock())
    for _ in range(50):
        attempts.begin("192.0.2.1")()


@pytest.mark.parametrize(
    ("first", "second", "together"),
    [
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("fe80::1%eth0", "fe80::2", True),
    ],
)
def test_a_customers_addresses_count_together(first: str, second: str, together: bool) -> None:
    attempts = Attempts(Clock())
    for _ in range(5):
        attempts.begin(first)
    if together:
        with pytest.raises(TooManyTries):
            attempts.begin(second)
    else:
        attempts.begin(second)


def test_many_addresses_are_no_way_around() -> None:
    attempts = Attempts(Clock())
    for number in range(100):
        attempts.begin(f"192.0.2.{number}")
    with pytest.raises(TooManyTries):
        attempts.begin("198.51.100.1")


def test_a_code_is_good_once_for_a_minute_however_it_is_typed() -> None:
    clock = Clock()
    pairings = Pairings(clock)
    first, second, third = pairings.open(), pairings.open(), pairings.open()
    pairings.take(first.code.lower().replace("-", ""))
    with pytest.raises(UnknownPairing):
        pairings.take(first.code)
    clock.now += 59
    assert pairings.is_open(second.code)
    pairings.take(second.code)
    clock.now += 1
    assert not pairings.is_open(third.code)
    with pytest.raises(UnknownPairing):
        pairings.take(third.code)


# -- the table


@pytest.mark.parametrize(
    ("method", "path", "need"),
    [
        ("GET", "/api/health", OPEN),
        ("POST", "/api/health", ADMIN),
        ("GET", "/api/health/", ADMIN),
        ("GET", "//api/health", ADMIN),
        ("GET", "/api/health\n", ADMIN),
        ("GET", "/api/login", ADMIN),
        ("POST", "/api/pairings/ABCD-1234", OPEN),
        ("POST", "/api/pairings", ADMIN),
        ("POST", "/api/pairings/", ADMIN),
        ("POST", "/api/pairings/a/b", ADMIN),
        ("GET", "/api/downloads/12", LOOK),
        ("GET", "/api/downloads/12/file", CONTROL),
        ("GET", "/api/downloads/12/anything", ADMIN),
        ("POST", "/api/downloads", SUBMIT),
        ("POST", "/api/downloads/actions", CONTROL),
        ("DELETE", "/api/downloads/12", CONTROL),
        ("PUT", "/api/downloads/12", ADMIN),
        ("GET", "/", ADMIN),
    ],
)
def test_what_has_no_row_needs_everything(method: str, path: str, need: Need) -> None:
    assert need_of(method, path) == need


def test_admin_includes_the_others_and_they_do_not_include_each_other() -> None:
    submit, control, admin = (Caller("token", "1", frozenset({scope})) for scope in Scope)
    assert [submit.may(need) for need in (OPEN, LOOK, SUBMIT, CONTROL, ADMIN)] == [True, True, True, False, False]
    assert [control.may(need) for need in (OPEN, LOOK, SUBMIT, CONTROL, ADMIN)] == [True, True, False, True, False]
    assert [admin.may(need) for need in (OPEN, LOOK, SUBMIT, CONTROL, ADMIN)] == [True] * 5

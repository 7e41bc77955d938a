"""What foreign text can do to the log: nothing."""

import asyncio
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idm_app import logs


def line(message: str, *arguments: object, error: BaseException | None = None) -> str:
    exc_info = None if error is None else (type(error), error, error.__traceback__)
    record = logging.LogRecord("idm", logging.WARNING, "", 0, message, arguments, exc_info)
    return logs.Escaping("%(levelname)s %(message)s").format(record)


@given(st.text())
def test_foreign_text_stays_on_its_line_and_cannot_drive_a_terminal(text: str) -> None:
    written = line("title %s", text)
    assert written.isprintable()
    assert written.startswith("WARNING title ")


def test_a_traceback_is_set_in() -> None:
    first, *others = line("failed", error=ValueError("x\n2026 ERROR forged\x1b[31m")).splitlines()
    assert first == "WARNING failed"
    assert others
    assert all(other.startswith("    ") and "\x1b" not in other for other in others)


def test_what_a_client_or_a_stop_causes_is_no_traceback() -> None:
    calming = logs._Calming()

    def passes(message: str, error: BaseException) -> tuple[bool, bool]:
        record = logging.LogRecord("uvicorn.error", logging.ERROR, "", 0, message, (), (type(error), error, None))
        return bool(calming.filter(record)), record.exc_info is not None

    broken = "Invalid UTF-8 sequence received from client."
    assert [passes(broken, ValueError()) for _ in range(3)] == [(True, False), (False, False), (False, False)]
    assert not passes("Exception in ASGI application\n", asyncio.CancelledError())[0]
    assert passes("Exception in ASGI application\n", ValueError()) == (True, True)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("https://h/p?token=hunter2 not found", "https://h/p?… not found"),
        ("https://h/p#hunter2", "https://h/p?…"),
        ("'https://me:hunter2@h/p'", "'https://…@h/p'"),
        ("Authorization: Bearer hunter2", "Authorization: Bearer …"),
        ("bearer.hunter2, idm.v1", "bearer.…, idm.v1"),
        ("Cookie: session=hunter2", "Cookie: …"),
        ("password=hunter2&x=1", "password=…&x=1"),
    ],
)
def test_what_may_be_secret_is_left_out(text: str, written: str) -> None:
    assert line(text) == f"WARNING {written}"

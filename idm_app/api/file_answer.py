"""A whole file as an answer: parts of it, nothing when the client has it already, its name (RFC 9110, RFC 6266)."""

import re
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.responses import FileResponse, Response
from starlette.types import Receive, Scope, Send

from idm_app.api.problems import problem
from idm_app.errors import FileGone

_RANGE = re.compile(r"(\d{1,18})-(\d{0,18})|-(\d{1,18})", re.ASCII)
_UNQUOTABLE = re.compile(r"[^ !#$&-\[\]-~]")
"""In a quoted ``filename=``; browsers read ``%20`` there as a blank."""


class FileAnswer(FileResponse):
    """Starlette's, which is told only of ranges that can be sent."""

    def __init__(
        self,
        path: Path,
        disposition: Literal["attachment", "inline"],
        headers: dict[str, str],
        media_type: str | None = None,
    ) -> None:
        """Raises :class:`FileGone`."""
        try:
            found = path.stat()
        except OSError as error:
            raise FileGone(f"{path.name} is no longer where it was saved.") from error
        headers = {**headers, "Content-Disposition": f"{disposition}; {name_parameters(path.name)}"}
        super().__init__(path, headers=headers, media_type=media_type, stat_result=found)
        self._size_bytes = found.st_size

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI entry."""
        asked = Headers(scope=scope)
        if self._is_known(asked):
            del self.headers["content-length"], self.headers["content-type"]
            await Response(status_code=304, headers=dict(self.headers))(scope, receive, send)
            return
        ranges = satisfiable(asked["range"], self._size_bytes) if self._may_be_partial(asked) else None
        if ranges == []:
            refusal = problem(
                416, "no-such-range", f"The file has {self._size_bytes} bytes; no part asked for is in it."
            )
            refusal.headers["Content-Range"] = f"bytes */{self._size_bytes}"
            await refusal(scope, receive, send)
            return
        headers = [(name, value) for name, value in scope["headers"] if name not in (b"range", b"if-range")]
        if ranges:
            parts = ",".join(f"{part.start}-{part.stop - 1}" for part in ranges)
            headers.append((b"range", f"bytes={parts}".encode()))
        method = scope["method"] if scope.get("wants_body", True) else "HEAD"
        await super().__call__({**scope, "method": method, "headers": headers}, receive, send)

    def _is_known(self, asked: Headers) -> bool:
        """Whether the client has this very file already."""
        if (tags := asked.get("if-none-match")) is not None:
            return tags.strip() == "*" or self.headers["etag"] in (
                tag.strip().removeprefix("W/") for tag in tags.split(",")
            )
        try:
            return _instant(self.headers["last-modified"]) <= _instant(asked["if-modified-since"])
        except (KeyError, ValueError, TypeError):
            return False

    def _may_be_partial(self, asked: Headers) -> bool:
        return "range" in asked and asked.get("if-range") in (None, self.headers["etag"], self.headers["last-modified"])


def _instant(text: str) -> float:
    return parsedate_to_datetime(text).timestamp()


def satisfiable(asked: str, size_bytes: int) -> list[range] | None:
    """``bytes=0-9,-5`` → what there is of it, in bytes; ``None``: nothing that this server knows, so all is sent."""
    unit, _, specs = asked.partition("=")
    found = [_RANGE.fullmatch(spec.strip()) for spec in specs.split(",") if spec.strip()]
    if unit.strip().lower() != "bytes" or not found:
        return None
    parts = []
    for spec in found:
        if spec is None:
            return None
        first, last, suffix = spec.groups()
        if first and last and int(last) < int(first):
            return None
        start = int(first) if first else max(0, size_bytes - int(suffix))
        parts.append(range(start, min(size_bytes, int(last) + 1) if last else size_bytes))
    return [part for part in parts if part]


def name_parameters(name: str) -> str:
    """``name`` for ``Content-Disposition``: for all that read RFC 8187, and in ASCII for those that do not (curl)."""
    plain = _UNQUOTABLE.sub("_", name)
    extended = "" if plain == name else f"; filename*=UTF-8''{quote(name, safe='', errors='replace')}"
    return f'filename="{plain}"{extended}'

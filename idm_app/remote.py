"""A running server as the commands see it: questions over HTTP, the feed, and words for each trouble."""

import json
import os
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.sync.client import connect

from idm_app.errors import CommandRefused, NoServer, NotSignedIn
from idm_app.settings import is_loopback

_ANSWER_SECONDS = 90
"""The server itself gives up asking a site after 60."""
Resource = dict[str, Any]
State = tuple[dict[int, Resource], list[Resource]]
"""All downloads that the feed has told of by id, and what its newest frame said."""


class Server:
    """The server at ``address``; ``IDM_TOKEN`` holds its token, where one is needed.

    Every method raises :class:`NoServer`, :class:`NotSignedIn` or :class:`CommandRefused`.
    """

    def __init__(self, address: str) -> None:
        self.address = address.rstrip("/")
        self._token = os.environ.get("IDM_TOKEN", "").strip()
        if not _is_address(self.address):
            raise CommandRefused(f"{address} is not the address of a server; it begins with http:// or https://.")
        if not (self._token.isascii() and self._token.isprintable()):
            raise NotSignedIn("IDM_TOKEN holds something that is not a token. Make one in the server's dashboard.")

    @property
    def is_local(self) -> bool:
        """Whether it runs on this machine."""
        return is_loopback(urlsplit(self.address).hostname or "")

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """The answer's JSON, ``None`` for an empty one."""
        headers = {"Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        content = None if body is None else json.dumps(body)
        try:
            response = httpx.request(
                method, self.address + path, content=content, headers=headers, timeout=_ANSWER_SECONDS, trust_env=False
            )
        except httpx.ReadTimeout as error:
            raise NoServer(f"the server at {self.address} has not answered for {_ANSWER_SECONDS} s.") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._no_server() from error
        if response.status_code == 401:
            raise self._not_signed_in()
        try:
            answer = response.json() if response.content else None
        except ValueError:
            raise self._not_idm(response.status_code) from None
        if response.is_success:
            return answer
        if not isinstance(answer, dict) or "message" not in answer:
            raise self._not_idm(response.status_code)
        raise CommandRefused(str(answer["message"]))

    def states(self) -> Iterator[State]:
        """What the feed tells, frame by frame; it ends only with an error."""
        downloads: dict[int, Resource] = {}
        address = self.address.replace("http", "ws", 1) + "/ws"
        protocols: list[Any] = ["idm.v1", f"bearer.{self._token}"] if self._token else []
        try:
            with connect(address, subprotocols=protocols or None, max_size=None, proxy=None) as socket:
                for message in map(json.loads, socket):
                    if message["type"] == "snapshot":
                        downloads = {}
                    elif message["type"] != "update":
                        continue
                    for download in message["downloads"]:
                        downloads.setdefault(download["id"], {}).update(download)
                    for download_id in message.get("removed", ()):
                        downloads.pop(download_id, None)
                    yield downloads, message["downloads"]
        except InvalidStatus as error:
            status = error.response.status_code
            raise self._not_signed_in() if status == 401 else self._not_idm(status) from None
        except (OSError, WebSocketException, ConnectionClosed) as error:
            raise self._no_server() from error
        raise NoServer(f"The server at {self.address} has stopped.")

    def _no_server(self) -> NoServer:
        how = "Start it with: idm" if self.is_local else "Is it running, and is IDM_URL right?"
        return NoServer(f"no server answers at {self.address}. {how}")

    def _not_signed_in(self) -> NotSignedIn:
        what = "does not know this token" if self._token else "wants to know who you are"
        return NotSignedIn(
            f"the server at {self.address} {what}. Make a token in its dashboard and put it into IDM_TOKEN."
        )

    def _not_idm(self, status: int) -> CommandRefused:
        return CommandRefused(f"the server at {self.address} answered {status}; is it really idm?")


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False

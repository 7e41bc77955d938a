"""Which addresses are taken at all. What may be *reached* is checked where the connection is made, in the worker."""

import re
import socket
from urllib.parse import quote, urlsplit

from idm_app.engine.reach import Reach
from idm_app.errors import FAILURES, InvalidAddress, InvalidField

MAX_ADDRESS_LENGTH = 8192
_HOST = re.compile(r"[a-z0-9._-]*[a-z0-9][a-z0-9._-]*|[0-9a-f:.]+(%[a-z0-9._-]+)?", re.IGNORECASE)
"""A name or an IPv4 address, an IPv6 address with its zone."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_SAFE = "!#$%&'()*+,/:;=?@[]~"


def checked_address(text: str, field: str = "url") -> str:
    """``text`` without surrounding blanks and in ASCII, ready to be requested.

    Raises :class:`InvalidAddress` with a sentence for anything but an ``http`` or ``https`` address with a host.
    """
    address = text.strip()
    if not address:
        raise InvalidAddress("There is no address. Paste one that begins with http:// or https://.", field)
    if len(address) > MAX_ADDRESS_LENGTH:
        raise InvalidAddress(f"The address is longer than {MAX_ADDRESS_LENGTH} characters.", field)
    if _CONTROL.search(address):
        raise InvalidAddress("The address contains control characters.", field)
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
        ascii_host = (host or "").encode("idna").decode() if not (host or "").isascii() else (host or "")
    except ValueError as error:  # UnicodeError of idna included
        raise InvalidAddress("This is not a valid address.", field) from error
    if parts.scheme not in ("http", "https"):
        raise InvalidAddress("Only addresses that begin with http:// or https:// can be downloaded.", field)
    labels = ascii_host.removesuffix(".").split(".")
    if not _HOST.fullmatch(ascii_host) or not all(0 < len(label) <= 63 for label in labels) or len(ascii_host) > 253:
        raise InvalidAddress("The address has no valid server name.", field)
    if parts.username is not None or parts.password is not None:
        raise InvalidAddress("Addresses with a user name and password in them are not taken.", field)
    bracketed = f"[{ascii_host}]" if ":" in ascii_host else ascii_host
    netloc = bracketed if port is None else f"{bracketed}:{port}"
    return parts._replace(
        netloc=netloc,
        path=quote(parts.path, _SAFE),
        query=quote(parts.query, _SAFE),
        fragment=quote(parts.fragment, _SAFE),
    ).geturl()


def check_never_reached(address: str, own_ports: tuple[int, ...], field: str = "url") -> None:
    """Raises :class:`InvalidAddress` for what no setting ever allows, if that can be told without asking for a name.

    However it is spelled: ``2852039166`` and ``0xa9.254.43518`` are the cloud metadata address as well.
    """
    parts = urlsplit(address)
    host = (parts.hostname or "").removesuffix(".")  # of a name that is complete
    host = "127.0.0.1" if f".{host}".endswith(".localhost") else host  # RFC 6761
    port = parts.port or {"http": 80, "https": 443}[parts.scheme]
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except OSError:  # a name
        return
    reach = Reach(blocked_ports=own_ports)
    if not all(reach.allows(str(sockaddr[0]), port) for *_, sockaddr in found):
        raise InvalidAddress(FAILURES["blocked-address"][0], field)


def safe_directory(text: str) -> str:
    """A relative folder below the download folder, with ``/`` between its parts.

    Raises :class:`InvalidField` for anything that could lead out of it or that a file system refuses.
    """
    parts = [part for part in text.replace("\\", "/").split("/") if part]
    for part in parts:
        if part != part.strip(" .") or any(ord(character) < 32 or character in '<>:"|?*\x7f' for character in part):
            raise InvalidField("directory", "The folder must be a plain name below the download folder.")
        if len(part.encode("utf-8", "surrogatepass")) > 200:
            raise InvalidField("directory", "The folder's name is too long.")
    if not parts or text.startswith(("/", "\\", "~")):
        raise InvalidField("directory", "The folder must be a plain name below the download folder.")
    return "/".join(parts)

"""What the command line and the environment decide, and what the settings page changes. Standard library only."""

from dataclasses import asdict, dataclass, field, fields, replace
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Self


@lru_cache(maxsize=64)
def is_loopback(host: str) -> bool:
    """Whether a server name or address means the machine itself."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class Options:
    """Decided at the start, the same until the end."""

    data_dir: Path
    download_dir: Path
    host: str = "127.0.0.1"
    port: int = 8000
    feed_port: int | None = None
    native: bool = False
    open_browser: bool = True
    trusted_hosts: tuple[str, ...] = ()
    root_path: str = ""
    reset_store: bool = False
    password: str | None = field(default=None, repr=False)
    trusted_proxies: tuple[str, ...] = ()
    """Addresses or networks of reverse proxies whose ``X-Forwarded-For`` and ``-Proto`` are believed."""
    certificate: Path | None = None
    certificate_key: Path | None = None

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        return is_loopback(self.host)

    @property
    def needs_sign_in(self) -> bool:
        """Whether others than this machine's user can reach the server, by its address or through a proxy."""
        return not self.is_loopback or bool(self.trusted_proxies)

    @property
    def address(self) -> str:
        """Where a browser on this machine finds the dashboard."""
        return self.address_at({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host))  # noqa: S104

    def address_at(self, host: str) -> str:
        """Where the dashboard is found by this name or address of the machine."""
        scheme = "http" if self.certificate is None else "https"
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{self.port}{self.root_path}"

    @property
    def ports(self) -> tuple[int, ...]:
        """Every port the server listens on."""
        return (self.port,) if self.feed_port is None else (self.port, self.feed_port)


@dataclass(frozen=True, slots=True)
class Settings:
    """Changed on the settings page, kept in the store."""

    max_active: int = 4
    """How many downloads run at a time, 1–32."""
    connections: int = 16
    """How many connections one file may use, 1–32."""
    connections_per_host: int = 32
    """How many connections all downloads together may have to one server, 1–256; each keeps one."""
    bytes_per_second_limit: int | None = None
    """What all downloads together may take; ``None``: as much as there is."""
    allow_private_addresses: bool = False
    """Whether downloads may reach private networks though others can reach the server."""

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> Self:
        """From what the store holds; fields that this version does not know are left out."""
        return cls(**{f.name: record[f.name] for f in fields(cls) if f.name in record})

    def to_record(self) -> dict[str, Any]:
        """For the store and the wire."""
        return asdict(self)

    def changed(self, **changes: Any) -> Self:
        """A copy with ``changes``."""
        return replace(self, **changes)

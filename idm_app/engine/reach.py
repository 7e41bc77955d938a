"""Which network addresses a download may reach. Judged at connect time by the address really connected to.

Never: link-local, cloud metadata, ``0.0.0.0/8``, ``::``, multicast, broadcast, and the server's own ports on any
address of this machine. Private ones only where the job allows it. IPv4 inside IPv6 (mapped, NAT64, 6to4, Teredo) is
judged as the IPv4 address it leads to.
"""

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

Address = IPv4Address | IPv6Address

_NEVER = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8", "169.254.0.0/16", "100.100.100.200/32", "192.0.0.192/32", "224.0.0.0/4", "255.255.255.255/32",
        "::/128", "fe80::/10", "fec0::/10", "ff00::/8", "fd00:ec2::254/128",
    )
)  # fmt: skip
_PRIVATE = tuple(
    ip_network(text)
    for text in (
        "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.0.0.0/24", "192.168.0.0/16",
        "198.18.0.0/15", "240.0.0.0/4", "::1/128", "64:ff9b:1::/48", "fc00::/7",
    )
)  # fmt: skip
_NAT64 = ip_network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class Reach:
    """The rule for one job."""

    allow_private: bool = True
    blocked_ports: tuple[int, ...] = ()

    def allows(self, host: str, port: int) -> bool:
        """Whether the address ``host`` (a literal, perhaps with a zone) may be connected to."""
        return all(
            not never
            and not (port in self.blocked_ports and _is_of_this_machine(address))
            and (self.allow_private or not private)
            for address, never, private in _judged(host.partition("%")[0])
        )


@lru_cache(256)
def _judged(host: str) -> tuple[tuple[Address, bool, bool], ...]:
    """Each address that ``host`` stands for, whether it is one of those never to be reached, whether it is private."""
    return tuple(
        (
            address,
            any(address in network for network in _NEVER if network.version == address.version),
            any(address in network for network in _PRIVATE if network.version == address.version),
        )
        for address in _meanings(ip_address(host))
    )


def _meanings(address: Address) -> Iterator[Address]:
    """The address and every IPv4 address packed into it."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            yield address.ipv4_mapped
            return
        if address.sixtofour:
            yield address.sixtofour
        if address.teredo:
            yield from address.teredo
        if address in _NAT64 or (int(address) >> 32 == 0 and int(address) > 1):
            yield IPv4Address(int(address) & 0xFFFFFFFF)
    yield address


def _is_of_this_machine(address: Address) -> bool:
    """Only an address of this machine can be bound to."""
    if address.is_loopback:
        return True
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((str(address), 0))
    except OSError:
        return False
    return True

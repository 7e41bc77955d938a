"""A distant server on one machine: a process in a network of its own, at the end of a line with delay, rate and loss.

Linux only: this process must be in a network namespace that it may change, which :func:`enter` sees to. Packets go
through two TUN devices and this file, as the kernel's own emulation (netem) is not everywhere.

``python wide_area.py far SOCKET_FD COMMAND …`` and ``… shuttle NEAR_FD FAR_FD DELAY RATE QUEUE LOSS`` are its parts.
"""

import ctypes
import fcntl
import os
import random
import select
import socket
import struct
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import astuple, dataclass

NEAR, FAR = "10.213.0.1", "10.213.0.2"
_INSIDE = "IDM_BENCH_IN_NAMESPACE"
_CLONE_NEWNET = 0x40000000
_TUNSETIFF, _IFF_TUN, _IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
_PACKET_BYTES = 2048
_MOST_AT_ONCE = 64


@dataclass(frozen=True)
class Line:
    """What lies between. ``delay_seconds`` is that of one way; ``loss`` a share of the packets that come down."""

    delay_seconds: float = 0.05
    bytes_per_second: float = 25e6
    queue_bytes: float = 2.5e6
    loss: float = 0.0


def enter() -> None:
    """Start this program again in a network namespace of its own, unless it is there already."""
    if not os.environ.get(_INSIDE):
        os.environ[_INSIDE] = "1"
        as_root = [] if os.geteuid() == 0 else ["--map-root-user"]
        os.execvp("unshare", ["unshare", "--net", *as_root, sys.executable, *sys.argv])
    _ip("link", "set", "lo", "up")


@contextmanager
def distant(command: list[str], line: Line) -> Iterator[str]:
    """Run ``command``, a server, at the far end of ``line``. Gives the first thing that it prints."""
    near = _tun("near", NEAR)
    ours, theirs = socket.socketpair()
    fd = theirs.fileno()
    far_side = subprocess.Popen(
        [sys.executable, __file__, "far", str(fd), *command], pass_fds=[fd], stdout=subprocess.PIPE, text=True
    )
    with ours, theirs:
        _, (far, *_), _, _ = socket.recv_fds(ours, 1, 1)
    words = [str(value) for value in (near, far, *astuple(line))]
    shuttle = subprocess.Popen([sys.executable, __file__, "shuttle", *words], pass_fds=[near, far])
    try:
        assert far_side.stdout is not None
        yield far_side.stdout.readline().strip()
    finally:
        for process in (shuttle, far_side):
            process.kill()
            process.wait()
        os.close(near)
        os.close(far)


def _tun(name: str, address: str) -> int:
    """A new TUN device of this namespace, up."""
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TUN | _IFF_NO_PI))
    _ip("addr", "add", f"{address}/24", "dev", name)
    _ip("link", "set", name, "up", "txqueuelen", "5000")
    _ip("route", "replace", f"{address.rpartition('.')[0]}.0/24", "dev", name, "congctl", "cubic")
    return fd


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


def _serve_far(socket_fd: int, command: list[str]) -> None:
    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "unshare")
    _ip("link", "set", "lo", "up")
    socket.send_fds(socket.socket(fileno=socket_fd), [b"."], [_tun("far", FAR)])
    os.execv(command[0], command)


def _shuttle(near: int, far: int, line: Line) -> None:
    """Carry packets between the two, for ever."""
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, -15)  # a late packet would be one more delay
    down: deque[tuple[float, bytes]] = deque()
    up: deque[tuple[float, bytes]] = deque()
    free_at = 0.0
    while True:
        now = time.monotonic()
        for queue, out in ((down, near), (up, far)):
            while queue and queue[0][0] <= now:
                with suppress(BlockingIOError):
                    os.write(out, queue.popleft()[1])
        due = min((queue[0][0] for queue in (down, up) if queue), default=now + 1)
        ready, _, _ = select.select([near, far], [], [], max(0.0, due - time.monotonic()))
        now = time.monotonic()
        for packet in _packets(near) if near in ready else ():
            up.append((now + line.delay_seconds, packet))
        for packet in _packets(far) if far in ready else ():
            free_at = max(free_at, now)
            if (free_at - now) * line.bytes_per_second < line.queue_bytes and random.random() >= line.loss:
                free_at += len(packet) / line.bytes_per_second
                down.append((free_at + line.delay_seconds, packet))


def _packets(fd: int) -> Iterator[bytes]:
    with suppress(BlockingIOError):
        for _ in range(_MOST_AT_ONCE):
            yield os.read(fd, _PACKET_BYTES)


if __name__ == "__main__":
    if sys.argv[1] == "far":
        _serve_far(int(sys.argv[2]), sys.argv[3:])
    else:
        _shuttle(int(sys.argv[2]), int(sys.argv[3]), Line(*map(float, sys.argv[4:])))

"""An origin for speed: files of zeros by ``sendfile``, at a rate for each connection, some slower than others.

``/<name>?size=BYTES&rate=BYTES_PER_SECOND&slow=N&slower=FACTOR&region=START-END``. ``slow``: the connection with that
number (from 0, counted for each name). Prints its port. With a file of key and certificate as argument it speaks TLS.
"""

import os
import re
import socket
import ssl
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

STEP_SECONDS = 0.01
ZEROS = memoryview(bytes(1 << 20))
LARGEST = 1 << 30

_counts: Counter[str] = Counter()
_lock = threading.Lock()
TLS = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH) if sys.argv[1:] else None
if TLS:
    TLS.load_cert_chain(sys.argv[1])


def serve(connection: socket.socket, file: int) -> None:
    """Answer requests until the client goes."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with connection, connection.makefile("rb") as reader:
        number = None
        while request := reader.readline():
            path, _, query = request.split()[1].decode().partition("?")
            knobs = dict(re.findall(r"(\w+)=([\d.-]+)", query))
            wanted = (0, int(knobs["size"]))
            status = "200 OK"
            while (line := reader.readline().strip()) != b"":
                if match := re.match(rb"(?i)range: bytes=(\d+)-(\d*)", line):
                    wanted = (int(match[1]), int(match[2]) + 1 if match[2] else int(knobs["size"]))
                    status = "206 Partial Content"
            if number is None:
                with _lock:
                    number = _counts[path]
                    _counts[path] += 1
            start, end = wanted
            connection.sendall(
                f'HTTP/1.1 {status}\r\nContent-Length: {end - start}\r\nAccept-Ranges: bytes\r\nETag: "z"\r\n'
                f"Content-Range: bytes {start}-{end - 1}/{knobs['size']}\r\n"
                "Content-Type: application/octet-stream\r\n\r\n".encode()
            )
            send(connection, file, start, end, knobs, number)


def send(connection: socket.socket, file: int, start: int, end: int, knobs: dict[str, str], number: int) -> None:
    """The body."""
    rate, slower = float(knobs.get("rate", 0)), float(knobs.get("slower", 20))
    low, high = map(int, knobs["region"].split("-")) if "region" in knobs else (0, 0)
    if isinstance(connection, ssl.SSLSocket):
        while start < end:
            start += connection.send(ZEROS[: end - start])
        return
    if not rate:
        while start < end:
            start += os.sendfile(connection.fileno(), file, start % LARGEST, end - start)
        return
    allowance, then = 0.0, time.monotonic()
    while start < end:
        time.sleep(STEP_SECONDS)
        now = time.monotonic()
        is_slow = knobs.get("slow") == str(number) or low <= start < high
        allowance += (now - then) * rate / (slower if is_slow else 1)
        then = now
        size = min(int(allowance), end - start)
        if low > start:
            size = min(size, low - start)
        if size:
            sent = os.sendfile(connection.fileno(), file, start % LARGEST, size)
            start += sent
            allowance -= sent


def main() -> None:
    """Serve for ever."""
    with tempfile.TemporaryFile(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as zeros:
        zeros.truncate(LARGEST)
        listener = socket.create_server(("", 0), backlog=256)
        print(listener.getsockname()[1], flush=True)
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=_guarded, args=(connection, zeros.fileno()), daemon=True).start()


def _guarded(connection: socket.socket, file: int) -> None:
    try:
        serve(TLS.wrap_socket(connection, server_side=True) if TLS else connection, file)
    except (OSError, ValueError, IndexError):
        return


if __name__ == "__main__":
    sys.exit(main())

"""The password: made when none was chosen, kept as an argon2id hash.

Cost by OWASP's recommendation (19 MiB, 2 passes, 1 lane); hashing takes some 30 ms and is done off the event loop.
"""

import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without those that look alike."""
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


def made_up() -> str:
    """A password that can be read out and typed: 78 bits."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(4))


def hashed(password: str) -> str:
    """For :func:`is_right`. Slow on purpose."""
    return _HASHER.hash(password.encode("utf-8", "surrogatepass"))


def is_right(password: str, password_hash: str) -> bool:
    """Whether ``password`` is the one that was hashed. Slow on purpose."""
    try:
        return _HASHER.verify(password_hash, password.encode("utf-8", "surrogatepass"))
    except (VerificationError, InvalidHashError):
        return False

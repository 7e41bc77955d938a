"""Who may do what: one gate before everything, and the keys that open it.

::

    gate.py      every request passes it: host, origin, credentials, body
    doors.py     the table: which path needs which scope
    access.py    signing in and out, tokens, pairing: what API, dashboard and gate ask
    keyring.py   the password's hash, sessions and tokens, on disk
    passwords.py · attempts.py · pairings.py · lines.py · sign_in_page.py
"""

from idm_app.access.access import Access
from idm_app.access.doors import Caller, Scope
from idm_app.access.gate import EXTENSION_ID, Gate

__all__ = ["EXTENSION_ID", "Access", "Caller", "Gate", "Scope"]

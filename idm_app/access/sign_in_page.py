"""The page that asks for the password. Whole in itself: nothing that it needs lies behind the gate."""

import base64
import hashlib
import re
from pathlib import Path

PAGE = (Path(__file__).parent / "sign_in.html").read_text("utf-8")


def _sources(tag: str) -> str:
    """Its inline parts, by their hash: nothing else can run on this page."""
    contents = re.findall(rf"<{tag}>(.*?)</{tag}>", PAGE, re.DOTALL)
    digests = (base64.b64encode(hashlib.sha256(content.encode()).digest()).decode() for content in contents)
    return " ".join(f"'sha256-{digest}'" for digest in digests)


POLICY = (
    f"default-src 'none'; script-src {_sources('script')}; style-src {_sources('style')}; img-src data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

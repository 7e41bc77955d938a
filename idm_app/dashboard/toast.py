"""Short messages at the bottom of a tab; screen readers read them out."""

from typing import Literal

from nicegui import Client, ui


def toast(client: Client, message: str, kind: Literal["positive", "negative", "info"], icon: str | None = None) -> None:
    """Show ``message`` in a tab, if it is still open."""
    if not client.is_deleted:
        with client:
            ui.notify(message, type=kind, multi_line=len(message) > 60, icon=icon)

"""Elements of ours, each one component under ``assets/``.

What costs is the number of elements on a page: at every message NiceGUI walks all of them, in the browser too. So
each part of a page is one element; those that show what the server knows are bound, and cost nothing while it stays.
"""

import asyncio
from typing import Any
from weakref import WeakKeyDictionary

import orjson
from nicegui import Client, binding
from nicegui.element import Element

from idm_app.dashboard.board import Shown, Totals
from idm_app.dashboard.words import ASSETS


class BoundElement(Element):
    """A component under ``assets/`` that shows ``state``, which follows ``field`` of ``source``. See ``live.js``."""

    state = binding.BindableProperty(on_change=lambda element, state: element.show(state))

    def __init__(self, source: object, field: str) -> None:
        super().__init__()
        self.props["given"] = self.state = getattr(source, field)
        binding.bind_from(self, "state", source, field)

    def show(self, state: Any) -> None:
        """Tell the browser, together with what else changes now."""
        if state is self.props["given"]:
            return
        if not self.client.has_socket_connection:
            self.props["given"] = state
            return
        with self.props.suspend_updates():
            self.props["given"] = state  # for when the element is sent anew as a whole
        news = _news.setdefault(self.client, {})
        if not news:
            asyncio.get_running_loop().call_soon(_tell, self.client)
        news[str(self.id)] = state


_news: WeakKeyDictionary[Client, dict[str, Any]] = WeakKeyDictionary()
"""The new states of a page's elements, by their ids, until they are told."""


def _tell(client: Client) -> None:
    news = _news.pop(client, None)
    if news and not client.is_deleted:
        client.run_javascript(f"idmShow({orjson.dumps(news).decode()})")


class DownloadRow(BoundElement, component=ASSETS / "download_row.js"):
    """One download. Its buttons and its check box speak through DOM events, see :class:`DownloadList`."""

    def __init__(self, row: Shown) -> None:
        super().__init__(row, "state")

    def mark_selected(self, selected: bool) -> None:
        """Show whether it is selected."""
        self.props.set_bool("selected", selected)


class StatusBar(BoundElement, component=ASSETS / "status_bar.js"):
    """Total rate, counts, room on the disk, and the connection of this very tab."""

    def __init__(self, totals: Totals) -> None:
        super().__init__(totals, "bar")
        self.on("ping", lambda: self.run_method("pong"), args=[])


class Connection(Element, component=ASSETS / "connection.js"):
    """The connection of this very tab, where there is no status bar."""


class FilterList(BoundElement, component=ASSETS / "filter_list.js"):
    """What can be shown, each with its count. Emits ``choose`` with a key of the view."""

    def __init__(self, totals: Totals, groups: list[dict[str, Any]], chosen: str) -> None:
        super().__init__(totals, "counts")
        self.props["groups"] = groups
        self.choose(chosen)

    def choose(self, key: str) -> None:
        """Mark what is shown now."""
        self.props["chosen"] = key


class PageHeader(Element, component=ASSETS / "page_header.js"):
    """The toolbar and the search. Emits ``press`` with a tool's name and ``search`` with the text."""

    def __init__(self, search: str) -> None:
        super().__init__()
        self.props["search"] = search
        self.show_selection(0)

    def show_selection(self, count: int) -> None:
        """Tell how many downloads are selected: some tools need one."""
        self.props["selected"] = count

    def write(self, text: str) -> None:
        """Put ``text`` into the search field."""
        self.run_method("write", text)


class RowMenu(Element, component=ASSETS / "row_menu.js"):
    """What can be done with one download, or with those selected. Emits ``choose``: an action, and for one its id."""

    def __init__(self) -> None:
        super().__init__()
        self.show_selection(0)

    def show_selection(self, count: int) -> None:
        """Tell how many downloads are selected."""
        self.props["selected"] = count

    def save(self, path: str) -> None:
        """Have the browser fetch a file of ours and keep it."""
        self.run_method("save", path)

    def copy(self, text: str) -> None:
        """Put ``text`` on the clipboard of whoever has just pressed something."""
        self.run_method("copy", text)


class ThemeSwitch(Element, component=ASSETS / "theme_switch.js"):
    """Like the system, light, dark: a matter of the browser alone."""


class KeySheet(Element, component=ASSETS / "key_sheet.js"):
    """Every key of the page, when ``?`` is pressed."""


class PageKeys(Element, component=ASSETS / "page_keys.js"):
    """Keys, paste and drop anywhere on the page. Emits ``open``, ``addresses`` with their text, ``draft`` with one."""

    def take_left(self) -> None:
        """What the page before this one has left: have it emitted as ``draft``."""
        self.run_method("takeLeft")

    def take_draft(self, *, is_wanted: bool) -> None:
        """What a form that has gone has left: have it emitted as ``draft``, or forget it."""
        self.run_method("takeDraft", is_wanted)

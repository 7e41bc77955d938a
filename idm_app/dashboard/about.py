"""The page "About and health": what this installation consists of, what is missing, what that costs."""

import asyncio

from nicegui import ui

from idm_app import diagnosis
from idm_app.dashboard.words import Words
from idm_app.diagnosis import Finding
from idm_app.manager import Manager


async def show_health(manager: Manager, words: Words) -> None:
    """Examine the installation, then show what was found, troubles first."""
    options = manager.options
    with ui.element("div").classes("health"):
        looking = ui.label(words("about.looking")).classes("hint").props("role=status")
        findings = await asyncio.to_thread(diagnosis.examine, options.data_dir, options.download_dir)
        troubles = [finding for finding in findings if not finding.ok]
        looking.text = words("about.troubles", count=len(troubles)) if troubles else words("about.healthy")
        with ui.element("ul").classes("findings"):
            for finding in (*troubles, *(finding for finding in findings if finding.ok)):
                _show(finding, words)
        with ui.element("p").classes("hint"):
            ui.link(words("about.api"), "api/docs")


def slug_of(finding: Finding) -> str:
    """Its name in the catalogue: ``part.<slug>``, ``cost.<slug>``."""
    return finding.name.lower().replace(" ", "-")


def _show(finding: Finding, words: Words) -> None:
    slug = slug_of(finding)
    with ui.element("li").classes("ok" if finding.ok else "trouble"):
        ui.icon("check_circle" if finding.ok else "error")
        with ui.element("div"):
            with ui.element("div").classes("what"):
                ui.label(words.known_as("part", slug, finding.name)).classes("heading")
                ui.label(finding.version or "").props("dir=ltr")
                ui.label(words("about.ok") if finding.ok else words("about.not_ok")).classes("unseen")
            ui.label(finding.detail).classes("hint").props("dir=ltr")
            if not finding.ok:
                ui.label(words.known_as("cost", slug, finding.cost))
                ui.label(words("about.remedy"))
                ui.label(finding.remedy).classes("remedy").props("dir=ltr")

"""The window's process: ``python -m idm_app.window ADDRESS FOLDER ICON``; it ends when its standard input does.

pywebview brings the window and the page. Qt, which is beneath, brings what the page cannot: size and place that are
remembered, the tray, notifications, a question before closing.
"""

import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import webview
from qtpy.QtCore import QEvent, QObject, QSettings, QStandardPaths, Signal
from qtpy.QtGui import QIcon
from qtpy.QtWidgets import QFileDialog, QMenu, QMessageBox, QSystemTrayIcon

from idm_app.window.watcher import Ended, Watcher

_NAME = "idm – download manager"
_SECONDS_TO_END = 5


class Desktop(QObject):
    """What joins the window to the desktop. On Qt's thread, but for its two signals."""

    ended = Signal(object)
    server_gone = Signal()

    def __init__(self, window: Any, icon: Path, watcher: Watcher, remembered: QSettings) -> None:
        super().__init__()
        self._window = window
        self._icon = QIcon(str(icon))
        self._watcher = watcher
        self._remembered = remembered
        self._may_close = False
        self._tray = self._make_tray() if QSystemTrayIcon.isSystemTrayAvailable() else None
        self.ended.connect(self._notify)
        self.server_gone.connect(self._close)
        window.profile.downloadRequested.connect(self._save)
        window.installEventFilter(self)
        window.setWindowIcon(self._icon)
        window.restoreGeometry(remembered.value("geometry", b""))
        window.show()

    def eventFilter(self, _: QObject, event: QEvent) -> bool:  # noqa: N802
        """Qt's door: whether an event of the window stops here."""
        if event.type() != QEvent.Type.Close:
            return False
        self._remembered.setValue("geometry", self._window.saveGeometry())
        if self._may_close or (self._tray is None and self._is_sure()):
            return False
        event.ignore()
        if self._tray is not None:
            self._hide_into_tray()
        return True

    def _make_tray(self) -> QSystemTrayIcon:
        tray = QSystemTrayIcon(self._icon, self)
        tray.setToolTip(_NAME)
        self._menu = QMenu()
        self._menu.addAction("Show", self._show)
        self._menu.addAction("Quit", self._quit)
        tray.setContextMenu(self._menu)
        tray.activated.connect(lambda reason: self._show() if reason == tray.ActivationReason.Trigger else None)
        tray.messageClicked.connect(self._show)
        tray.show()
        return tray

    def _show(self) -> None:
        self._window.showNormal()
        self._window.raise_()
        self._window.activateWindow()

    def _hide_into_tray(self) -> None:
        self._window.hide()
        if not self._remembered.value("told_of_tray", False, type=bool):
            self._remembered.setValue("told_of_tray", True)
            self._tell("idm goes on in the tray", "Quit it there, in the icon's menu.")

    def _quit(self) -> None:
        if self._is_sure():
            self._close()

    def _is_sure(self) -> bool:
        """Whether nothing runs, or the person wants it stopped."""
        running = self._watcher.running
        if not running:
            return True
        question = QMessageBox(self._window)
        question.setWindowTitle(_NAME)
        question.setIcon(QMessageBox.Icon.Question)
        question.setText("One download is running." if running == 1 else f"{running} downloads are running.")
        question.setInformativeText("What has arrived is kept, and the rest comes when idm is started again.")
        stop = question.addButton("Stop and quit", QMessageBox.ButtonRole.AcceptRole)
        question.setDefaultButton(question.addButton("Keep running", QMessageBox.ButtonRole.RejectRole))
        question.exec()
        return bool(question.clickedButton() == stop)

    def _close(self) -> None:
        self._may_close = True
        if self._tray is not None:
            self._tray.hide()
        self._window.close()

    def _notify(self, ended: Ended) -> None:
        if not self._window.isActiveWindow():
            self._tell(ended.heading, ended.text)

    def _tell(self, heading: str, text: str) -> None:
        if self._tray is not None:
            self._tray.showMessage(heading, text, self._icon)
        elif notify := shutil.which("notify-send"):
            subprocess.Popen([notify, "--app-name=idm", "--", heading, text])

    def _save(self, download: Any) -> None:
        places = QStandardPaths.StandardLocation
        folders = [Path(QStandardPaths.writableLocation(p)) for p in (places.DownloadLocation, places.HomeLocation)]
        folder = next((folder for folder in folders if folder.is_dir()), folders[-1])
        wished = str(folder / download.suggestedFileName())
        chosen, _ = QFileDialog.getSaveFileName(self._window, "Save", wished)
        if not chosen:
            download.cancel()
            return
        download.setDownloadDirectory(str(Path(chosen).parent))
        download.setDownloadFileName(Path(chosen).name)
        download.accept()


def show(address: str, folder: Path, icon: Path) -> None:
    """Show ``address`` until the window is closed; ``folder`` keeps what it remembers."""
    window = webview.create_window(_NAME, address, width=1180, height=760, min_size=(380, 480), hidden=True)
    remembered = QSettings(str(folder / "window.ini"), QSettings.Format.IniFormat)
    watcher = Watcher(address)
    keep: list[Desktop] = []

    def join_desktop() -> None:
        desktop = Desktop(window.native, icon, watcher, remembered)
        keep.append(desktop)
        watcher.start(desktop.ended.emit)
        threading.Thread(target=wait_for_server, args=(desktop,), daemon=True).start()

    def wait_for_server(desktop: Desktop) -> None:
        sys.stdin.read()
        desktop.server_gone.emit()

    def when_shown() -> None:
        window.events.shown.wait()
        window.native.create_window_trigger.emit(join_desktop)  # pywebview's own way onto Qt's thread

    webview.start(when_shown, gui="qt", private_mode=False, storage_path=str(folder / "window"))
    threading.Thread(target=_end_anyway, daemon=True).start()


def _end_anyway() -> None:
    """A thread of pywebview's waits for ever for a page that was closed in the instant in which it had loaded."""
    time.sleep(_SECONDS_TO_END)
    os._exit(0)


if __name__ == "__main__":
    show(sys.argv[1], *map(Path, sys.argv[2:]))

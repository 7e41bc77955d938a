"""Every word that the dashboard shows. One place, so that it can be translated."""

from idm_app.model import Category, Status

PRODUCT = "idm – download manager"

STATUS = {
    Status.QUEUED: "Queued",
    Status.PROBING: "Looking",
    Status.DOWNLOADING: "Downloading",
    Status.PROCESSING: "Processing",
    Status.PAUSED: "Paused",
    Status.COMPLETED: "Finished",
    Status.FAILED: "Failed",
}
PHASE = {
    "probing": "Looking at the address",
    "video": "Downloading video",
    "audio": "Downloading audio",
    "subtitles": "Downloading subtitles",
    "merging": "Merging",
    "converting": "Converting",
    "finishing": "Finishing",
}
TRYING_AGAIN = "Waiting to try again"

CATEGORY = {
    Category.COMPRESSED: "Compressed",
    Category.DOCUMENTS: "Documents",
    Category.MUSIC: "Music",
    Category.PROGRAMS: "Programs",
    Category.VIDEO: "Video",
    Category.OTHER: "Other",
}
GROUP = {"all": "All", "unfinished": "Unfinished", "finished": "Finished", "failed": "Failed"}
FILTERS = "Show"
CATEGORIES = "Categories"

URL = "URL"
DOWNLOAD = "Download"
CANCEL = "Cancel"
ADD_TITLE = "New download"
ADD_HINT = "One address, or one on each line. Enter starts, Shift+Enter begins a new line."
ADD_NOTHING = "Paste an address that begins with http:// or https://."

EMPTY_TITLE = "Paste an address to begin"
EMPTY_STEPS = (
    ("content_paste", "Paste", "A file, a video page, a playlist: press Ctrl+V anywhere on this page."),
    ("speed", "Watch", "Several connections for each file, every number live, here and in every other tab."),
    ("save_alt", "Save", "Finished files stay on the server; Save fetches one to this device."),
)
NOTHING_FITS = "Nothing fits this filter."

REMOVE = "Remove"
REMOVE_FROM_LIST = "Remove from list"
REMOVE_WITH_FILE = "Delete the file too"
REMOVE_WITH_FILES = "Delete the files too"

RECOVERED = "The list was repaired when the server started"
DISMISS = "Dismiss"

IN_BROWSER = {
    "name": "idm",
    "add_url": "Add URL",
    "resume_selected": "Resume",
    "stop_selected": "Stop",
    "delete_selected": "Delete",
    "start_all": "Start All",
    "stop_all": "Stop All",
    "delete_completed": "Delete Completed",
    "search": "Search name or address",
    "select_all": "Select all that are shown",
    "columns": {"name": "Name", "status": "Status", "size": "Size", "rate": "Transfer rate", "eta": "Time left"},
    "list": "The list",
    "newer": "Newer",
    "older": "Older",
    "connected": "Connected",
    "connecting": "Connecting…",
    "offline": "Offline – trying again by itself",
    "open": "Open file",
    "folder": "Open folder",
    "pause": "Pause",
    "resume": "Resume",
    "retry": "Retry",
    "remove": "Remove",
    "save": "Save",
    "select": "Select",
    "details": "Details",
    "copy": "Copy",
    "copied": "Copied",
    "theme": "Theme",
    "auto": "like the system",
    "light": "light",
    "dark": "dark",
}
"""What the components under ``assets/`` say by themselves."""


def started(ids: list[int]) -> str:
    """The toast after adding."""
    if len(ids) == 1:
        return f"Download started #{ids[0]}"
    return f"{len(ids)} downloads started, #{ids[0]}–#{ids[-1]}"


def page_of(first: int, last: int, total: int) -> str:
    """Which part of the list is shown; counted from 1."""
    return f"{first:,}–{last:,} of {total:,}"


def active(count: int) -> str:
    """How many are running."""
    return f"{count} active"


def queued(count: int) -> str:
    """How many wait."""
    return f"{count} queued"


def free(size: str) -> str:
    """Room on the disk."""
    return f"{size} free"


def ended(title: str, failed: bool) -> str:
    """What a screen reader says when a download ends."""
    return f"{title}: failed" if failed else f"{title}: finished"


def ended_many(count: int) -> str:
    """The same for several at once."""
    return f"{count} downloads have ended"


def remove_one(title: str) -> str:
    """The question before a download is taken off the list."""
    return f"Remove “{title}”?"


def remove_many(count: int) -> str:
    """The same for several."""
    return f"Remove {count} downloads?"


PARTS_ARE_LOST = "What has arrived so far will be deleted."
FILE_STAYS = "It is finished. The file can stay on the disk."
FILES_STAY = "Finished files can stay on the disk; what has arrived of unfinished ones will be deleted."
ONLY_THE_LIST = "The finished files stay on the disk."
NOTHING_FINISHED = "Nothing is finished yet."

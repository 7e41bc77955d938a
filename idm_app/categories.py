"""Which category a file belongs to: by its extension, as IDM sorts them. Pure."""

import posixpath

from idm_app.model import Category, Kind

_EXTENSIONS: dict[Category, str] = {
    Category.COMPRESSED: "7z ace arj br bz2 cab gz lz lzma r00 rar sit tar tgz xz z zip zst",
    Category.DOCUMENTS: "azw3 csv doc docx epub htm html mobi odp ods odt pdf ppt pptx rtf srt tex txt vtt xls xlsx",
    Category.MUSIC: "aac aif aiff flac m4a mka mp3 oga ogg opus wav wma",
    Category.PROGRAMS: "apk appimage bat bin deb dmg exe img iso jar msi msix pkg rpm run sh",
    Category.VIDEO: "3gp avi flv m2ts m4v mkv mov mp4 mpeg mpg ogv ts webm wmv",
}
_BY_EXTENSION = {extension: category for category, text in _EXTENSIONS.items() for extension in text.split()}


def category_of(filename: str | None, kind: Kind | None = None) -> Category:
    """The category of ``filename``; media whose name says nothing is video."""
    extension = posixpath.splitext((filename or "").rstrip("/"))[1].lower().lstrip(".")
    fallback = Category.VIDEO if kind is Kind.MEDIA else Category.OTHER
    return _BY_EXTENSION.get(extension, fallback)

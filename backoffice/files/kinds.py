"""What a file is, by its content; the name only chooses between kinds that the content allows, or is refused.

An allow-list: what is not on it is not taken. Programs, scripts, web pages, drawings with scripts (SVG) and documents
with macros are on none of its lines.
"""

from __future__ import annotations

import io
import json
import re
import unicodedata
import zipfile
from collections.abc import Callable
from dataclasses import dataclass

import puremagic
from flask_babel import lazy_gettext as _l

from backoffice.errors import DomainError

#: As long as a name may be, its ending included.
LONGEST_NAME = 150
#: Endings of what runs, or is read as a page that does, once somebody opens it; refused inside archives too.
_ACTIVE = frozenset(
    [
        "ade",
        "adp",
        "apk",
        "app",
        "appx",
        "bat",
        "chm",
        "cmd",
        "com",
        "cpl",
        "dll",
        "docm",
        "dmg",
        "exe",
        "gadget",
        "hta",
        "htm",
        "html",
        "img",
        "inf",
        "ins",
        "iso",
        "jar",
        "js",
        "jse",
        "lib",
        "lnk",
        "mde",
        "msc",
        "msi",
        "msp",
        "mst",
        "pif",
        "pl",
        "potm",
        "ppam",
        "ppsm",
        "pptm",
        "ps1",
        "py",
        "reg",
        "rpm",
        "scr",
        "sct",
        "sh",
        "shb",
        "svg",
        "svgz",
        "sys",
        "url",
        "vb",
        "vbe",
        "vbs",
        "vhd",
        "vxd",
        "wsc",
        "wsf",
        "wsh",
        "xhtml",
        "xlam",
        "xlsm",
        "xltm",
        "xht",
        "xll",
    ]  # words read better than seventy quotes
)
_WEB_PAGE = re.compile(rb"<\s*(?:!doctype\s+html|html|head|body|script|svg|iframe|object)\b", re.IGNORECASE)
_PRINTABLE_GAPS = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
#: A signed document (CAdES): a sequence whose type is signedData.
_SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
_MACROS_OF_OLE = "_VBA_PROJECT".encode("utf-16-le")


class EmptyFile(DomainError):
    template = _l("“%(name)s” is empty.")


class FileTooLarge(DomainError):
    template = _l("“%(name)s” is too large: at most %(limit)s MB.")
    status = 413


class KindNotTaken(DomainError):
    """The name ends like something that is not on the list."""

    template = _l(
        "“%(name)s” is not taken: pictures, PDF, Office documents without macros, text, e-mail, recordings and "
        "archives are."
    )
    status = 415


class NotWhatItSays(DomainError):
    """The content is something else than the name says, or hides something that runs."""

    template = _l("“%(name)s” is not taken: its content is not that of a harmless file with this ending.")
    status = 415


@dataclass(frozen=True)
class FileKind:
    """A kind that is taken: how it is sent back, and what its content must be like."""

    media_type: str
    is_such: Callable[[bytes, frozenset[str]], bool]
    #: Whether a browser may show it by itself.
    inline: bool = False


def _says(*endings: str) -> Callable[[bytes, frozenset[str]], bool]:
    """Its first bytes are those of a format that has one of the endings."""
    return lambda _content, found: any(ending in found for ending in endings)


def _is_text(content: bytes, _found: frozenset[str]) -> bool:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            content = content.decode("utf-16").encode()
        except UnicodeDecodeError:
            return False
    return not (_PRINTABLE_GAPS.search(content) or _WEB_PAGE.search(content) or content.startswith(b"#!"))


def _is_json(content: bytes, found: frozenset[str]) -> bool:
    try:
        json.loads(content)
    except (ValueError, RecursionError):
        return False
    return _is_text(content, found)


def _is_signed(content: bytes, _found: frozenset[str]) -> bool:
    return content.startswith(b"\x30") and _SIGNED_DATA in content[:32]


def _is_ole(content: bytes, _found: frozenset[str]) -> bool:
    return content.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") and _MACROS_OF_OLE not in content


def _holds(wanted: str) -> Callable[[bytes, frozenset[str]], bool]:
    """It is an archive that has ``wanted``, a folder or the text of its member ``mimetype``, and nothing active."""

    def is_such(content: bytes, _found: frozenset[str]) -> bool:
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                names = [member.filename for member in archive.infolist()]
                if any(_is_active(name) for name in names):
                    return False
                if wanted.startswith("application/"):
                    member = archive.getinfo("mimetype")
                    return member.file_size < 200 and archive.read(member).decode("ascii", "replace") == wanted
        except (zipfile.BadZipFile, KeyError, NotImplementedError, RuntimeError, OSError, EOFError):
            return False
        return not wanted or ("[Content_Types].xml" in names and any(name.startswith(wanted) for name in names))

    return is_such


def _is_active(member: str) -> bool:
    plain = member.lower()
    macros = plain.endswith("vbaproject.bin") or plain.startswith(("basic/", "scripts/"))
    return macros or plain.rpartition(".")[2] in _ACTIVE


_OFFICE = "application/vnd.openxmlformats-officedocument."
_OPEN = "application/vnd.oasis.opendocument."
_JPEG = FileKind("image/jpeg", _says("jpg", "jpeg"), inline=True)
_TIFF = FileKind("image/tiff", _says("tif", "tiff"))
_HEIC = FileKind("image/heic", _says("heic", "heif"))
_TEXT = FileKind("text/plain", _is_text)

#: By ending, in small letters.
KINDS: dict[str, FileKind] = {
    "png": FileKind("image/png", _says("png"), inline=True),
    "jpg": _JPEG,
    "jpeg": _JPEG,
    "gif": FileKind("image/gif", _says("gif"), inline=True),
    "webp": FileKind("image/webp", _says("webp"), inline=True),
    "bmp": FileKind("image/bmp", _says("bmp")),
    "tif": _TIFF,
    "tiff": _TIFF,
    "heic": _HEIC,
    "heif": _HEIC,
    "pdf": FileKind("application/pdf", _says("pdf")),
    "docx": FileKind(f"{_OFFICE}wordprocessingml.document", _holds("word/")),
    "xlsx": FileKind(f"{_OFFICE}spreadsheetml.sheet", _holds("xl/")),
    "pptx": FileKind(f"{_OFFICE}presentationml.presentation", _holds("ppt/")),
    "odt": FileKind(f"{_OPEN}text", _holds(f"{_OPEN}text")),
    "ods": FileKind(f"{_OPEN}spreadsheet", _holds(f"{_OPEN}spreadsheet")),
    "odp": FileKind(f"{_OPEN}presentation", _holds(f"{_OPEN}presentation")),
    "doc": FileKind("application/msword", _is_ole),
    "xls": FileKind("application/vnd.ms-excel", _is_ole),
    "ppt": FileKind("application/vnd.ms-powerpoint", _is_ole),
    "msg": FileKind("application/vnd.ms-outlook", _is_ole),
    "rtf": FileKind("application/rtf", _says("rtf")),
    "txt": _TEXT,
    "log": _TEXT,
    "csv": FileKind("text/csv", _is_text),
    "json": FileKind("application/json", _is_json),
    "xml": FileKind("application/xml", _is_text),
    "eml": FileKind("message/rfc822", lambda content, _found: not _PRINTABLE_GAPS.search(content)),
    "p7m": FileKind("application/pkcs7-mime", _is_signed),
    "zip": FileKind("application/zip", _holds("")),
    "mp3": FileKind("audio/mpeg", _says("mp3")),
    "wav": FileKind("audio/wav", _says("wav")),
    "mp4": FileKind("video/mp4", _says("mp4")),
}
#: Media types that a browser may show by itself.
INLINE = frozenset(kind.media_type for kind in KINDS.values() if kind.inline)


def clean_name(name: str) -> str:
    """Return ``name`` without folders, control and formatting characters (which can turn ``exe.txt`` around)."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    shown = "".join(c for c in last if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp"))
    shown = re.sub(r'[<>:"|?*]', "_", " ".join(shown.split())).strip(". ")
    stem, dot, ending = shown.rpartition(".")
    if dot and len(ending) <= 10:
        return f"{stem[: LONGEST_NAME - len(ending) - 1].rstrip()}.{ending}"
    return shown[:LONGEST_NAME].rstrip()


def recognise(name: str, content: bytes, *, limit_mb: int) -> tuple[str, str]:
    """Return the clean name and the media type of a file that may be taken.

    :raises EmptyFile: it has no content.
    :raises FileTooLarge: it has more than ``limit_mb`` megabytes.
    :raises KindNotTaken: its name ends like nothing on the list.
    :raises NotWhatItSays: its content is not what its name says.
    """
    shown = clean_name(name) or "file"
    if not content:
        raise EmptyFile(name=shown)
    if len(content) > limit_mb * 1024 * 1024:
        raise FileTooLarge(name=shown, limit=limit_mb)
    found = _endings(content)
    stem, dot, ending = shown.rpartition(".")
    if not dot:
        # A name without an ending gets that of its content, where that is plain.
        ending = next((known for known in KINDS if known in found and KINDS[known].is_such(content, found)), "")
        shown = f"{shown}.{ending}"
    kind = KINDS.get(ending.lower())
    if kind is None:
        raise KindNotTaken(name=shown.rstrip("."))
    # What runs is told by its last ending on one system and by an earlier one on another.
    if any(part.lower() in _ACTIVE for part in stem.split(".")[1:]) or not kind.is_such(content, found):
        raise NotWhatItSays(name=shown)
    return shown, kind.media_type


def _endings(content: bytes) -> frozenset[str]:
    """Return the endings of all formats whose marks the content bears."""
    try:
        return frozenset(found.extension.lstrip(".").lower() for found in puremagic.magic_string(content))
    except puremagic.PureError:
        return frozenset()

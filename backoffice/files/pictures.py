"""Pictures made anew before a browser shows them: what was hidden in the file, its place and time included, is gone."""

from __future__ import annotations

import io
import warnings

from flask_babel import lazy_gettext as _l
from PIL import Image, ImageOps

from backoffice.errors import DomainError

#: What is read at all; everything else Pillow knows is never asked for.
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
#: More points than any camera takes: such a file is made to fill the memory.
MOST_POINTS = 50_000_000
#: Nobody's screen is wider, in points.
_WIDEST = 3_000


class NotAPicture(DomainError):
    template = _l("This is no picture that can be shown: PNG, JPEG, WebP or GIF.")
    status = 422


def redrawn(content: bytes, *, widest: int = _WIDEST, highest: int = _WIDEST) -> tuple[bytes, str]:
    """Return a picture drawn anew, as large as fits, and its media type: JPEG stays JPEG, all else becomes PNG.

    :raises NotAPicture: it cannot be read, or has more than ``MOST_POINTS``.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of broken metadata, which is thrown away
            with Image.open(io.BytesIO(content), formats=_FORMATS) as found:
                if found.width * found.height > MOST_POINTS:
                    raise NotAPicture
                is_photo = found.format == "JPEG"
                picture = ImageOps.exif_transpose(found).convert("RGB" if is_photo else "RGBA")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise NotAPicture from error
    picture.thumbnail((widest, highest))
    # From its points alone: nothing of what the file said about itself is taken along.
    clean = Image.frombytes(picture.mode, picture.size, picture.tobytes())
    made = io.BytesIO()
    clean.save(made, "JPEG" if is_photo else "PNG", **({"quality": 88} if is_photo else {"optimize": True}))
    return made.getvalue(), "image/jpeg" if is_photo else "image/png"


__all__ = ["MOST_POINTS", "NotAPicture", "redrawn"]

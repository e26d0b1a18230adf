"""Pictures are drawn anew before a browser shows them: nothing hidden in the file is passed on."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from backoffice.files.pictures import MOST_POINTS, NotAPicture, redrawn

SECRET = b"<script>segreto</script>"


def picture(kind: str, size: tuple[int, int] = (40, 20), **options: object) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", size, (200, 30, 30)).save(made, kind, **options)
    return made.getvalue()


def place_and_time() -> Image.Exif:
    exif = Image.Exif()
    exif[0x010E] = SECRET.decode()  # what the picture shows
    exif[0x0112] = 6  # turned by a quarter
    return exif


@pytest.mark.parametrize(
    ("kind", "media_type"),
    [("PNG", "image/png"), ("JPEG", "image/jpeg"), ("WEBP", "image/png"), ("GIF", "image/png")],
)
def test_the_picture_stays_and_what_was_behind_it_goes(kind: str, media_type: str) -> None:
    content, told = redrawn(picture(kind) + SECRET)
    assert (told, SECRET in content) == (media_type, False)
    with Image.open(io.BytesIO(content)) as made:
        assert (made.size, Image.MIME[made.format or ""]) == ((40, 20), media_type)
        red = made.convert("RGB").getpixel((5, 5))
    assert isinstance(red, tuple)
    assert abs(red[0] - 200) < 6


def test_what_the_file_says_about_itself_goes_but_how_it_is_turned() -> None:
    content, _told = redrawn(picture("JPEG", exif=place_and_time()))
    assert SECRET not in content
    with Image.open(io.BytesIO(content)) as made:
        assert (made.size, dict(made.getexif())) == ((20, 40), {})


def test_it_is_no_larger_than_asked() -> None:
    content, _told = redrawn(picture("PNG", (900, 300)), widest=480, highest=144)
    with Image.open(io.BytesIO(content)) as made:
        assert made.size == (432, 144)


def with_size(width: int, height: int) -> bytes:
    """A PNG whose head claims a size that its body has not."""
    whole = bytearray(picture("PNG"))
    whole[16:24] = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    return bytes(whole)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x89PNG\r\n\x1a\n",
        SECRET,
        picture("BMP"),
        picture("TIFF"),
        picture("PNG")[:60],
        with_size(MOST_POINTS, 2),
        with_size(100_000, 100_000),
        b'<svg xmlns="http://www.w3.org/2000/svg"/>',
    ],
    ids=["empty", "head", "page", "bmp", "tiff", "torn", "large", "bomb", "svg"],
)
def test_anything_else_is_no_picture(content: bytes) -> None:
    with pytest.raises(NotAPicture):
        redrawn(content)

"""Picture files to arrays and back: turning, transparency, colour profiles and depth are settled here.

Reading is forgiving about what cameras, scanners and drawing programs write, and strict about damage.
Writing is whole or not at all.
"""

from __future__ import annotations

import threading
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any, BinaryIO

import cv2
import numpy as np
from cv2.utils import logging
from numpy.lib.stride_tricks import as_strided
from PIL import ExifTags, Image, ImageCms, UnidentifiedImageError
from PIL.TiffImagePlugin import IMAGELENGTH, IMAGEWIDTH, TiffImageFile

from sketchcolor_cli.compute import memory
from sketchcolor_cli.errors import ImageError, SeveralPicturesError
from sketchcolor_cli.files import jpeg, signatures
from sketchcolor_cli.files.atomic import write_bytes
from sketchcolor_cli.files.regular import refusal
from sketchcolor_cli.files.worklist import FORMAT_OF_SUFFIX, IMAGE_SUFFIXES
from sketchcolor_cli.imaging import deep as sixteen
from sketchcolor_cli.imaging import formats, png
from sketchcolor_cli.imaging import icc as profiles
from sketchcolor_cli.imaging.rows import Rows, in_bands, mapped
from sketchcolor_cli.imaging.settings import Saving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    import torch
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float32]
    Samples = NDArray[np.uint8] | NDArray[np.uint16]
    Turn = Callable[[Any], Any]
    Convert = Callable[[Any], FloatArray]

__all__ = [
    "IMAGE_SUFFIXES",
    "MAX_PIXELS",
    "Picture",
    "has_one_plane",
    "on_paper",
    "read_picture",
    "to_array",
    "to_tensor",
    "write_picture",
]

MAX_PIXELS = 250_000_000
"""The largest picture that is read, in pixels: A2 at 800 dpi, 3 GB as float32 RGB."""

_ALPHA_FORMATS = frozenset({"AVIF", "PNG", "TIFF", "WEBP"})
_DEEP_FORMATS = frozenset({"PNG", "TIFF"})
_LONGEST_SIDE = {"JPEG": 65500, "WEBP": 16383, "AVIF": 65535}
# These say their resolution in EXIF alone.
_EXIF_DPI = frozenset({"AVIF", "WEBP"})
# The modes that Pillow decodes to, and the one of three in which each is handled.
_COLOR_SPACES = {
    **dict.fromkeys(("1", "L", "LA", "La"), "L"),
    **dict.fromkeys(("P", "PA", "RGB", "RGBA", "RGBX", "RGBa", "YCbCr"), "RGB"),
    "CMYK": "CMYK",
}
_PROFILE_SPACES = {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK"}
# Profiles of sRGB made of tables differ by this much in 8-bit steps; converting would only add rounding.
_SAME_PROFILE = 2
_DAMAGED = "is damaged or cut short; save or copy it again"
_ROWS = 64  # that are rounded at a time
_BAND = 512  # rows that are turned into samples at a time
_HUGE_PAGE = 64_000_000
"""Pixels beyond which a picture in colour is held as its samples: more than a B4 page at 600 dpi has."""
_DECODERS = threading.Lock()


class _Values:
    """A field of values; an array for all who ask, though of a huge picture only its samples are held."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, picture: Picture | None, owner: type) -> Any:
        if picture is not None:
            held = vars(picture)[self._name]
            return held[:] if isinstance(held, Rows) else held
        if self._name == "alpha":
            return None  # its default
        raise AttributeError(self._name)

    def __set__(self, picture: Picture, held: FloatArray | Rows | None) -> None:
        vars(picture)[self._name] = held


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture as it is worked on.

    Attributes:
        rgb: H×W×3 float32 in [0, 1], sRGB-encoded, not premultiplied by alpha. Not to be written to: of a
            page without colour the channels may be the same memory, and of one in colour with more than 64
            million pixels it is made each time.
        alpha: H×W float32 in [0, 1], 1 opaque; None where the file has no transparency. Likewise.
        gray: Whether the file is grey. The three channels are then equal, and one of them is written.
        bits: Depth per channel, 8 or 16.
        icc: The profile to write the picture with, to which its values, sRGB here, are then converted: that
            of the file where it is of RGB and can be converted to, sRGB where it was another. None where the
            file has none.
        dpi: Dots per inch across and down, or None.
        format: Pillow's name of the format: PNG, JPEG, WEBP, AVIF, TIFF, BMP, GIF, PSD, HEIF, JXL, JPEG2000.
    """

    rgb: FloatArray = _Values()  # type: ignore[assignment]
    alpha: FloatArray | None = _Values()  # type: ignore[assignment]
    gray: bool = False
    bits: int = 8
    icc: bytes | None = None
    dpi: tuple[float, float] | None = None
    format: str = "PNG"

    @property
    def nbytes(self) -> int:
        """How many bytes of memory its samples take."""
        return self.rgb_rows.nbytes + (0 if self.alpha_rows is None else self.alpha_rows.nbytes)

    @property
    def shape(self) -> tuple[int, int]:
        """Its height and width."""
        height, width = self.rgb_rows.shape[:2]
        return height, width

    @property
    def rgb_rows(self) -> FloatArray | Rows:
        """``rgb``, of which some rows can be taken without making all."""
        return vars(self)["rgb"]  # type: ignore[no-any-return]

    @property
    def alpha_rows(self) -> FloatArray | Rows | None:
        """``alpha``, likewise."""
        return vars(self)["alpha"]  # type: ignore[no-any-return]

    def but(self, **changes: Any) -> Picture:
        """Return the same with some fields changed; unlike ``replace`` it makes no values of the others."""
        return Picture(**(vars(self) | changes))


def read_picture(path: Path, name: Path | None = None) -> Picture:
    """Read a picture file of any kind in ``formats.NAMES``.

    The EXIF orientation is applied. Pictures with another colour profile than sRGB are converted to sRGB;
    PNG and TIFF with 16 bits per channel keep them, unless the profile is one of tables.

    Args:
        path: The file.
        name: What errors call it, where the user knows it by another name.

    Raises:
        ImageError: The file is missing, empty, no picture, damaged, of a kind that is not supported, or has
            more than MAX_PIXELS pixels.
        SeveralPicturesError: It is an animation, or a TIFF of several pages.
    """
    name = name or path
    image, deep, turn = _decoded(path, name)
    samples, alpha = deep or _flat_samples(name, image)
    icc, dpi = image.info.get("icc_profile"), _dpi(image)
    kind = "JPEG" if image.format == "MPO" else str(image.format)
    del image
    memory.give_back_after(samples.size)
    # A damaged TIFF may have a number there.
    color, convert, icc = _in_srgb(turn(samples), icc if isinstance(icc, bytes) else None)
    gray = color.ndim == 2
    bare = not gray and convert is _to_unit and _has_equal_channels(color)
    if bare:
        color = color[..., 0]
        alpha = None if alpha is None else alpha.copy()  # or the other channels would be held with it
    del samples
    return Picture(
        rgb=gray_as_rgb(convert(color)) if color.ndim == 2 else _held(color, convert),
        alpha=None if alpha is None else _held(turn(alpha), _to_unit),
        gray=gray,
        bits=16 if deep and color.dtype != np.uint8 else 8,
        icc=icc,
        dpi=dpi[::-1] if dpi and turn in _LYING else dpi,
        format=kind,
    )


def _decoded(path: Path, name: Path) -> tuple[Image.Image, tuple[Samples, Samples | None] | None, Turn]:
    """Return a file's picture, its samples where they have 16 bits, and how it is to be turned."""
    try:
        if (why := refusal(path)) is not None:
            raise ImageError(f"{name}: {why}")
        if path.stat().st_size == 0:
            raise ImageError(f"{name}: is empty (0 bytes); save or copy it again")
        with path.open("rb") as file, _decoders_prepared():
            image, inner = _decode(name, file)
            turn = _turn(image)
            return image, sixteen.decode(name, image, inner), turn
    except FileNotFoundError as error:
        raise ImageError(f"{name}: no such file; check the name") from error
    except OSError as error:
        raise ImageError(
            f"{name}: cannot be read ({error.strerror}); check it and its permissions"
        ) from error


def gray_as_rgb(gray: FloatArray) -> FloatArray:
    """Show grey (H, W) as (H, W, 3), three times the same memory, which is then not to be written to."""
    # Not numpy's broadcast_to, whose result torch takes with a warning only.
    return as_strided(gray, (*gray.shape, 3), (*gray.strides, 0))


def has_one_plane(rgb: FloatArray | Rows) -> bool:
    """Whether three channels are the same memory, as of a picture that was found to be without colour."""
    return not isinstance(rgb, Rows) and rgb.strides[-1] == 0


def on_paper(picture: Picture) -> FloatArray:
    """Lay the picture on white paper: H×W×3 colours, mixed as encoded (which is how viewers mix them).

    Without alpha this is picture.rgb itself, not a copy.
    """
    rgb = rows_on_paper(picture)
    return rgb[:] if isinstance(rgb, Rows) else rgb


def rows_on_paper(picture: Picture) -> FloatArray | Rows:
    """Do the same, of which some rows can be taken without making all."""
    rgb, alpha = picture.rgb_rows, picture.alpha_rows
    return rgb if alpha is None else mapped(_over_white, rgb, alpha)


def _over_white(rgb: FloatArray, alpha: FloatArray) -> FloatArray:
    opaque = alpha[..., None]
    return rgb * opaque + (1 - opaque)


def write_picture(
    path: Path,
    picture: Picture,
    saving: Saving | None = None,
    bands: Iterable[FloatArray] | None = None,
    name: Path | None = None,
) -> None:
    """Write a picture in the format that the file's ending names, making the folder if need be.

    Values are clipped to [0, 1] and rounded. Alpha, 16 bits, the single grey channel, resolution and profile
    are kept as far as the format has them; without alpha the picture is laid on white paper. The file is
    written under a temporary name in the same folder and then renamed, so it is whole or absent.

    Args:
        path: Ends in .png, .jpg, .jpeg, .jfif, .webp, .avif, .tif, .tiff or .bmp, in any case.
        picture: The picture.
        saving: What JPEG, WebP and AVIF are to keep; None for the defaults.
        bands: The rows of the picture from the top, (n, W, 3) each, to be written in place of its ``rgb``: a
            huge picture that is made on the way need never lie whole in memory as numbers.
        name: What errors call the file, where the user knows it by another name.

    Raises:
        ImageError: The format is not written or cannot hold the picture, the picture has values that are
            not numbers, or the file cannot be written.
    """
    write_bytes(path, encode_picture(name or path, picture, saving, bands), ImageError, name)


def encode_picture(
    path: Path,
    picture: Picture,
    saving: Saving | None = None,
    bands: Iterable[FloatArray] | None = None,
) -> bytes:
    """Return what :func:`write_picture` writes; errors name the path.

    Raises:
        ImageError: As for :func:`write_picture`, but for writing itself.
    """
    name = FORMAT_OF_SUFFIX.get(path.suffix.lower())
    if name is None:
        endings = " ".join(FORMAT_OF_SUFFIX)
        raise ImageError(
            f"{path}: not a format that can be written; choose a name that ends in one of {endings}"
        )
    longest = max(picture.shape)
    if longest > _LONGEST_SIDE.get(name, longest):
        raise ImageError(f"{path}: {longest} pixels are too many for one side of a {name} file; write PNG")
    whole = picture.rgb_rows
    rows = (whole[top : top + _BAND] for top in range(0, len(whole), _BAND))
    try:
        return _encode(picture, name, saving or Saving(), rows if bands is None else bands)
    except _NotNumbersError as error:
        raise ImageError(
            f"{path}: not written, the picture has values that are not numbers; try full precision"
        ) from error
    except (OSError, ValueError) as error:
        raise ImageError(f"{path}: cannot be written as {name} ({error}); try PNG") from error


def to_tensor(rgb: FloatArray) -> torch.Tensor:
    """H×W×3 to (1, 3, H, W) float32 on the CPU; shares memory with the array where that is writable."""
    import torch

    return torch.from_numpy(np.require(rgb, np.float32, ["C", "W"])).permute(2, 0, 1)[None]


def to_array(tensor: torch.Tensor) -> FloatArray:
    """(1, 3, H, W), or (1, 1, H, W) shown in all three channels, to H×W×3 float32.

    Shares memory with a float32 tensor on the CPU.
    """
    array: FloatArray = tensor.detach()[0].float().cpu().expand(3, -1, -1).permute(1, 2, 0).numpy()
    return array


# Reading


@contextmanager
def _decoders_prepared() -> Iterator[None]:
    """Pillow's limit set to ours, and no decoder talking to the user; both are global, hence the lock."""
    with _DECODERS, warnings.catch_warnings():
        limit, level = Image.MAX_IMAGE_PIXELS, logging.getLogLevel()
        warnings.simplefilter("ignore")
        Image.MAX_IMAGE_PIXELS = MAX_PIXELS
        logging.setLogLevel(logging.LOG_LEVEL_SILENT)
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = limit
            logging.setLogLevel(level)


def _decode(path: Path, file: BinaryIO) -> tuple[Image.Image, BinaryIO]:
    """Decode the picture, unless the header names too many pixels; return also the file that it lies in."""
    too_large = f"{path}: has more than {MAX_PIXELS / 1e6:g} million pixels; scale it down or cut it up"
    try:
        image, inner = _opened(path, file)
        if image.width * image.height <= MAX_PIXELS:
            _refuse_several(path, formats.frames(image), image)
            _refuse_many_scans(path, image, inner)
            _refuse_missing_strips(path, image)
            image.load()
            if image.format == "PNG":
                _refuse_missing_rows(path, image, inner)
            return image, inner
    except ImageError:
        raise
    except UnidentifiedImageError as error:
        raise ImageError(f"{path}: {_what_else(file)}") from error
    except Image.DecompressionBombError as error:
        raise ImageError(too_large) from error
    except MemoryError:
        raise
    except Exception as error:  # damaged files make Pillow raise nearly anything
        raise ImageError(f"{path}: {_DAMAGED}") from error
    raise ImageError(too_large)


def _opened(path: Path, file: BinaryIO) -> tuple[Image.Image, BinaryIO]:
    try:
        return formats.opened(path, file)
    except MemoryError as error:  # for a header, which is small unless it lies
        raise ImageError(f"{path}: {_DAMAGED}") from error


def _refuse_several(path: Path, count: int, image: Image.Image) -> None:
    if count > 1 and image.format == "TIFF":
        raise SeveralPicturesError(
            f"{path}: has {count} pages; save the one that is meant as a file of its own"
        )
    if count > 1:
        raise SeveralPicturesError(
            f"{path}: is an animation of {count} frames; save the one that is meant as a picture"
        )


def _refuse_many_scans(path: Path, image: Image.Image, file: BinaryIO) -> None:
    """Each scan takes the decoder a pass over all pixels, which nothing interrupts."""
    parts = formats.jpegs(image)
    if not parts:
        return
    file.seek(0)
    data = file.read()
    if any(jpeg.has_too_many_scans(data, start, stop) for start, stop in parts):
        raise ImageError(f"{path}: {jpeg.TOO_MANY}")


def _refuse_missing_strips(path: Path, image: Image.Image) -> None:
    """Refuse a TIFF that is larger than its strips: the decoder leaves the rest black, of any size."""
    if not isinstance(image, TiffImageFile) or not image.tile:
        return
    right, bottom = (max(tile.extents[side] for tile in image.tile if tile.extents) for side in (2, 3))
    if right < image.tag_v2[IMAGEWIDTH] or bottom < image.tag_v2[IMAGELENGTH]:  # before it is turned
        raise ImageError(f"{path}: {_DAMAGED}")


def _refuse_missing_rows(path: Path, image: Image.Image, file: BinaryIO) -> None:
    """Missing rows are left zero by the decoder, so that pages that end otherwise need no counting."""
    last = image.crop((0, max(0, image.height - 2), image.width, image.height)).getextrema()
    lows = [extrema[0] if isinstance(extrema, tuple) else extrema for extrema in last]
    if min(lows) == 0 and not png.is_whole(file):
        raise ImageError(f"{path}: {_DAMAGED}")


def _what_else(file: BinaryIO) -> str:
    """Return what a file is that is not a picture we read."""
    file.seek(0)
    return signatures.describe(file.read(signatures.START)) or (
        f"is not a {formats.NAMES} picture, or its beginning is damaged; save it as PNG in a picture program"
    )


def _flat_samples(path: Path, image: Image.Image) -> tuple[Samples, Samples | None]:
    """Colour (H×W grey, H×W×3 RGB or H×W×4 CMYK) and alpha (H×W) of a decoded picture, uint8."""
    if image.mode not in _COLOR_SPACES:
        raise ImageError(
            f"{path}: colour mode {image.mode} is not supported; save it with 8 or 16 bits as RGB"
        )
    if image.mode in ("P", "PA") and image.palette is None:
        raise ImageError(f"{path}: is damaged, its palette is missing; save or copy it again")
    space = _COLOR_SPACES[image.mode]
    try:
        if space == "CMYK" or not image.has_transparency_data:
            return _as_array(_in_mode(image, space)), None
        layers = _as_array(_in_mode(image, space + "A"))
    except ValueError as error:  # a palette that is smaller than what it makes transparent
        raise ImageError(f"{path}: {_DAMAGED}") from error
    return (layers[..., 0] if space == "L" else layers[..., :3]), layers[..., -1]


def _in_mode(image: Image.Image, mode: str) -> Image.Image:
    return image if image.mode == mode else image.convert(mode)


def _as_array(image: Image.Image) -> NDArray[np.uint8]:
    """Return a picture's samples, taken some rows at a time: all at once Pillow holds them twice."""
    count = len(image.getbands())
    out = np.empty((image.height, image.width, count)[: 3 if count > 1 else 2], np.uint8)
    for rows in in_bands(out):
        out[rows] = np.asarray(image.crop((0, rows.start, image.width, rows.stop)))
    return out


def _turned_right(samples: Any) -> Any:
    return np.rot90(samples, -1)


def _turned_left(samples: Any) -> Any:
    return np.rot90(samples)


def _upside_down(samples: Any) -> Any:
    return np.rot90(samples, 2)


def _transposed(samples: Any) -> Any:
    return np.swapaxes(samples, 0, 1)


def _transversed(samples: Any) -> Any:
    return np.swapaxes(np.rot90(samples, 2), 0, 1)


_TURNS: dict[int, Callable[[Any], Any]] = {
    2: np.fliplr,
    3: _upside_down,
    4: np.flipud,
    5: _transposed,
    6: _turned_right,
    7: _transversed,
    8: _turned_left,
}
# Those that make a standing picture of a lying one.
_LYING = (_transposed, _turned_right, _transversed, _turned_left)


def _turn(image: Image.Image) -> Turn:
    """Find the turn that EXIF asks for (TIFF decoders have done it by now, and taken the tag away)."""
    if image.format in formats.TURNED:
        return np.asarray
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # damaged EXIF data, of which Pillow raises nearly anything, is as good as none
        orientation = 1
    return _TURNS.get(orientation, np.asarray)


def _in_srgb(color: Samples, icc: bytes | None) -> tuple[Samples | FloatArray, Convert, bytes | None]:
    """Grey or RGB, as samples or as values; what makes sRGB in [0, 1] of them; the profile to write with."""
    if icc and color.shape[2:] != (4,) and (profile := profiles.read_profile(icc)):
        if profile.is_gray != (color.ndim == 2):
            return color, _to_unit, None
        icc = profiles.srgb() if profile.is_gray else icc
        if profile.is_srgb:
            return color, _to_unit, icc
        return (color, profile.to_srgb, icc) if _is_huge(color) else (profile.to_srgb(color), _to_unit, icc)
    samples, icc = _converted_to_srgb(color, icc)
    return samples, _to_unit, icc


def _converted_to_srgb(color: Samples, icc: bytes | None) -> tuple[Samples, bytes | None]:
    """Grey or RGB in sRGB, converted in 8 bits; and the profile to write the picture with."""
    space = _space(color)
    transform = None if icc is None else _transform_to_srgb(icc, space)
    if transform is None:
        return (_by_bands(color, lambda image: image.convert("RGB")) if space == "CMYK" else color), None
    if space != "CMYK":
        levels = np.arange(0, 256, 51, dtype=np.uint8)
        probe: Samples = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(1, -1, 3)
        if space == "L":
            probe = probe[..., 0]
        if np.abs(_by_bands(probe, transform.apply).astype(int) - probe).max() <= _SAME_PROFILE:
            return color, icc if space == "RGB" else profiles.srgb()
    return _by_bands(color, transform.apply), profiles.srgb()


def _transform_to_srgb(icc: bytes, space: str) -> ImageCms.ImageCmsTransform | None:
    """None for a profile that is damaged or made for other channels, which viewers pass over too."""
    try:
        profile = ImageCms.ImageCmsProfile(BytesIO(icc))
        if profile.profile.xcolor_space.strip() != _PROFILE_SPACES[space]:
            return None
        return ImageCms.buildTransform(
            profile,
            ImageCms.createProfile("sRGB"),
            space,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            # Ink stays black; and the shortcut table that "optimising" makes for grey is 10 steps off.
            ImageCms.Flags.BLACKPOINTCOMPENSATION | ImageCms.Flags.NOOPTIMIZE,
        )
    except (OSError, ValueError, ImageCms.PyCMSError):
        return None


def _by_bands(color: Samples, convert: Callable[[Image.Image], Image.Image]) -> Samples:
    """Convert samples in Pillow, some rows at a time: it holds each of them several times."""
    out = np.empty((*color.shape[:2], 3)[: 2 + (color.ndim > 2)], np.uint8)
    for rows in in_bands(color):
        rgb = np.asarray(convert(_as_image(color[rows])))
        out[rows] = rgb[..., 1] if color.ndim == 2 else rgb  # grey stays grey: three equal channels
    return out


def _has_equal_channels(color: Samples | FloatArray) -> bool:
    """Whether colours (H, W, 3) are greys; then one channel is held in memory."""
    for top in range(0, len(color), _BAND):
        red, green, blue = (color[top : top + _BAND, :, place] for place in range(3))
        if not (np.array_equal(red, green) and np.array_equal(green, blue)):
            return False
    return True


def _space(color: Samples) -> str:
    return "L" if color.ndim == 2 else {3: "RGB", 4: "CMYK"}[color.shape[2]]


def _as_image(color: Samples) -> Image.Image:
    """Give the samples to Pillow, in 8 bits."""
    flat = color if color.dtype == np.uint8 else np.rint(color / 257).astype(np.uint8)
    return Image.frombytes(_space(color), (color.shape[1], color.shape[0]), flat.tobytes())


def _is_huge(samples: NDArray[Any]) -> bool:
    return bool(samples.shape[0] * samples.shape[1] > _HUGE_PAGE)


def _held(samples: Samples | FloatArray, convert: Convert) -> Any:
    """Return the values that are made of samples; of a huge picture as rows."""
    return Rows(convert, samples) if _is_huge(samples) else convert(samples)


def _to_unit(samples: Samples | FloatArray) -> FloatArray:
    peak = {"uint8": 255, "uint16": 65535, "float32": 1}[samples.dtype.name]
    unit: FloatArray = np.divide(samples, peak, dtype=np.float32, order="C")
    return unit


def _dpi(image: Image.Image) -> tuple[float, float] | None:
    try:
        resolution = image.info["dpi"] if image.format not in _EXIF_DPI else _exif_dpi(image)
        across, down = (float(value) for value in resolution)
    except Exception:  # as above
        return None
    # What no format holds, not-a-number included, is not a resolution.
    return (across, down) if 1 <= across <= 65535 and 1 <= down <= 65535 else None


def _exif_dpi(image: Image.Image) -> tuple[float, float]:
    exif = image.getexif()
    unit = {2: 1.0, 3: 2.54}[exif.get(ExifTags.Base.ResolutionUnit, 2)]
    return exif[ExifTags.Base.XResolution] * unit, exif[ExifTags.Base.YResolution] * unit


# Writing


class _NotNumbersError(Exception):
    """A picture has values that are not numbers."""


def _encode(picture: Picture, name: str, saving: Saving, bands: Iterable[FloatArray]) -> bytes:
    icc = None if picture.gray else picture.icc
    profile = profiles.read_profile(icc) if icc else None
    if profile and (profile.is_srgb or profile.is_gray):
        profile = None
    deep = picture.bits == 16 and name in _DEEP_FORMATS
    parts = _samples(picture, bands, profile, deep=deep, alpha=name in _ALPHA_FORMATS)
    if name == "PNG":
        return png.encode(parts, picture.shape[0], picture.dpi, icc)
    if deep:
        return sixteen.encode_tiff(parts, picture.shape[0], picture.dpi, icc)
    options: dict[str, Any] = {}
    ratios = ":".join(saving.subsampling)
    if name == "JPEG":
        options = {"quality": saving.quality, "subsampling": ratios}
    elif name == "WEBP":
        options = {"quality": saving.quality, "lossless": saving.quality == 100}
    elif name == "AVIF":
        options = {"quality": saving.quality, "subsampling": "4:0:0" if picture.gray else ratios}
    elif name == "TIFF":
        options = {"compression": "tiff_adobe_deflate"}  # 0.6 of LZW on coloured pages
    if picture.dpi and name in _EXIF_DPI:
        options["exif"] = _exif_with(picture.dpi)
    elif picture.dpi:
        options["dpi"] = picture.dpi
    if icc:
        options["icc_profile"] = icc
    buffer = BytesIO()
    _as_whole(parts, picture.shape[0]).save(buffer, name, **options)
    return buffer.getvalue()


def _as_whole(parts: Iterable[Samples], height: int) -> Image.Image:
    """Put samples (n, W, C) of rows from the top together to a picture of so many rows."""
    whole, top = None, 0
    for part in parts:
        image = Image.fromarray(part[..., 0] if part.shape[2] == 1 else part)
        whole = whole or Image.new(image.mode, (image.width, height))
        whole.paste(image, (0, top))
        top += image.height
    assert whole is not None  # noqa: S101  (no picture is without rows)
    return whole


def _exif_with(dpi: tuple[float, float]) -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.XResolution], exif[ExifTags.Base.YResolution] = dpi
    exif[ExifTags.Base.ResolutionUnit] = 2  # inch
    return exif


def _samples(
    picture: Picture,
    bands: Iterable[FloatArray],
    profile: profiles.Profile | None,
    *,
    deep: bool,
    alpha: bool,
) -> Iterator[Samples]:
    """Give what is written of a picture, (n, W, C) uint8 or uint16, of its rows from the top.

    ``profile`` is what colours are converted to, if that is needed; without ``alpha`` they are laid on paper.
    """
    top, alphas = 0, picture.alpha_rows
    for band in bands:
        if np.isnan(band.min(initial=0)):  # which is as good as looking at each
            raise _NotNumbersError
        opaque = None if alphas is None else alphas[top : top + len(band)]
        top += len(band)
        color = band if alpha or opaque is None else _over_white(band, opaque)
        if profile is not None:
            color = profile.from_srgb(color)
        values = [color[..., :1] if picture.gray else color]
        if alpha and opaque is not None:
            values.append(opaque[..., None])
        whole = values[0] if len(values) == 1 else np.concatenate(values, axis=2)
        yield _to_steps(whole, 65535).astype(np.uint16) if deep else _to_bytes(whole)


def _to_bytes(values: FloatArray) -> NDArray[np.uint8]:
    """Round [0, 1] to the nearest of 0 … 255."""
    samples = np.empty(values.shape, np.uint8)
    for start in range(0, len(values), _ROWS):  # few at a time, which stay in the processor's cache
        part = np.clip(values[start : start + _ROWS], 0, 1).reshape(-1, values.shape[1] * values.shape[2])
        samples[start : start + _ROWS].reshape(part.shape)[:] = cv2.addWeighted(
            part, 255, part, 0, 0, dtype=cv2.CV_8U
        )
    return samples


def _to_steps(values: FloatArray, peak: int) -> FloatArray:
    """Scale [0, 1] to 0 … peak, so that cutting off the fraction rounds to the nearest step."""
    steps: FloatArray = np.clip(values, 0, 1)
    steps *= peak
    steps += 0.5
    return steps

"""Picture files to arrays and back, against files that Pillow and OpenCV write and against broken ones."""

from __future__ import annotations

import errno
import io
import os
import struct
import subprocess
import sys
import zlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image, ImageCms, ImageOps

from sketchcolor_cli.errors import ImageError, SeveralPicturesError, UsageError
from sketchcolor_cli.files.worklist import FORMAT_OF_SUFFIX, IMAGE_SUFFIXES
from sketchcolor_cli.imaging import decoding, formats
from sketchcolor_cli.imaging import icc as profiles
from sketchcolor_cli.imaging.picture import Picture, has_one_plane, on_paper, to_array, to_tensor
from sketchcolor_cli.imaging.reading import read_picture
from sketchcolor_cli.imaging.settings import SUBSAMPLINGS, Saving
from sketchcolor_cli.imaging.writing import write_picture

if TYPE_CHECKING:
    from numpy.typing import NDArray

COLORS = np.array(
    [[[0, 0, 0], [255, 255, 255], [255, 0, 0]], [[0, 255, 1], [12, 34, 56], [254, 128, 127]]], np.uint8
)
GRAYS = np.array([[0, 255, 1], [128, 127, 254]], np.uint8)
ALPHAS = np.array([[0, 255, 1], [128, 127, 254]], np.uint8)[::-1]


def unit(samples: NDArray[Any]) -> NDArray[np.float64]:
    return samples / np.iinfo(samples.dtype).max


def three(gray: NDArray[Any]) -> NDArray[Any]:
    return np.stack([gray] * 3, axis=-1)


def close(one: NDArray[Any] | None, other: NDArray[Any], tolerance: float = 1e-6) -> bool:
    return one is not None and one.shape == other.shape and bool(np.abs(one - other).max() <= tolerance)


# Reading: every mode and depth


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.bmp", "a.webp"])
def test_rgb_values(tmp_path: Path, name: str) -> None:
    Image.fromarray(COLORS).save(tmp_path / name, **({"lossless": True} if name == "a.webp" else {}))
    picture = read_picture(tmp_path / name)
    assert close(picture.rgb, unit(COLORS))
    assert picture.rgb.dtype == np.float32
    assert picture.rgb.flags.c_contiguous
    assert (picture.alpha, picture.gray, picture.bits, picture.icc) == (None, False, 8, None)
    assert picture.format == {"a.tif": "TIFF"}.get(name, name[2:].upper())


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.bmp", "a.gif"])
def test_gray_values(tmp_path: Path, name: str) -> None:
    Image.fromarray(GRAYS).save(tmp_path / name)
    picture = read_picture(tmp_path / name)
    assert close(picture.rgb, unit(three(GRAYS)))
    assert (picture.alpha, picture.bits) == (None, 8)
    assert picture.gray == (name != "a.gif")  # Pillow decodes a GIF of other than 256 greys by its palette


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.bmp"])
def test_one_bit_values(tmp_path: Path, name: str) -> None:
    bits = np.array([[0, 255, 255], [255, 0, 0]], np.uint8)
    Image.fromarray(bits).convert("1").save(tmp_path / name)
    picture = read_picture(tmp_path / name)
    assert picture.gray
    assert close(picture.rgb, unit(three(bits)))


def test_tiff_in_which_white_is_zero(tmp_path: Path) -> None:
    bits = np.array([[0, 255, 255], [255, 0, 0]], np.uint8)
    Image.fromarray(bits).convert("1").save(tmp_path / "fax.tif", compression="group4", tiffinfo={262: 0})
    with Image.open(tmp_path / "fax.tif") as image:
        assert image.tag_v2[262] == 0
    assert close(read_picture(tmp_path / "fax.tif").rgb, unit(three(bits)))


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
@pytest.mark.parametrize("color", [COLORS, GRAYS])
def test_alpha_values(tmp_path: Path, name: str, color: NDArray[np.uint8]) -> None:
    Image.fromarray(np.dstack([color, ALPHAS])).save(tmp_path / name)
    picture = read_picture(tmp_path / name)
    assert picture.gray == (color.ndim == 2)
    assert close(picture.rgb, unit(color if color.ndim == 3 else three(color)))
    assert close(picture.alpha, unit(ALPHAS))


def test_palette_values(tmp_path: Path) -> None:
    palette = Image.new("P", (2, 1))
    palette.putpalette([10, 20, 30, 200, 100, 0])
    palette.putdata([1, 0])
    palette.save(tmp_path / "a.png")
    picture = read_picture(tmp_path / "a.png")
    assert close(picture.rgb, np.array([[[200, 100, 0], [10, 20, 30]]]) / 255)
    assert (picture.alpha, picture.gray) == (None, False)


@pytest.mark.parametrize(("transparency", "alpha"), [(0, [1, 0]), (b"\x40\xc0", [192 / 255, 64 / 255])])
def test_palette_with_transparency(tmp_path: Path, transparency: int | bytes, alpha: list[float]) -> None:
    palette = Image.new("P", (2, 1))
    palette.putpalette([10, 20, 30, 200, 100, 0])
    palette.putdata([1, 0])
    palette.save(tmp_path / "a.png", transparency=transparency)
    picture = read_picture(tmp_path / "a.png")
    assert close(picture.rgb, np.array([[[200, 100, 0], [10, 20, 30]]]) / 255)
    assert close(picture.alpha, np.array([alpha]))


@pytest.mark.parametrize(("color", "key"), [(COLORS, (12, 34, 56)), (GRAYS, 127)])
def test_one_transparent_value(tmp_path: Path, color: NDArray[np.uint8], key: Any) -> None:
    Image.fromarray(color).save(tmp_path / "a.png", transparency=key)
    assert close(read_picture(tmp_path / "a.png").alpha, np.array([[1, 1, 1], [1, 0, 1]]))


def test_jpeg_values(tmp_path: Path) -> None:
    flat = np.full((16, 16, 3), (200, 90, 30), np.uint8)
    Image.fromarray(flat).save(tmp_path / "a.jpg", quality=95)
    picture = read_picture(tmp_path / "a.jpg")
    assert close(picture.rgb, unit(flat), 2 / 255)
    assert (picture.format, picture.gray) == ("JPEG", False)
    Image.fromarray(flat[..., 0]).save(tmp_path / "gray.jpg", quality=95)
    assert read_picture(tmp_path / "gray.jpg").gray


def test_cmyk_jpeg_values(tmp_path: Path) -> None:
    ink = np.full((16, 16, 4), (0, 102, 204, 51), np.uint8)
    Image.frombytes("CMYK", (16, 16), ink.tobytes()).save(tmp_path / "a.jpg", quality=100)
    expected = (1 - unit(ink[..., :3])) * (1 - unit(ink[..., 3:]))
    assert close(read_picture(tmp_path / "a.jpg").rgb, expected, 3 / 255)


@pytest.mark.parametrize("name", ["a.gif", "a.webp", "a.png", "a.avif"])
def test_an_animation_is_no_picture(tmp_path: Path, name: str) -> None:
    frames = [Image.fromarray(three(GRAYS + number).astype(np.uint8)) for number in range(3)]
    frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:], duration=100)
    with pytest.raises(SeveralPicturesError, match="is an animation of 3 frames; save the one that is meant"):
        read_picture(tmp_path / name)
    frames[0].save(tmp_path / name, save_all=True)
    assert read_picture(tmp_path / name).rgb.shape == (2, 3, 3)


def test_a_palette_that_is_smaller_than_what_it_makes_transparent_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    palette = Image.new("P", (2, 2))
    palette.putpalette([0, 0, 0, 255, 255, 255])
    palette.save(path, transparency=bytes([0, 255]))
    data = path.read_bytes()
    start = data.index(b"tRNS") - 4
    end = start + 12 + struct.unpack_from(">I", data, start)[0]
    many = b"tRNS" + bytes(300)
    path.write_bytes(
        data[:start] + struct.pack(">I", 300) + many + struct.pack(">I", zlib.crc32(many)) + data[end:]
    )
    with pytest.raises(ImageError, match="damaged or cut short"):
        read_picture(path)


def test_a_header_that_wants_all_memory_is_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(formats, "opened", opened)
    (tmp_path / "a.jp2").write_bytes(b"x")
    with pytest.raises(ImageError, match="damaged or cut short"):
        read_picture(tmp_path / "a.jp2")


@pytest.mark.parametrize("size", [(13, 20), (12, 21)])
def test_a_tiff_without_all_its_strips_is_damaged(tmp_path: Path, size: tuple[int, int]) -> None:
    path = tmp_path / "a.tif"
    Image.new("L", (12, 20), 255).save(path)
    image = bytearray(path.read_bytes())
    for tag, old, new in ((256, 12, size[0]), (257, 20, size[1])):
        at = image.index(struct.pack("<HHII", tag, 4, 1, old))
        image[at : at + 12] = struct.pack("<HHII", tag, 4, 1, new)
    path.write_bytes(image)
    with pytest.raises(ImageError, match="damaged or cut short"):
        read_picture(path)


def test_a_tiff_of_several_pages_is_no_picture(tmp_path: Path) -> None:
    frames = [Image.fromarray(GRAYS), Image.fromarray(GRAYS[::-1])]
    frames[0].save(tmp_path / "a.tif", save_all=True, append_images=frames[1:])
    with pytest.raises(SeveralPicturesError, match="has 2 pages; save the one that is meant"):
        read_picture(tmp_path / "a.tif")


def test_the_content_counts_and_not_the_ending(tmp_path: Path) -> None:
    Image.fromarray(COLORS).save(tmp_path / "really.bmp")
    (tmp_path / "really.bmp").rename(tmp_path / "page.png")
    assert read_picture(tmp_path / "page.png").format == "BMP"


# Reading: turning, resolution, profiles


@pytest.mark.parametrize("orientation", range(10))
@pytest.mark.parametrize("name", ["a.png", "a.webp", "a.tif"])
def test_exif_orientation_as_pillow_does_it(tmp_path: Path, name: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if name == "a.webp" else {}
    Image.fromarray(COLORS).save(tmp_path / name, exif=exif, **options)
    with Image.open(tmp_path / name) as image:
        expected = np.asarray(ImageOps.exif_transpose(image))
    rgb = read_picture(tmp_path / name).rgb
    assert close(rgb, unit(expected))
    assert rgb.flags.c_contiguous
    assert expected.shape == ((3, 2, 3) if 5 <= orientation <= 8 else (2, 3, 3))


def test_damaged_exif_is_as_good_as_none(tmp_path: Path) -> None:
    Image.fromarray(COLORS).save(tmp_path / "a.png", exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff")
    assert close(read_picture(tmp_path / "a.png").rgb, unit(COLORS))


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif", "a.bmp"])
def test_resolution(tmp_path: Path, name: str) -> None:
    Image.fromarray(COLORS).save(tmp_path / name, dpi=(300, 600))
    assert read_picture(tmp_path / name).dpi == pytest.approx((300, 600), abs=0.02)


def test_no_resolution(tmp_path: Path) -> None:
    Image.fromarray(COLORS).save(tmp_path / "a.png")
    assert read_picture(tmp_path / "a.png").dpi is None
    Image.fromarray(COLORS).save(tmp_path / "zero.png", dpi=(0, 0))
    assert read_picture(tmp_path / "zero.png").dpi is None


SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
TAGS = range(132, 132 + 12 * int.from_bytes(SRGB[128:132], "big"), 12)


def renamed_tags(profile: bytes, names: dict[bytes, bytes]) -> bytes:
    """The profile with other names for some of its tags."""
    changed = bytearray(profile)
    for at in TAGS:
        changed[at : at + 4] = names.get(profile[at : at + 4], profile[at : at + 4])
    return bytes(changed)


def linear(profile: bytes) -> bytes:
    """The profile with y = x for its tone curves, which become parametric curves of type 0 with gamma 1."""
    changed = bytearray(profile)
    for at in TAGS:
        if profile[at + 1 : at + 4] == b"TRC":
            start = int.from_bytes(profile[at + 4 : at + 8], "big")
            changed[start : start + 16] = b"para" + bytes(8) + (1 << 16).to_bytes(4, "big")
    return bytes(changed)


def gray(profile: bytes) -> bytes:
    """The grey profile that has the red tone curve."""
    return renamed_tags(profile[:16] + b"GRAY" + profile[20:], {b"rTRC": b"kTRC"})


SWAPPED = renamed_tags(SRGB, {b"rXYZ": b"gXYZ", b"gXYZ": b"rXYZ"})


def srgb_encoded(light: NDArray[Any]) -> NDArray[Any]:
    """IEC 61966-2-1."""
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * np.maximum(light, 1e-9) ** (1 / 2.4) - 0.055)


def test_srgb_profile_is_kept_and_changes_nothing(tmp_path: Path) -> None:
    Image.fromarray(COLORS).save(tmp_path / "a.png", icc_profile=SRGB)
    picture = read_picture(tmp_path / "a.png")
    assert picture.icc == SRGB
    assert close(picture.rgb, unit(COLORS))


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.webp"])
def test_profile_with_red_and_green_swapped(tmp_path: Path, name: str) -> None:
    options = {"lossless": True} if name == "a.webp" else {}
    Image.fromarray(COLORS).save(tmp_path / name, icc_profile=SWAPPED, **options)
    picture = read_picture(tmp_path / name)
    assert picture.icc == SWAPPED
    assert close(picture.rgb, unit(COLORS[..., [1, 0, 2]]), 1.01 / 255)
    write_picture(tmp_path / f"again{name}", picture, Saving(quality=100))
    with Image.open(tmp_path / f"again{name}") as image:  # in the profile it came in
        assert image.info["icc_profile"] == SWAPPED
        assert np.abs(np.asarray(image).astype(int) - COLORS).max() <= 1


def test_linear_profile(tmp_path: Path) -> None:
    Image.fromarray(COLORS).save(tmp_path / "a.png", icc_profile=linear(SRGB))
    assert close(read_picture(tmp_path / "a.png").rgb, srgb_encoded(unit(COLORS)), 1.01 / 255)


def test_profile_leaves_alpha_alone(tmp_path: Path) -> None:
    Image.fromarray(np.dstack([COLORS, ALPHAS])).save(tmp_path / "a.png", icc_profile=SWAPPED)
    picture = read_picture(tmp_path / "a.png")
    assert close(picture.rgb, unit(COLORS[..., [1, 0, 2]]), 1.01 / 255)
    assert close(picture.alpha, unit(ALPHAS))


def test_gray_picture_with_gray_profile(tmp_path: Path) -> None:
    ramp = np.arange(256, dtype=np.uint8)[None]
    Image.fromarray(ramp).save(tmp_path / "same.png", icc_profile=gray(SRGB))
    Image.fromarray(ramp).save(tmp_path / "linear.png", icc_profile=gray(linear(SRGB)))
    same, converted = read_picture(tmp_path / "same.png"), read_picture(tmp_path / "linear.png")
    assert close(same.rgb, unit(three(ramp)))
    assert close(converted.rgb, srgb_encoded(unit(three(ramp))), 1.01 / 255)
    assert (same.gray, converted.gray) == (True, True)
    assert same.icc == converted.icc == profiles.srgb()  # for when they get colour


# Named, as a profile has the time in it, which is not the same for all of pytest's workers.
@pytest.mark.parametrize(
    "profile", [gray(linear(SRGB)), b"not a profile" * 20, SRGB[:200]], ids=["gray", "none", "cut short"]
)
def test_useless_profile_is_passed_over(tmp_path: Path, profile: bytes) -> None:
    Image.fromarray(COLORS).save(tmp_path / "a.png", icc_profile=profile)
    picture = read_picture(tmp_path / "a.png")
    assert picture.icc is None
    assert close(picture.rgb, unit(COLORS))


@pytest.mark.parametrize("kind", ["LAB", "XYZ"])
def test_profile_of_other_channels_is_passed_over(tmp_path: Path, kind: Any) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile(kind)).tobytes()
    Image.fromarray(GRAYS).save(tmp_path / "gray.png", icc_profile=profile)
    Image.fromarray(COLORS).save(tmp_path / "color.png", icc_profile=profile)
    assert close(read_picture(tmp_path / "gray.png").rgb, unit(three(GRAYS)))
    assert close(read_picture(tmp_path / "color.png").rgb, unit(COLORS))


def test_sixteen_bits_with_another_profile_keep_both(tmp_path: Path) -> None:
    deep = np.arange(0, 65536, 7, dtype=np.float32).reshape(1, -1, 1).repeat(3, 2)[:, :9000] / 65535
    for icc in (SWAPPED, linear(SRGB)):
        for name in ("a.png", "a.tif"):
            write_picture(tmp_path / name, Picture(deep, bits=16, icc=icc))
            picture = read_picture(tmp_path / name)
            assert (picture.bits, picture.icc) == (16, icc)
            # In a linear file the darkest 16-bit steps are far apart.
            assert close(picture.rgb[:, 100:], deep[:, 100:], (1 if icc == SWAPPED else 7) / 65535)


def test_a_profile_of_tables_becomes_srgb_in_eight_bits(tmp_path: Path) -> None:
    tables = renamed_tags(SWAPPED, {b"chrm": b"A2B0"})  # no matter what is in it
    assert profiles.read_profile(tables) is None
    write_picture(tmp_path / "a.png", Picture(unit(COLORS).astype(np.float32), bits=16))
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    assert profiles.read_profile(lab) is None
    ink = np.full((16, 16, 4), (0, 102, 204, 51), np.uint8)
    Image.frombytes("CMYK", (16, 16), ink.tobytes()).save(tmp_path / "a.jpg", icc_profile=SWAPPED)
    assert read_picture(tmp_path / "a.jpg").icc is None  # a profile for other channels


def test_the_srgb_profile_is_always_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    first = profiles.srgb()
    profiles.srgb.cache_clear()
    monkeypatch.setattr("time.time", lambda: 0.0)
    assert profiles.srgb() == first
    with_profile = profiles.read_profile(first)
    assert with_profile
    assert with_profile.is_srgb


@pytest.mark.parametrize("gamma", [1.8, 2.2])
def test_gray_gamma(tmp_path: Path, gamma: float) -> None:
    curve = b"curv" + bytes(4) + (1).to_bytes(4, "big") + round(gamma * 256).to_bytes(2, "big") + bytes(2)
    profile = bytearray(gray(SRGB))
    for at in TAGS:
        if profile[at : at + 4] == b"kTRC":
            start = int.from_bytes(profile[at + 4 : at + 8], "big")
            profile[start : start + len(curve)] = curve
            profile[at + 8 : at + 12] = len(curve).to_bytes(4, "big")
    ramp = np.arange(256, dtype=np.uint8)[None]
    Image.fromarray(ramp).save(tmp_path / "a.png", icc_profile=bytes(profile))
    expected = srgb_encoded(unit(three(ramp)) ** (round(gamma * 256) / 256))
    assert close(read_picture(tmp_path / "a.png").rgb, expected, 1e-3)


@pytest.mark.parametrize("kind", range(5))
def test_parametric_curves_as_little_cms_reads_them(tmp_path: Path, kind: int) -> None:
    """All five kinds with the numbers of sRGB, less what the kind lacks."""
    numbers = [2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045, 0.0, 0.0]
    count = (1, 3, 4, 5, 7)[kind]
    given = [*numbers[:3], 0.01] if kind == 2 else numbers[:count]
    body = kind.to_bytes(2, "big") + bytes(2) + b"".join(round(n * 65536).to_bytes(4, "big") for n in given)
    curve = b"para" + bytes(4) + body
    changed = bytearray(SRGB)
    for at in TAGS:
        if changed[at + 1 : at + 4] == b"TRC":
            start = len(changed)
            changed += curve if kind < 4 or changed[at : at + 4] == b"rTRC" else b""
            if kind == 4 and changed[at : at + 4] != b"rTRC":
                start = len(changed) - len(curve)
            changed[at + 4 : at + 12] = start.to_bytes(4, "big") + len(curve).to_bytes(4, "big")
    changed[:4] = len(changed).to_bytes(4, "big")
    Image.fromarray(COLORS).save(tmp_path / "a.png", icc_profile=bytes(changed))
    transform = ImageCms.buildTransform(
        ImageCms.ImageCmsProfile(io.BytesIO(bytes(changed))), ImageCms.createProfile("sRGB"), "RGB", "RGB"
    )
    expected = np.asarray(transform.apply(Image.fromarray(COLORS)))
    assert close(read_picture(tmp_path / "a.png").rgb, unit(expected), 1.6 / 255)


# Reading: what is not a picture


def refused(path: Path) -> str:
    with pytest.raises(ImageError) as caught:
        read_picture(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message.removeprefix(f"{path}: ")


def test_what_is_no_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.png").write_text("I am a picture.\n")
    os.mkfifo(tmp_path / "pipe.png")
    assert refused(tmp_path / "missing.png") == "no such file; check the name"
    assert refused(tmp_path) == "is a folder; name a file"
    assert "0 bytes" in refused(tmp_path / "empty.png")
    assert "is not a PNG" in refused(tmp_path / "text.png")
    assert "not a regular file" in refused(tmp_path / "pipe.png")
    assert "File name too long" in refused(tmp_path / ("x" * 300 + ".png"))


def test_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def deny(path: Path, *_: Any) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    Image.fromarray(COLORS).save(tmp_path / "a.png")
    monkeypatch.setattr(Path, "open", deny)
    assert "Permission denied" in refused(tmp_path / "a.png")


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.tif", "a.bmp", "a.gif", "a.avif"])
def test_truncated_file(tmp_path: Path, name: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (60, 60, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / name)
    whole = (tmp_path / name).read_bytes()
    for length in (len(whole) // 2, len(whole) - 100):
        (tmp_path / name).write_bytes(whole[:length])
        assert "damaged" in refused(tmp_path / name)
    (tmp_path / name).write_bytes(whole[:3])
    assert "is not a PNG" in refused(tmp_path / name)


@pytest.mark.parametrize(("dtype", "mode"), [(np.int32, "I"), (np.float32, "F")])
def test_thirty_two_bits_are_not_supported(tmp_path: Path, dtype: Any, mode: str) -> None:
    Image.fromarray(GRAYS.astype(dtype)).save(tmp_path / "a.tif")
    assert f"colour mode {mode} is not supported" in refused(tmp_path / "a.tif")


def test_other_formats_are_not_even_tried(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n")
    assert "is PostScript, which is not read" in refused(tmp_path / "a.png")


def test_too_many_pixels_are_refused_before_decoding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def decode(*_: Any) -> None:
        raise AssertionError("decoded")

    Image.fromarray(COLORS).save(tmp_path / "a.png")
    for width, height in ((20_000, 20_000), (60_000, 60_000)):  # above our limit, and above twice as much
        data = bytearray((tmp_path / "a.png").read_bytes())
        data[16:24] = width.to_bytes(4, "big") + height.to_bytes(4, "big")
        data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
        (tmp_path / "bomb.png").write_bytes(data)
        with monkeypatch.context() as patch:
            patch.setattr("PIL.PngImagePlugin.PngImageFile.load_prepare", decode)
            assert "more than 250 million pixels" in refused(tmp_path / "bomb.png")


def test_the_limit_is_ours_and_not_pillows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.fromarray(COLORS).save(tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1)
    assert read_picture(tmp_path / "a.png").rgb.shape == (2, 3, 3)
    assert Image.MAX_IMAGE_PIXELS == 1
    monkeypatch.setattr(decoding, "MAX_PIXELS", 6)
    read_picture(tmp_path / "a.png")
    monkeypatch.setattr(decoding, "MAX_PIXELS", 5)
    assert "pixels" in refused(tmp_path / "a.png")
    assert Image.MAX_IMAGE_PIXELS == 1


def test_too_little_memory_is_no_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Any) -> None:
        raise MemoryError

    Image.fromarray(COLORS).save(tmp_path / "a.bmp")
    monkeypatch.setattr("PIL.BmpImagePlugin.BmpImageFile.load", fail)
    with pytest.raises(MemoryError):
        read_picture(tmp_path / "a.bmp")


@pytest.fixture(scope="module")
def victims() -> list[bytes]:
    noise = np.random.default_rng(1).integers(0, 256, (9, 7, 3), np.uint8)
    files = []
    for kind, options in (
        ("PNG", {"icc_profile": SRGB}),
        ("JPEG", {"icc_profile": SRGB}),
        ("WEBP", {"exif": Image.Exif()}),
        ("BMP", {}),
        ("GIF", {}),
    ):
        buffer = io.BytesIO()
        Image.fromarray(noise).save(buffer, kind, **options)
        files.append(buffer.getvalue())
    return files


@given(data=st.data())
def test_damage_is_an_image_error_or_a_picture(
    tmp_path_factory: pytest.TempPathFactory, victims: list[bytes], data: st.DataObject
) -> None:
    broken = bytearray(data.draw(st.sampled_from(victims)))
    for at, value in data.draw(st.lists(st.tuples(st.integers(0, len(broken) - 1), st.integers(0, 255)))):
        broken[at] = value
    path = tmp_path_factory.getbasetemp() / "broken"
    path.write_bytes(broken[: data.draw(st.integers(1, len(broken)))])
    try:
        picture = read_picture(path)
    except ImageError as error:
        assert str(error).startswith(f"{path}: ")  # noqa: PT017 - either outcome is right
    else:
        assert picture.rgb.shape[2] == 3
        assert picture.rgb.min() >= 0
        assert picture.rgb.max() <= 1


# Paper


def test_on_paper() -> None:
    rgb = np.array([[[0.25, 0.5, 1.0]] * 3], np.float32)
    alpha = np.array([[0.0, 0.5, 1.0]], np.float32)
    laid = on_paper(Picture(rgb, alpha))
    assert laid.tolist() == [[[1, 1, 1], [0.625, 0.75, 1], [0.25, 0.5, 1]]]
    assert laid.dtype == np.float32
    assert on_paper(Picture(rgb)) is rgb


# Writing


def picture_of(samples: NDArray[np.uint8], **options: Any) -> Picture:
    """H×W, H×W×2, H×W×3 or H×W×4 samples as grey, grey and alpha, RGB or RGBA."""
    values = np.atleast_3d(samples).astype(np.float32) / 255
    is_gray = values.shape[2] <= 2
    rgb = np.repeat(values[..., :1], 3, axis=2) if is_gray else values[..., :3]
    alpha = values[..., -1] if values.shape[2] in (2, 4) else None
    return Picture(rgb, alpha, gray=is_gray, **options)


FIXTURES = {
    "L": GRAYS,
    "LA": np.dstack([GRAYS, ALPHAS]),
    "RGB": COLORS,
    "RGBA": np.dstack([COLORS, ALPHAS]),
}


@pytest.mark.parametrize("mode", FIXTURES)
@pytest.mark.parametrize("name", ["a.png", "a.tif", "A.TIFF"])
def test_lossless_formats_hold_everything(tmp_path: Path, name: str, mode: str) -> None:
    write_picture(tmp_path / name, picture_of(FIXTURES[mode]))
    with Image.open(tmp_path / name) as image:
        assert image.mode == mode
        assert np.array_equal(np.asarray(image), FIXTURES[mode])


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_webp_without_loss(tmp_path: Path, mode: str) -> None:
    samples = FIXTURES[mode]
    write_picture(tmp_path / "a.webp", picture_of(samples), Saving(quality=100))
    with Image.open(tmp_path / "a.webp") as image:
        assert image.mode == ("RGBA" if mode == "RGBA" else "RGB")
        seen = samples[..., 3:] > 0 if mode == "RGBA" else True
        assert np.array_equal(np.asarray(image) * seen, (three(samples) if mode == "L" else samples) * seen)


@pytest.mark.parametrize(
    ("name", "tolerance"), [("a.bmp", 0.51 / 255), ("a.jpg", 2 / 255), ("a.jfif", 2 / 255)]
)
@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_formats_without_alpha_get_paper(tmp_path: Path, name: str, tolerance: float, mode: str) -> None:
    picture = picture_of(np.full((16, 16, len(mode)), (200, 90, 30, 120)[-len(mode) :], np.uint8))
    write_picture(tmp_path / name, picture)
    read = read_picture(tmp_path / name)
    assert (read.alpha, read.gray) == (None, mode == "LA")
    assert close(read.rgb, on_paper(picture), tolerance)


def test_jpeg_quality_and_full_color_resolution(tmp_path: Path) -> None:
    stripes = np.zeros((32, 32, 3), np.uint8)
    stripes[:, ::2, 0] = 255
    write_picture(tmp_path / "good.jpg", picture_of(stripes), Saving(quality=100))
    write_picture(tmp_path / "small.jpg", picture_of(stripes), Saving(quality=10))
    assert (tmp_path / "small.jpg").stat().st_size < (tmp_path / "good.jpg").stat().st_size
    # At half the colour resolution the stripes would run into one another.
    assert close(read_picture(tmp_path / "good.jpg").rgb, unit(stripes), 4 / 255)


@pytest.mark.parametrize("ending", ["jpg", "avif"])
def test_colour_resolution_is_what_was_asked_for(tmp_path: Path, ending: str) -> None:
    stripes = np.zeros((32, 32, 3), np.uint8)
    stripes[:, ::2, 0] = 255
    worst = {}
    for subsampling in SUBSAMPLINGS:
        path = tmp_path / f"{subsampling}.{ending}"
        write_picture(path, picture_of(stripes), Saving(quality=100, subsampling=subsampling))
        worst[subsampling] = np.abs(read_picture(path).rgb - unit(stripes)).max()
    assert worst["444"] < 10 / 255
    assert min(worst["422"], worst["420"]) > 40 / 255
    write_picture(tmp_path / "page.jpg", picture_of(stripes), Saving(subsampling="422"))
    with Image.open(tmp_path / "page.jpg") as image:
        assert image.layer[0][1:3] == (2, 1)


def test_by_how_much_jpeg_changes_ink(tmp_path: Path) -> None:
    """The figures of docs/books.md, on a drawing whose areas have colours."""
    page = np.full((400, 400, 3), 255, np.uint8)
    for number, color in enumerate([(230, 150, 90), (150, 200, 220), (90, 60, 120), (220, 220, 140)]):
        cv2.circle(page, (110 + 180 * (number % 2), 110 + 180 * (number // 2)), 80, color, -1)
        cv2.circle(page, (110 + 180 * (number % 2), 110 + 180 * (number // 2)), 80, (0, 0, 0), 3, cv2.LINE_AA)
        cv2.line(page, (20, 60 + 90 * number), (380, 340 - 70 * number), (0, 0, 0), 2, cv2.LINE_AA)
    ink = page.max(2) < 80
    off = {}
    for quality in (95, 98, 100):
        write_picture(tmp_path / "page.jpg", picture_of(page), Saving(quality=quality))
        off[quality] = 255 * np.abs(read_picture(tmp_path / "page.jpg").rgb - unit(page)).max(2)[ink]
    for quality, mean, most in ((95, 4, 24), (98, 2, 12), (100, 0.5, 5)):
        assert off[quality].mean() < mean
        assert off[quality].max() <= most + 0.01
    assert off[95].max() > 5  # else the docs say too much


@pytest.mark.parametrize(
    ("options", "said"),
    [({"quality": 101}, "from 0 to 100"), ({"quality": -1}, "from 0"), ({"subsampling": "411"}, "444, 422")],
)
def test_saving_that_makes_no_sense(options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Saving(**options)


@pytest.mark.parametrize("mode", FIXTURES)
def test_avif(tmp_path: Path, mode: str) -> None:
    samples = np.full((16, 16, max(1, len(mode))), (200, 90, 30, 120)[-len(mode) :], np.uint8)
    write_picture(tmp_path / "a.avif", picture_of(samples[..., 0] if mode == "L" else samples, icc=SRGB))
    picture = read_picture(tmp_path / "a.avif")
    assert picture.format == "AVIF"
    given = picture_of(samples[..., 0] if mode == "L" else samples)
    assert close(picture.rgb, given.rgb, 4 / 255)
    assert (picture.alpha is None) == (given.alpha is None)
    assert picture.icc == (None if "L" in mode else SRGB)


def test_values_are_clipped_and_rounded_to_the_nearest(tmp_path: Path) -> None:
    values = np.array(
        [-0.5, 0.49 / 255, 0.51 / 255, 99.49 / 255, 99.51 / 255, 254.51 / 255, 7, np.inf], np.float32
    )
    write_picture(tmp_path / "a.png", Picture(np.broadcast_to(values[None, :, None], (1, 8, 3)), gray=True))
    with Image.open(tmp_path / "a.png") as image:
        assert np.asarray(image).tolist() == [[0, 0, 1, 99, 100, 255, 255, 255]]


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif", "a.bmp", "a.webp", "a.avif"])
@pytest.mark.parametrize("bits", [8, 16])
def test_resolution_is_written(tmp_path: Path, name: str, bits: int) -> None:
    write_picture(tmp_path / name, picture_of(COLORS, dpi=(300.0, 600.0), bits=bits))
    assert read_picture(tmp_path / name).dpi == pytest.approx((300, 600), abs=0.02)
    with Image.open(tmp_path / name) as image:
        if name not in ("a.webp", "a.avif"):
            assert image.info["dpi"] == pytest.approx((300, 600), abs=0.02)


def test_resolution_turns_with_the_picture(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(COLORS).save(tmp_path / "a.png", exif=exif, dpi=(300, 600))
    picture = read_picture(tmp_path / "a.png")
    assert picture.rgb.shape == (3, 2, 3)
    assert picture.dpi == pytest.approx((600, 300), abs=0.02)


def test_resolution_in_centimetres(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[282], exif[283], exif[296] = 100.0, 200.0, 3
    Image.fromarray(COLORS).save(tmp_path / "a.webp", exif=exif)
    assert read_picture(tmp_path / "a.webp").dpi == pytest.approx((254, 508))


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif", "a.webp"])
@pytest.mark.parametrize("bits", [8, 16])
def test_profile_is_written_except_with_gray(tmp_path: Path, name: str, bits: int) -> None:
    write_picture(tmp_path / name, picture_of(COLORS, icc=SRGB, bits=bits))
    with Image.open(tmp_path / name) as image:
        assert image.info["icc_profile"] == SRGB
    write_picture(tmp_path / name, picture_of(GRAYS, icc=SRGB, bits=bits))
    with Image.open(tmp_path / name) as image:
        assert image.info.get("icc_profile") is None


@given(
    samples=arrays(
        np.uint8,
        array_shapes(min_dims=2, max_dims=2, max_side=9).flatmap(
            lambda shape: st.sampled_from([shape, *((*shape, channels) for channels in (2, 3, 4))])
        ),
    )
)
def test_eight_bit_round_trip(tmp_path_factory: pytest.TempPathFactory, samples: NDArray[np.uint8]) -> None:
    path = tmp_path_factory.getbasetemp() / "round.png"
    picture = picture_of(samples)
    write_picture(path, picture)
    with Image.open(path) as image:
        assert np.array_equal(np.asarray(image), samples)
    again = read_picture(path)
    assert np.array_equal(again.rgb, picture.rgb)
    assert again.gray == picture.gray
    if picture.alpha is None:
        assert again.alpha is None
    else:
        assert again.alpha is not None
        assert np.array_equal(again.alpha, picture.alpha)


@pytest.mark.parametrize(
    "name",
    ["two words.png", "漫画　第一話.png", "🎨🖌️.png", "あ" * 82 + ".png", "ends in dot..png", "名前.JPG"],
)
def test_names(tmp_path: Path, name: str) -> None:
    assert len(name.encode()) <= 250
    path = tmp_path / "本 📚" / name
    write_picture(path, picture_of(np.full((8, 8, 3), 77, np.uint8)))
    assert [child.name for child in path.parent.iterdir()] == [name]
    assert close(read_picture(path).rgb, np.full((8, 8, 3), 77 / 255), 1 / 255)


def test_every_ending_that_is_written_can_be_read(tmp_path: Path) -> None:
    for suffix in FORMAT_OF_SUFFIX:
        write_picture(tmp_path / f"a{suffix}", picture_of(COLORS))
        assert read_picture(tmp_path / f"a{suffix}").rgb.shape == (2, 3, 3)
    assert IMAGE_SUFFIXES - set(FORMAT_OF_SUFFIX) >= {".gif", ".psd"}
    with pytest.raises(ImageError, match=r"a\.gif: not a format that can be written; .* \.png"):
        write_picture(tmp_path / "a.gif", picture_of(COLORS))
    with pytest.raises(ImageError, match="not a format that can be written"):
        write_picture(tmp_path / "a", picture_of(COLORS))


@pytest.mark.parametrize(("name", "side"), [("a.jpg", 65501), ("a.webp", 16384)])
def test_picture_too_long_for_its_format(
    tmp_path: Path, name: str, side: int, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ImageError, match=f"{name}: {side} pixels are too many for one side .* PNG"):
        write_picture(tmp_path / name, picture_of(np.zeros((1, side), np.uint8)))
    assert capfd.readouterr() == ("", "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("bits", [8, 16])
def test_rows_in_place_of_the_picture(tmp_path: Path, bits: int) -> None:
    rgb = np.random.default_rng(0).random((9, 5, 3)).astype(np.float32)
    picture = Picture(rgb=rgb, alpha=rgb[..., 0], bits=bits)
    empty = replace(picture, rgb=np.zeros_like(rgb))
    for name in ("a.png", "b.tif", "c.bmp"):
        write_picture(tmp_path / name, picture)
        write_picture(tmp_path / f"rows {name}", empty, None, iter((rgb[:4], rgb[4:])))
        assert (tmp_path / name).read_bytes() == (tmp_path / f"rows {name}").read_bytes()
    with pytest.raises(ImageError, match="not numbers"):
        write_picture(tmp_path / "d.png", empty, None, iter((rgb[:4], rgb[4:] * np.nan)))
    assert not (tmp_path / "d.png").exists()


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.bmp"])
def test_greys_stored_in_colour_are_held_once_in_memory(tmp_path: Path, name: str) -> None:
    gray = np.random.default_rng(0).integers(0, 256, (600, 5), np.uint8)
    Image.fromarray(three(gray)).save(tmp_path / name)
    read = read_picture(tmp_path / name)
    assert has_one_plane(read.rgb)
    assert not read.gray
    assert close(read.rgb, unit(three(gray)))
    colored = three(gray)
    colored[-1, -1] = (1, 2, 3)
    Image.fromarray(colored).save(tmp_path / name)
    assert not has_one_plane(read_picture(tmp_path / name).rgb)


def test_values_that_are_no_numbers_are_not_written(tmp_path: Path) -> None:
    rgb = np.zeros((2, 2, 3), np.float32)
    rgb[1, 1, 1] = np.nan
    with pytest.raises(ImageError, match=r"a\.png: .* not numbers"):
        write_picture(tmp_path / "a.png", Picture(rgb))
    assert list(tmp_path.iterdir()) == []


# Writing: whole or absent


def full_disk(*_: Any, **__: Any) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def half_written(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data[: len(data) // 2])
    full_disk()


def read_only(*_: Any, **__: Any) -> None:
    raise PermissionError(errno.EACCES, "Permission denied")


@pytest.mark.parametrize(
    ("target", "failure", "reason"),
    [
        ("os.replace", full_disk, "No space left on device"),
        ("pathlib.Path.write_bytes", half_written, "No space left on device"),
        ("pathlib.Path.write_bytes", read_only, "Permission denied"),
        ("pathlib.Path.mkdir", read_only, "Permission denied"),
        ("PIL.Image.Image.save", full_disk, "No space left on device"),
    ],
)
def test_failure_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str, failure: Any, reason: str
) -> None:
    (tmp_path / "old.bmp").write_bytes(b"what was there")
    monkeypatch.setattr(target, failure)
    for name in ("old.bmp", "new.bmp"):
        with pytest.raises(ImageError, match=rf"{name}: cannot be written .*{reason}"):
            write_picture(tmp_path / name, picture_of(COLORS))
    monkeypatch.undo()
    assert [child.name for child in tmp_path.iterdir()] == ["old.bmp"]
    assert (tmp_path / "old.bmp").read_bytes() == b"what was there"


def test_interruption_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("os.replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_picture(tmp_path / "a.png", picture_of(COLORS))
    assert list(tmp_path.iterdir()) == []


def test_targets_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "file").touch()
    for path in (tmp_path / "folder.png", tmp_path / "file" / "a.png"):
        with pytest.raises(ImageError, match="cannot be written"):
            write_picture(path, picture_of(COLORS))
    assert sorted(child.name for child in tmp_path.iterdir()) == ["file", "folder.png"]


def test_file_is_replaced_and_as_readable_as_any_other(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"old")
    (tmp_path / "other").touch()
    write_picture(tmp_path / "a.png", picture_of(COLORS))
    assert close(read_picture(tmp_path / "a.png").rgb, unit(COLORS))
    assert (tmp_path / "a.png").stat().st_mode == (tmp_path / "other").stat().st_mode


# Tensors


def test_errors_name_a_file_as_the_user_knows_it(tmp_path: Path) -> None:
    draft, known = tmp_path / "000001.png", Path("vol.cbz/page 2.png")
    draft.write_bytes(b"Dear reader")
    with pytest.raises(ImageError, match=r"^vol\.cbz/page 2\.png: is not a"):
        read_picture(draft, known)
    with pytest.raises(ImageError, match=r"^vol\.cbz/page 2\.png: cannot be written"):
        write_picture(draft / "1.png", Picture(np.zeros((2, 2, 3), np.float32)), name=known)


def test_tensor_and_back() -> None:
    rgb = np.random.default_rng(2).random((4, 5, 3), np.float32)
    tensor = to_tensor(rgb)
    assert tensor.shape == (1, 3, 4, 5)
    assert tensor[0, 2, 1, 3] == rgb[1, 3, 2]
    assert np.array_equal(to_array(tensor), rgb)
    assert np.shares_memory(to_array(tensor), rgb)


def test_tensor_of_what_cannot_be_shared() -> None:
    gray_view = np.broadcast_to(np.float32([[[0.25], [0.5]]]), (1, 2, 3))
    assert to_tensor(gray_view).tolist() == [[[[0.25, 0.5]]] * 3]
    mirrored = np.arange(12, dtype=np.float32).reshape(2, 2, 3)[:, ::-1]
    assert np.array_equal(to_array(to_tensor(mirrored)), mirrored)


def test_array_of_a_sketch_and_of_half_precision() -> None:
    sketch = torch.tensor([[[[0.25, 0.5]]]], dtype=torch.bfloat16, requires_grad=True)
    array = to_array(sketch)
    assert array.dtype == np.float32
    assert array.tolist() == [[[0.25] * 3, [0.5] * 3]]


def test_import_does_without_torch() -> None:
    ours = "from sketchcolor_cli.imaging import reading, writing; import sketchcolor_cli.jobs.pipeline"
    check = f"{ours}, sys; assert 'torch' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0

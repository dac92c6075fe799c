"""Palette files of several programs, written here byte by byte, and colours pulled to them."""

from __future__ import annotations

import io
import os
import struct
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest

from sketchcolor_cli.coloring.guides.palette import lab_of, nearest, pull
from sketchcolor_cli.coloring.guides.palette_files import read_palette, read_swatches, written
from sketchcolor_cli.errors import DataError

RED, TEAL = (200, 40, 30), (20, 130, 120)
COLORS = np.array([RED, TEAL]) / 255


def ase() -> bytes:
    """Two colours, one with a name, in a group."""

    def block(kind: int, data: bytes) -> bytes:
        return struct.pack(">HI", kind, len(data)) + data

    def color(name: str, model: bytes, *values: float) -> bytes:
        text = (name + "\0").encode("utf-16-be")
        return block(
            1,
            struct.pack(">H", len(text) // 2) + text + model + struct.pack(f">{len(values)}fH", *values, 0),
        )

    group = block(0xC001, struct.pack(">H", 1) + b"\0\0")
    body = (
        group
        + color("rouge", b"RGB ", *COLORS[0])
        + color("", b"RGB ", *COLORS[1])
        + block(0xC002, b"")
        + color("k", b"CMYK", 0, 0, 0, 1)
        + color("l", b"LAB ", 1.0, 0, 0)
        + color("g", b"Gray", 0.5)
    )
    return b"ASEF" + struct.pack(">HHI", 1, 0, 7) + body


def aco() -> bytes:
    words = [(0, *(round(65535 * value) for value in color), 0) for color in COLORS]
    words += [(8, 5000, 0, 0, 0), (1, 0, 65535, 65535, 0), (7, 1, 2, 3, 4)]
    return struct.pack(">HH", 1, len(words)) + b"".join(struct.pack(">5H", *word) for word in words)


def named_aco() -> bytes:
    """The same colours a second time, with names."""
    first = aco()
    count = struct.unpack_from(">H", first, 2)[0]
    names = [f"no {number}\0".encode("utf-16-be") for number in range(count)]
    records = [
        first[4 + 10 * number :][:10] + struct.pack(">I", len(name) // 2) + name
        for number, name in enumerate(names)
    ]
    return first + struct.pack(">HH", 2, count) + b"".join(records)


def kpl(colorset: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "krita/x-colorset")
        archive.writestr("colorset.xml", colorset)
    return packed.getvalue()


KRITA = """<ColorSet name="x" version="2.0" columns="16" rows="2">
<ColorSetEntry name="hair" spot="false"><RGB r="1" g="0" b="0.5" space="sRGB"/></ColorSetEntry>
<Group name="skin"><ColorSetEntry name="ink"><CMYK c="0" m="1" y="1" k="0"/></ColorSetEntry>
<ColorSetEntry name="grey" bitdepth="F32"><Gray g="0.25"/></ColorSetEntry></Group></ColorSet>"""


def test_krita_palettes(tmp_path: Path) -> None:
    (tmp_path / "a.kpl").write_bytes(kpl(KRITA))
    found = [(swatch.color, swatch.name) for swatch in read_swatches(tmp_path / "a.kpl")]
    assert found == [((1, 0, 0.5), "hair"), ((1, 0, 0), "ink"), ((0.25, 0.25, 0.25), "grey")]


def test_paint_shop_and_windows_palettes(tmp_path: Path) -> None:
    rows = "\r\n".join(" ".join(map(str, color)) for color in (RED, TEAL))
    (tmp_path / "a.pal").write_text(f"JASC-PAL\r\n0100\r\n2\r\n{rows}\r\n", newline="")
    body = struct.pack("<HH", 0x300, 2) + bytes((*RED, 0, *TEAL, 4))
    riff = b"PAL data" + struct.pack("<I", len(body)) + body
    (tmp_path / "b.pal").write_bytes(b"RIFF" + struct.pack("<I", len(riff)) + riff)
    for name in ("a.pal", "b.pal"):
        np.testing.assert_allclose(read_palette(tmp_path / name), COLORS, atol=1e-6)


def test_paint_net_writes_the_opacity_first_and_style_sheets_last(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("; paint.net Palette File\n; Colors are 8 digits\nFFC8281E\n80148278\n")
    (tmp_path / "b.txt").write_text("#c8281eff hair\n#14827880\n")
    for name in ("a.txt", "b.txt"):
        np.testing.assert_allclose(read_palette(tmp_path / name), COLORS, atol=1e-6)


def test_style_sheets(tmp_path: Path) -> None:
    text = ":root { --hair: #c8281e; --coat: rgb(20, 130, 120); border: 1px solid #fff8; }\n"
    text += "$sky: rgb(0% 50% 100% / 40%);"
    (tmp_path / "a.css").write_text(text)
    swatches = read_swatches(tmp_path / "a.css")
    assert [swatch.name for swatch in swatches] == ["hair", "coat", "", "sky"]
    expected = [*COLORS, (1, 1, 1), (0, 0.5, 1)]
    np.testing.assert_allclose([swatch.color for swatch in swatches], expected, atol=1e-6)


def test_lists_of_hex_colours(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("\ufeff; a palette\n#c8281e hair\n\n148278\nc8281e again\n#12345\n", encoding="utf-8")
    np.testing.assert_allclose(read_palette(path), COLORS, atol=1e-6)


def test_gimp_palettes(tmp_path: Path) -> None:
    path = tmp_path / "a.gpl"
    path.write_text("GIMP Palette\nName: x\nColumns: 2\n#\n200  40  30\thair\n 20 130 120\tcoat 3\n")
    np.testing.assert_allclose(read_palette(path), COLORS, atol=1e-6)


def test_adobe_swatches(tmp_path: Path) -> None:
    path = tmp_path / "a.ase"
    path.write_bytes(ase())
    expected = [*COLORS, (0, 0, 0), (1, 1, 1), (0.5, 0.5, 0.5)]
    np.testing.assert_allclose(read_palette(path), expected, atol=1e-3)


def test_adobe_colors(tmp_path: Path) -> None:
    path = tmp_path / "a.aco"
    path.write_bytes(aco())
    expected = [*COLORS, (0.5, 0.5, 0.5), (1, 0, 0)]
    np.testing.assert_allclose(read_palette(path), expected, atol=1e-4)
    path.write_bytes(named_aco())
    np.testing.assert_allclose(read_palette(path), expected, atol=1e-4)
    assert [swatch.name for swatch in read_swatches(path)] == ["no 0", "no 1", "no 2", "no 3"]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.txt", b""),
        ("a.txt", b"\xff\xfe\x00"),
        ("a.gpl", b"200 40 30\n"),
        ("a.ase", b"ASEF\0\1\0\0\0\0\0\2\0\1"),
        ("a.ase", b"GIMP Palette"),
        ("a.aco", b"\0\1\0\5\0\0"),
        ("a.aco", b""),
        ("a.aco", named_aco()[:-3]),
        ("a.pal", b"JASC-PA"),
        ("a.pal", b"RIFF\0\0\0\0PAL data\0\0\0\0\0\3\2\0\1\2\3\0"),
        ("a.kpl", b"PK"),
        ("a.kpl", kpl("<ColorSet>")),
        ("a.kpl", kpl('<ColorSet><ColorSetEntry name="x"><XYZ x="1"/></ColorSetEntry></ColorSet>')),
        ("a.kpl", kpl('<!DOCTYPE x [<!ENTITY a "b">]>' + KRITA)),
        ("a.kpl", kpl(" " * (2**24 + 1))),
        ("a.css", b"body { margin: 0 }"),
    ],
)
def test_damaged_and_empty_palettes_are_told(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(DataError, match=r"a\.\w+: (not a palette|holds no colour)"):
        read_palette(tmp_path / name)


def test_pipes_and_devices_are_no_palettes(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.hex")
    for path in (tmp_path / "a.hex", Path("/dev/zero")):
        with pytest.raises(DataError, match="is a pipe or device"):
            read_palette(path)


def test_swatches_of_a_model_that_nobody_knows(tmp_path: Path) -> None:
    block = struct.pack(">H", 1) + b"\0\0" + b"WXYZ" + bytes(12) + b"\0\0"
    data = b"ASEF" + struct.pack(">HHI", 1, 0, 1) + struct.pack(">HI", 1, len(block)) + block
    (tmp_path / "a.ase").write_bytes(data)
    with pytest.raises(DataError, match="not a palette that can be read"):
        read_palette(tmp_path / "a.ase")


def test_many_colours_cost_no_more_memory_and_change_nothing() -> None:
    rng = np.random.default_rng(0)
    palette = lab_of(rng.random((4096, 3), np.float32))
    paint = lab_of(rng.random((5000, 3), np.float32))
    tracemalloc.start()
    pulled, places = pull(paint[None], palette, 0.8)[0], nearest(paint, palette)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 400e6  # all at once would be 500 MB for the differences alone, and as much again
    assert np.abs(pulled[:7] - pull(paint[None, :7], palette, 0.8)[0]).max() < 1e-3
    assert (places[-9:] == nearest(paint[-9:], palette)).all()


def test_a_missing_palette_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_palette(tmp_path / "gone.gpl")


def test_the_strength_says_how_far_colours_are_pulled() -> None:
    palette = lab_of(COLORS.astype(np.float32))
    paint = np.broadcast_to(palette[0] + (3, -6, 8), (4, 5, 3)).astype(np.float32)
    assert np.array_equal(pull(paint, palette, 0), paint)
    np.testing.assert_allclose(pull(paint, palette, 1)[0, 0], palette[0], atol=1.0)
    np.testing.assert_allclose(pull(paint, palette, 0.5)[0, 0], palette[0] + (1.5, -3, 4), atol=0.6)


def test_paper_stays_paper_and_gradients_keep_no_edge() -> None:
    palette = lab_of(COLORS.astype(np.float32))
    white = np.full((2, 2, 3), (98, 1, 1), np.float32)
    np.testing.assert_allclose(pull(white, palette, 1)[0, 0], (100, 0, 0), atol=0.5)
    part = np.linspace(0, 1, 400)[None, :, None]
    ramp = (palette[0] * (1 - part) + palette[1] * part).astype(np.float32)
    steps = np.linalg.norm(np.diff(pull(ramp, palette, 1)[0], axis=0), axis=1)
    assert steps.max() < 6


def test_the_nearest_colour() -> None:
    palette = lab_of(COLORS.astype(np.float32))
    assert nearest(palette[[1, 0, 1]] + 2, palette).tolist() == [1, 0, 1]


def test_swatches_have_their_names_and_come_back_as_they_were(tmp_path: Path) -> None:
    for name, content, names in (
        ("a.txt", b"#c8281e hair\n148278\n", ["hair", ""]),
        ("a.gpl", b"GIMP Palette\nName: x\n#\n200 40 30\tRed hair\n20 130 120\n", ["Red hair", ""]),
        ("a.ase", ase(), ["rouge", "", "k", "l", "g"]),
    ):
        (tmp_path / name).write_bytes(content)
        read = read_swatches(tmp_path / name)
        assert [swatch.name for swatch in read] == names
        (tmp_path / "again.gpl").write_text(written(read, "a\nb"), encoding="utf-8")
        again = read_swatches(tmp_path / "again.gpl")
        assert [swatch.name for swatch in again] == names
        np.testing.assert_allclose(
            [swatch.color for swatch in again], [swatch.color for swatch in read], atol=0.002
        )

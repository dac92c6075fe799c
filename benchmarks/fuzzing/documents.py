"""Readers of small documents: settings, palettes, hints, shards, records of Danbooru, tables, projects."""

from __future__ import annotations

import gzip
import io
import json
import lzma
import struct
import tarfile
import zipfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fuzzing.books import page
from fuzzing.changes import decimals, gzipped, lines, png, table, tar, tree, words
from fuzzing.pictures import encoded
from fuzzing.reader import Reader

if TYPE_CHECKING:
    from fuzzing.reader import Seeds
    from sketchcolor_cli.studio.project import Project
    from sketchcolor_cli.studio.shelf import Shelf

_POINTS = [
    {"page": "1.png", "x": 0.5, "y": 0.25, "color": "#c0392b"},
    {"x": 12, "y": 40, "color": [10, 20, 250], "radius": 5},
    {"stroke": [[0.5, 0.25], [0.6, 0.3, 0.8]], "color": "#fff", "radius": 0.01},
    {"stroke": [[0.1, 0.2]], "erase": True, "radius": 0.1},
]


def _json(*documents: object) -> Seeds:
    return [(".json", json.dumps(document, indent=1).encode()) for document in documents]


# Settings


def series() -> Seeds:
    from sketchcolor_cli import ColorizeRequest
    from sketchcolor_cli.jobs.series import template

    short = b'model = "default"\nseed = 5\npalette = "p.gpl"\nhints = ["points.json"]\nsheets = []\nwork-size = 640\n'
    return [(".toml", template(ColorizeRequest).encode()), (".toml", short)]


def read_series(path: Path) -> None:
    from sketchcolor_cli import ColorizeRequest
    from sketchcolor_cli.jobs import series as profile
    from sketchcolor_cli.studio.profile import with_values

    (path.parent / "p.gpl").write_bytes(_GPL)
    (path.parent / "points.json").write_text(json.dumps(_POINTS))
    text = path.read_bytes().decode("utf-8", "replace")
    values = profile.read_series(ColorizeRequest, path)
    profile.check_series(ColorizeRequest, path)
    ColorizeRequest.resolve({"inputs": (path.parent,), "output": path.parent / "out"}, values)
    with_values(text, {"seed": 7, "palette": None, "sheets": ["a", "b"]})


def configs() -> Seeds:
    from sketchcolor_cli.training.settings import TrainSettings

    config = (
        b'device = "cpu"\nseed = 4\n[colorize]\nmodel = "default"\nformat = "png"\n[train]\npreset = "fast"\n'
    )
    return [(".toml", config), (".toml", TrainSettings.resolve({"preset": "fast"}).toml().encode())]


def read_config(path: Path) -> None:
    from sketchcolor_cli import ColorizeRequest
    from sketchcolor_cli.cli import config
    from sketchcolor_cli.errors import UsageError
    from sketchcolor_cli.jobs import train
    from sketchcolor_cli.settings import leaves

    def configured() -> None:
        found = config.read_config(path)
        found.check({"colorize": leaves(ColorizeRequest), "train": leaves(train.TrainRequest)})
        stored = found.values(ColorizeRequest, "colorize")
        ColorizeRequest.resolve({"inputs": (path,), "output": path}, stored)

    def given() -> None:
        train.TrainRequest.resolve({"data": ("x",), "output": path, "config": path})

    errors = []
    for read in (configured, given):
        try:
            read()
        except UsageError as error:
            errors.append(error)
    if len(errors) == 2:
        raise errors[0]


# Palettes and hints

_GPL = b"GIMP Palette\nName: x\nColumns: 4\n#\n255 0 0\tRed\n10 20 30 Night\n250 240 200\n"


def palettes() -> Seeds:
    def name(text: str) -> bytes:
        return struct.pack(">H", len(text) + 1) + text.encode("utf-16-be") + b"\0\0"

    blocks = [(0xC001, name("group"))]
    blocks += [
        (1, name(mode) + mode.encode() + struct.pack(f">{len(values)}f", *values) + b"\0\0")
        for mode, values in (
            ("RGB ", (1, 0.5, 0)),
            ("CMYK", (0, 1, 0.5, 0)),
            ("LAB ", (0.5, 20, -30)),
            ("Gray", (0.4,)),
        )
    ]
    ase = (
        b"ASEF\0\1\0\0"
        + struct.pack(">I", len(blocks))
        + b"".join(struct.pack(">HI", kind, len(body)) + body for kind, body in blocks)
    )
    colors = ((0, 65535, 0, 0, 0), (1, 30000, 50000, 60000, 0), (8, 5000, 0, 0, 0))
    aco = struct.pack(">HH", 1, 3) + b"".join(struct.pack(">5H", *color) for color in colors)
    named = b"".join(
        struct.pack(">5H", *color) + struct.pack(">I", 3) + "ab\0".encode("utf-16-be") for color in colors
    )
    return [
        (".gpl", _GPL),
        (".ase", ase),
        (".aco", aco),
        (".aco", aco + struct.pack(">HH", 2, 3) + named),
        (".txt", b"#c0392b skin\n00ff00\n#102030 night sky\n"),
        (".hex", b"c0392b\n00ff00\n"),
        (".css", b":root { --a: #c0392b; --b: rgb(10%, 20, 30 / 4); c: #fff }"),
        (".pal", b"JASC-PAL\r\n0100\r\n2\r\n1 2 3\r\n40 50 60\r\n"),
        (".pal", b"RIFF\x14\0\0\0PAL data\x08\0\0\0\0\3\1\0\1\2\3\0"),
        (".kpl", _kpl()),
    ]


def _kpl() -> bytes:
    packed, entry = io.BytesIO(), '<ColorSetEntry name="a" bitdepth="U8">{}</ColorSetEntry>'
    colors = ('<RGB r="1" g="0" b="0.5"/>', '<Gray g="0.4"/>', '<CMYK c="0" m="1" y="0" k="0"/>')
    with zipfile.ZipFile(packed, "w") as archive:
        entries = "".join(entry.format(color) for color in colors)
        archive.writestr("colorset.xml", f"<ColorSet><Group>{entries}</Group></ColorSet>")
    return packed.getvalue()


def read_palette(path: Path) -> None:
    from sketchcolor_cli.coloring.guides import palette, palette_files

    swatches = palette_files.read_swatches(path)
    colors = palette_files.read_palette(path)
    assert colors.shape == (len(swatches), 3)
    assert np.isfinite(colors).all()
    assert colors.min() >= 0, "a colour below 0"
    assert colors.max() <= 1, "a colour above 1"
    palette.pull(np.zeros((64, 64, 3), np.float32) + 40, palette.lab_of(colors), 0.8)
    again = path.with_suffix(".gpl")
    again.write_text(palette_files.written(swatches, "x"), encoding="utf-8")
    assert len(palette_files.read_swatches(again)) == len(
        {tuple(round(255 * part) for part in swatch.color) for swatch in swatches}
    ), "colours are lost when written"


def hints() -> Seeds:
    toml = b'seed = 5\n[[points]]\nx = 0.5\ny = 10\ncolor = "#c0392b"\n[[points]]\nstroke = [[0.1, 0.2], [0.5, 0.5, 0.5]]\ncolor = [1, 2, 3]\n'
    return [*_json(_POINTS, {"seed": 7, "points": _POINTS}), (".toml", toml)]


def read_hints(path: Path) -> None:
    from sketchcolor_cli.coloring.guides.points import painted, read_points, read_seed

    marks = read_points(path)
    read_seed(path)
    for height, width in ((64, 48), (1, 1), (3000, 20)):
        layer = painted([mark for mark in marks if mark.is_on(Path("1.png"))], height, width)
        if layer is not None:
            assert layer.alpha is not None
            assert np.isfinite(layer.rgb).all()
            assert 0 <= layer.rgb.min() <= layer.rgb.max() <= 1


def latents() -> Seeds:
    from sketchcolor_cli.coloring.latents import write_latents

    file = Path("/dev/shm/fuzz-latents.json")  # noqa: S108
    write_latents(file, "default", {"1.png": np.full(12, 0.5, np.float32)})
    return [(".json", file.read_bytes())]


def read_latents(path: Path) -> None:
    from sketchcolor_cli.coloring.latents import latent_for, read_latents

    latent_for(read_latents(path), Path("1.png"))


# Data


@cache
def shards() -> Seeds:
    found = []
    for kind in ("WEBP", "PNG", "JPEG"):
        file = io.BytesIO()
        with tarfile.open(fileobj=file, mode="w") as shard:
            for number in range(3):
                about = {
                    "group": f"g{number % 2}",
                    "source": "ours",
                    "author": "us",
                    "licence": "CC0",
                    "width": 40,
                    "height": 56,
                    "line": "artist",
                }
                parts = {
                    f"color.{kind.lower()}": encoded(kind, "RGB", number),
                    "line.png": page(number=number),
                    "json": json.dumps(about).encode(),
                }
                for name, content in parts.items():
                    info = tarfile.TarInfo(f"s{number}.{name}")
                    info.size = len(content)
                    shard.addfile(info, io.BytesIO(content))
        found.append((".tar", file.getvalue()))
    return found


def read_shards(path: Path) -> None:
    from sketchcolor_cli.data.check import check, html_contents
    from sketchcolor_cli.data.shards import ShardSet
    from sketchcolor_cli.errors import ImageError

    pictures = ShardSet([path])
    for index in range(len(pictures)):
        pictures.group(index), pictures.source(index)
        try:
            line, _ = pictures.line(index), list(pictures.contents(index))
        except ImageError:
            continue
        assert line is None or line.ndim == 2
    html_contents(check(pictures), str(path))


_MOST_RECORDS = 2**22  # bytes


def records() -> Seeds:
    tags = [{"name": tag, "category": "0"} for tag in ("1girl", "solo", "smile")]
    lines_ = [
        {"id": "12", "rating": "s", "image_width": "800", "image_height": "900", "tags": tags},
        {"id": 13, "rating": "g", "image_width": 800, "image_height": 900, "tag_string": "1girl solo smile"},
    ]
    text = b"\n".join(json.dumps(record).encode() for record in lines_ * 2)
    return [(".json", text), (".gz", gzip.compress(text)), (".xz", lzma.compress(text))]


def read_records(path: Path) -> None:
    from sketchcolor_cli.data.danbooru import DEFAULT_RULES, filter_danbooru, read_rules
    from sketchcolor_cli.errors import DataError

    if path.stat().st_size > _MOST_RECORDS:
        raise DataError("many records take long, and may")
    result = filter_danbooru([path], read_rules(DEFAULT_RULES), path.parent / "out")
    kept = (path.parent / "out/kept.txt").read_text().split()
    assert len(kept) == result.kept
    assert all(line.isascii() and line.lstrip("-").isdigit() for line in kept)


def rules() -> Seeds:
    from sketchcolor_cli.data.danbooru import DEFAULT_RULES

    return [(".toml", DEFAULT_RULES.read_bytes())]


def read_rules(path: Path) -> None:
    from sketchcolor_cli.data import danbooru

    found = danbooru.read_rules(path)
    found.broken({"rating": "s", "image_width": 800, "image_height": 900, "tag_string": "1girl solo"})


def tables() -> Seeds:
    rows = "file,licence,author,source,group,line\na/1.png,CC0,us,ours,g1,artist\n2.png,CC0,us,ours,g1,\n"
    manifest = "key,shard,file,group,width,height,line,colorfulness,licence,author,source,print\na,data-000000.tar,a.png,g,40,56,,30.00,,,,0\n"
    return [(".csv", rows.encode()), (".manifest", manifest.encode())]


def read_table(path: Path) -> None:
    from sketchcolor_cli.compute.executor import Here
    from sketchcolor_cli.data.prepare import find_sources, prepare, read_attribution
    from sketchcolor_cli.data.settings import PrepareSettings

    if path.suffix == ".csv":
        read_attribution(path)
        return
    folder, out = path.parent / "pictures", path.parent / "out"
    folder.mkdir()
    (folder / "b.png").write_bytes(encoded("PNG", "RGB", 1))
    settings = PrepareSettings(min_side=8, min_colorfulness=0)
    prepare(find_sources([folder], out), out, settings, executor=Here())
    path.rename(out / "manifest.csv")
    prepare(find_sources([folder], out), out, settings, resume=True, executor=Here())


# The studio's own files


def projects() -> Seeds:
    job = {
        "id": "a1",
        "kind": "export",
        "state": "done",
        "page": None,
        "pages": ["x"],
        "done": 1,
        "total": 1,
        "folder": "out",
        "files": [{"id": "f", "name": "x.cbz", "path": "out/x.cbz"}],
        "asked": {"kind": "export"},
        "failed": [],
    }
    return [
        (".state", json.dumps({"done": ["1.png"], "failed": {"2.png": "why"}}).encode()),
        (".jobs", json.dumps([job, {**job, "state": "running"}]).encode()),
        (
            ".recent",
            json.dumps([{"folder": "/nowhere", "pages": 3, "opened": "2026-01-01T00:00:00Z"}]).encode(),
        ),
        (".hints", json.dumps({"seed": 4, "points": _POINTS[2:]}).encode()),
        (".gpl", _GPL),
        (
            ".toml",
            b'model = "default"\npalette = "swatches.gpl"\nsheets = ["sheets/a.png"]\nhints = ["hints"]\nseed = 5\n',
        ),
        (".sheet", page()),
    ]


_FILES = {
    ".state": ".sketchcolor/studio.json",
    ".jobs": ".sketchcolor/jobs.json",
    ".hints": "hints/1.json",
    ".gpl": "swatches.gpl",
    ".toml": "series.toml",
    ".sheet": "sheets/a.png",
}


def read_project(path: Path) -> None:
    """Open a project one file of which is damaged, look at all of it, and change something."""
    from sketchcolor_cli.studio.job_queue import Queue
    from sketchcolor_cli.studio.job_runners import ThreadRunner
    from sketchcolor_cli.studio.limits import Limits
    from sketchcolor_cli.studio.project import Project

    folder, shelf = _laid_out(path)
    shelf.recent()
    project, queue = Project(folder), Queue(ThreadRunner, Limits(), "cpu")
    queue.open(project)
    json.dumps(queue.jobs())
    json.dumps(project.document())
    shelf.note(project, 2)
    assert shelf.recent()[0]["folder"] == str(project.folder)
    _change(project)
    json.dumps(project.document())


def _laid_out(path: Path) -> tuple[Path, Shelf]:
    """Make a project with the damaged file in its place; return its folder, and the list of projects."""
    from sketchcolor_cli.studio.job_file import JOBS
    from sketchcolor_cli.studio.shelf import Shelf

    folder = path.parent / "project"
    for name, content in {
        "1.png": page(),
        "2.png": page(number=1),
        "sheets/a.png": page(),
        "swatches.gpl": _GPL,
        "hints/x": b"",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    place = {**_FILES, ".jobs": str(JOBS)}.get(path.suffix)
    if place is None:
        path.rename(path.parent / "recent.json")
        return folder, Shelf(path.parent)
    (folder / place).parent.mkdir(exist_ok=True)
    path.rename(folder / place)
    return folder, Shelf(path.parent / "shelf")


def _change(project: Project) -> None:
    from sketchcolor_cli.errors import SketchcolorError
    from sketchcolor_cli.studio.problems import ProblemError

    first = project.pages()[0]
    project.mark(first, done=True)
    for change in (
        lambda: project.set_seed(first, 8),
        lambda: project.put_marks(first, _POINTS[2:3], project.marks(first)[0]),
        lambda: project.put({"seed": 9}, [{"name": "x", "color": "#fff"}], project.series.revision()),
        project.series.list_sheets,
    ):
        try:
            change()
        except (ProblemError, SketchcolorError):
            continue


_TOML = (table, table, words("true", "[", "]", "{", "=", "[[x]]", '"""'), decimals)
READERS = {
    "series": Reader(series, read_series, _TOML),
    "config": Reader(
        configs, read_config, (*_TOML, words("colorize", "train", "preset", "lr", "epochs", "stages"))
    ),
    "palettes": Reader(
        palettes, read_palette, (decimals, lines, words("RGB ", "CMYK", "LAB ", "Gray", "#123456"))
    ),
    "hints": Reader(
        hints,
        read_hints,
        (tree, tree, tree, table, decimals, words("stroke", "erase", "points", "seed", "radius")),
    ),
    "shards": Reader(shards, read_shards, (tar, tar, gzipped(tree, bytes, bytes))),
    "danbooru": Reader(
        records,
        read_records,
        (
            tree,
            tree,
            lines,
            gzipped(tree, gzip.compress, gzip.decompress),
            gzipped(tree, lzma.compress, lzma.decompress),
        ),
    ),
    "rules": Reader(rules, read_rules, _TOML),
    "tables": Reader(tables, read_table, (lines, words("file", "key", ",", '"', "\n"), decimals)),
    "latents": Reader(latents, read_latents, (tree, tree, words("pages", "model"))),
    "project": Reader(projects, read_project, (tree, tree, tree, table, words("done", "state", "id"), png)),
}

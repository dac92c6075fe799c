"""Choosing, packing, checking and reviewing pictures."""

from __future__ import annotations

import csv
import gzip
import json
import lzma
import os
import sys
import time
import warnings
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from book_files import page, write_tar
from sketchcolor_cli.cli.app import app
from sketchcolor_cli.compute.executor import Here, Threads
from sketchcolor_cli.data import prepare as packing
from sketchcolor_cli.data.check import check, html_contents
from sketchcolor_cli.data.danbooru import DEFAULT_RULES, filter_danbooru, read_rules
from sketchcolor_cli.data.folder import list_files
from sketchcolor_cli.data.likeness import Print, Prints, print_of
from sketchcolor_cli.data.opening import open_pictures
from sketchcolor_cli.data.review import html_review, review, scores_csv
from sketchcolor_cli.data.settings import PrepareSettings, ReviewSettings
from sketchcolor_cli.errors import DataError, ImageError
from sketchcolor_cli.files.webdataset import directory, read_parts
from sketchcolor_cli.jobs.dataset import DatasetCheckRequest, check_dataset

if TYPE_CHECKING:
    from collections.abc import Callable

SETTINGS = PrepareSettings(short_side=64, min_side=32, shard_size=2)


def record(number: int, *tags: str, **changes: Any) -> bytes:
    named = tags or ("blue_hair", "red_eyes")
    plain = {
        "id": str(number),
        "rating": "s",
        "image_width": "1000",
        "image_height": "1000",
        "file_ext": "jpg",
        "tags": [{"id": "1", "name": name, "category": "0"} for name in named],
    }
    return json.dumps({**plain, **changes}).encode() + b"\n"


def picture(seed: int, shape: tuple[int, int] = (60, 50)) -> Image.Image:
    rng = np.random.default_rng(seed)
    rgb = np.full((*shape, 3), 255, np.uint8)
    for _ in range(12):
        top, left = int(rng.integers(0, shape[0] - 15)), int(rng.integers(0, shape[1] - 15))
        rgb[top : top + 15, left : left + 15] = rng.integers(0, 256, 3)
    return Image.fromarray(rgb)


def draw(folder: Path, names: dict[str, Image.Image]) -> Path:
    for name, image in names.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        image.save(folder / name)
    return folder


def pack(folder: Path, output: Path, settings: PrepareSettings = SETTINGS, **kwargs: Any) -> Any:
    return packing.prepare(
        packing.find_sources([folder], output), output, settings, **{"executor": Threads(2), **kwargs}
    )


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def whole(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


# Danbooru

RECORDS = (
    record(1005),
    record(2, "blue_hair"),
    record(3, "blue_hair", "red_eyes", "sketch", "photo"),
    record(4, rating="q"),
    record(5, image_width="2000"),
    b"no json\n",
    b"\n",
    b"[]\n",
    record(7, image_height="0"),
    record(8, "blue_hair", "black_hair", "red_eyes"),
)


@pytest.mark.parametrize(
    ("ending", "opens"), [("json", open), ("json.gz", gzip.open), ("json.xz", lzma.open)]
)
def test_the_rules_of_the_thesis_choose(tmp_path: Path, ending: str, opens: Callable[..., Any]) -> None:
    with opens(tmp_path / f"all.{ending}", "wb") as file:
        file.writelines(RECORDS)
    result = filter_danbooru([tmp_path / f"all.{ending}"], read_rules(DEFAULT_RULES), tmp_path / "out")
    assert (tmp_path / "out/kept.txt").read_text() == "1005\n8\n"
    assert (tmp_path / "out/files.txt").read_text() == "512px/0005/1005.jpg\n512px/0008/8.jpg\n"
    counts = json.loads((tmp_path / "out/counts.json").read_text())
    assert counts == result.to_json()
    assert (counts["records"], counts["kept"], counts["unreadable"]) == (9, 2, 2)
    assert counts["dropped"] == {
        "aspect": 2,
        "rating": 1,
        "forbidden photo": 1,
        "forbidden sketch": 1,
        "require eyes": 1,
    }
    assert sum(counts["dropped_first"].values()) == 9 - 2 - 2
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "counts.json",
        "files.txt",
        "kept.txt",
    ]


def test_records_of_the_sites_own_dumps_have_their_tags_as_a_text(tmp_path: Path) -> None:
    plain = json.loads(record(9, rating="s"))
    del plain["tags"]
    lines = [
        {**plain, "tag_string": "1girl blue_hair red_eyes", "image_width": 800, "image_height": 900},
        {**plain, "tag_string": "blue_hair red_eyes sketch"},
        {**plain, "tag_string": ""},
        plain,
    ]
    (tmp_path / "all.json").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    result = filter_danbooru([tmp_path / "all.json"], read_rules(DEFAULT_RULES), tmp_path / "out")
    assert (result.kept, result.unreadable) == (1, 1)
    assert result.dropped == {"forbidden sketch": 1, "require hair": 1, "require eyes": 1}


def test_hostile_records_are_counted_and_the_rest_goes_on(tmp_path: Path) -> None:
    lines = [
        b"[" * 100_000 + b"\n",
        b'{"id": 1e999}\n',
        record(1).replace(b'"1000"', b"1e999", 1),
        record(2).replace(b'"tags"', b'"tags": 3, "x"'),
        record(1005),
    ]
    (tmp_path / "all.json").write_bytes(b"".join(lines))
    result = filter_danbooru([tmp_path / "all.json"], read_rules(DEFAULT_RULES), tmp_path / "out")
    assert (result.kept, result.unreadable) == (1, 4)


def test_a_line_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sketchcolor_cli.data.danbooru._LONGEST", 1000)
    (tmp_path / "a.json").write_bytes(record(1) + b"\n" + b"[" * 5000)
    with pytest.raises(DataError, match="a line of over"):
        filter_danbooru([tmp_path / "a.json"], read_rules(DEFAULT_RULES), tmp_path / "out")
    assert not list(tmp_path.glob("out/*.txt"))


def test_rules_can_be_edited(tmp_path: Path) -> None:
    text = DEFAULT_RULES.read_text(encoding="utf-8").replace("only_one = false", "only_one = true")
    (tmp_path / "rules.toml").write_text(
        text.replace("longer_side = 0", "longer_side = 1001"), encoding="utf-8"
    )
    (tmp_path / "all.json").write_bytes(b"".join(RECORDS))
    result = filter_danbooru([tmp_path / "all.json"], read_rules(tmp_path / "rules.toml"), tmp_path / "out")
    assert result.kept == 0
    assert result.dropped["longer_side"] == 6
    assert result.dropped["require hair"] == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ratings = [", "not valid TOML"),
        ("rating = []", "unknown rule rating"),
        ("aspect = [1, 2]", "a rule is missing"),
        ("ratings = []\n[require.hair]\nonly_one = true", "a rule is missing"),
        ('ratings = []\nforbidden = "comic"', "'comic' is not a list"),
        ("ratings = []\n[require.hair]\ntags = []\nonly_on = true", "unknown key only_on"),
    ],
)
def test_rules_that_make_no_sense_are_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "rules.toml").write_text(text)
    with pytest.raises(DataError, match=said):
        read_rules(tmp_path / "rules.toml")


def test_metadata_that_is_cut_off_leaves_no_lists(tmp_path: Path) -> None:
    whole_file = gzip.compress(b"".join(RECORDS * 50))
    (tmp_path / "all.json.gz").write_bytes(whole_file[: len(whole_file) // 2])
    with pytest.raises(DataError, match="cannot be read to its end"):
        filter_danbooru([tmp_path / "all.json.gz"], read_rules(DEFAULT_RULES), tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


# Near-duplicates


def test_another_size_and_compression_is_a_duplicate_another_colouring_is_none(tmp_path: Path) -> None:
    image = picture(0, (120, 100))
    image.resize((77, 92), Image.Resampling.BICUBIC).save(tmp_path / "again.jpg", quality=60)
    again = np.asarray(Image.open(tmp_path / "again.jpg"))
    recolored = np.asarray(image)[..., ::-1].copy()
    seen = Prints(4, 4.0)
    seen.add(print_of(np.asarray(image)), "first")
    assert seen.like(print_of(again)) == "first"
    assert seen.like(print_of(recolored)) is None
    assert seen.like(print_of(np.asarray(picture(1, (120, 100))))) is None


def test_hashes_that_differ_in_so_many_bits_are_found_wherever_the_bits_are() -> None:
    rng = np.random.default_rng(0)
    colors = bytes(192)
    for _ in range(200):
        first = int(rng.integers(0, 2**63))
        seen = Prints(4, 4.0)
        seen.add(Print(first, colors), "first")
        places = rng.choice(64, 5, replace=False).tolist()
        near = first
        for place in places[:4]:
            near ^= 1 << place
        assert seen.like(Print(near, colors)) == "first"
        assert seen.like(Print(near ^ 1 << places[4], colors)) is None


def test_a_print_can_be_written_down() -> None:
    print_ = print_of(np.asarray(picture(2)))
    assert Print.parse(str(print_)) == print_


# Packing


@pytest.fixture
def drawings(tmp_path: Path) -> Path:
    """Five pictures of use, and one each that is broken, tiny, grey, and a duplicate."""
    folder = draw(tmp_path / "in", {f"story/{number}.png": picture(number, (90, 80)) for number in range(4)})
    draw(folder, {"a.b.png": picture(9), "tiny.png": picture(5, (30, 40)), "zz.jpg": picture(9)})
    picture(6).convert("L").save(folder / "grey.png")
    (folder / "broken.png").write_bytes(b"no picture")
    return folder


def test_what_is_no_use_is_dropped_and_said(tmp_path: Path, drawings: Path) -> None:
    result = pack(drawings, tmp_path / "out", attribution=packing.Attribution("CC0-1.0"))
    assert result.dropped == {"broken": 1, "tiny": 1, "grey": 1, "duplicate": 1}
    assert (result.packed, result.shards) == (5, 3)
    reasons = {Path(row["file"]).name: row["reason"] for row in table(tmp_path / "out/dropped.csv")}
    assert reasons == {"broken.png": "broken", "tiny.png": "tiny", "grey.png": "grey", "zz.jpg": "duplicate"}
    rows = table(tmp_path / "out/manifest.csv")
    assert {row["licence"] for row in rows} == {"CC0-1.0"}
    assert {row["key"]: (row["group"], row["width"], row["height"]) for row in rows} == {
        "a_b": ("", "50", "60"),
        **{f"story-{number}": ("story", "64", "72") for number in range(4)},
    }


def test_shards_can_be_read_again(tmp_path: Path, drawings: Path) -> None:
    lines = draw(tmp_path / "lines", {"story/1.png": picture(1, (90, 80)).convert("L")})
    (tmp_path / "who.csv").write_text("file,author,licence\nstory/1.png,Ann,CC-BY-4.0\n", encoding="utf-8")
    output = tmp_path / "out"
    sources = packing.find_sources([drawings], output, lines=lines)
    packing.prepare(
        sources,
        output,
        SETTINGS,
        attribution=packing.Attribution("CC0-1.0", packing.read_attribution(tmp_path / "who.csv")),
        executor=Threads(2),
    )
    shard = output / next(row["shard"] for row in table(output / "manifest.csv") if row["key"] == "story-1")
    parts = read_parts(shard, directory(shard)["story-1"])
    told = json.loads(parts["json"])
    assert (told["author"], told["licence"], told["line"], told["group"]) == (
        "Ann",
        "CC-BY-4.0",
        "artist",
        "story",
    )
    assert "line" in parts
    packed = open_pictures([str(output)])
    assert set(packed.keys) == {"a_b", *(f"story-{number}" for number in range(4))}
    assert packed.color(list(packed.keys).index("story-1")).shape == (72, 64, 3)


def test_books_within_books_are_named(tmp_path: Path) -> None:
    picture(0).save(tmp_path / "cover.png")
    with zipfile.ZipFile(tmp_path / "volume.zip", "w") as book:
        book.write(tmp_path / "cover.png", "cover.png")
        book.writestr("ch 1.cbz", b"PK")
    result = pack(tmp_path / "volume.zip", tmp_path / "out")
    assert (result.packed, result.dropped) == (1, {"broken": 1})
    place = tmp_path / "volume.zip/ch 1.cbz"
    assert result.broken == [(str(place), f"{place}: is a book within a book; unpack it to have its pages")]


def test_books_are_sources_of_pictures(tmp_path: Path) -> None:
    folder = draw(tmp_path / "in", {"loose.png": picture(0)})
    pages = draw(tmp_path / "pages", {f"{number}.png": picture(number) for number in (1, 2, 10)})
    with zipfile.ZipFile(folder / "story.cbz", "w") as book:
        for path in pages.iterdir():
            book.write(path, f"ch 1/{path.name}")
        book.writestr("ch 1/3.png", b"broken")
    (folder / "cut.cbz").write_bytes((folder / "story.cbz").read_bytes()[:500])
    picture(20).save(folder / "scan.tif", save_all=True, append_images=[picture(21)])
    (folder / "layers.psb").write_bytes(b"8BPS")
    result = pack(folder, tmp_path / "out")
    rows = table(tmp_path / "out/manifest.csv")
    assert [(row["key"], row["group"]) for row in rows] == [
        ("loose", ""),
        ("scan_tif-page 001", "scan.tif"),
        ("scan_tif-page 002", "scan.tif"),
        ("story_cbz-ch 1-1", "story.cbz/ch 1"),
        ("story_cbz-ch 1-2", "story.cbz/ch 1"),
        ("story_cbz-ch 1-10", "story.cbz/ch 1"),
    ]
    assert rows[3]["file"] == str(folder / "story.cbz/ch 1/1.png")
    assert [Path(name).name for name, _ in result.broken] == ["cut.cbz", "3.png"]
    assert result.dropped == {"broken": 2}
    assert result.left_out == {".psb": 1}
    again = open_pictures([str(folder / "story.cbz")])
    assert list(again.keys) == [f"story.cbz/ch 1/{number}.png" for number in (1, 2, 3, 10)]
    np.testing.assert_array_equal(again.color(1), np.asarray(picture(2)))
    with pytest.raises(ImageError, match=r"story\.cbz/ch 1/3\.png: is not a PNG"):
        again.color(2)


def test_folders_with_equal_names_are_kept_apart(tmp_path: Path) -> None:
    for number, name in enumerate(("a/in", "b/in")):
        draw(tmp_path / name, {"1.png": picture(number)})
    found = open_pictures([str(tmp_path / "a/in"), str(tmp_path / "b/in"), str(tmp_path / "a/in/1.png")])
    assert list(found.keys) == ["in/1.png", "in/1-2.png"]
    assert found.color(0).shape == found.color(1).shape


def test_a_run_that_was_stopped_goes_on_to_the_same_shards(tmp_path: Path, drawings: Path) -> None:
    pack(drawings, tmp_path / "whole", resume=True)  # where nothing is there it begins

    def stop(done: int, _total: int) -> None:
        if done == 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pack(drawings, tmp_path / "parts", report=stop)
    assert 0 < len(table(tmp_path / "parts/manifest.csv")) < 5
    pack(drawings, tmp_path / "parts", resume=True)
    assert whole(tmp_path / "parts") == whole(tmp_path / "whole")


def test_a_folder_with_shards_is_gone_on_with_only_when_asked_and_with_the_same_settings(
    tmp_path: Path, drawings: Path
) -> None:
    pack(drawings, tmp_path / "out")
    with pytest.raises(DataError, match="--resume"):
        pack(drawings, tmp_path / "out")
    with pytest.raises(DataError, match="other settings"):
        pack(drawings, tmp_path / "out", PrepareSettings(), resume=True)


def test_what_was_ticked_is_left_out(tmp_path: Path, drawings: Path) -> None:
    sources = packing.find_sources(
        [drawings], tmp_path / "out", exclude=["story/1.png", "story-2", "a.b", "", "none"]
    )
    assert sources.excluded == 3
    names = [source.name for source in sources.pictures]
    assert not {"story/1", "story/2", "a.b"} & set(names)
    assert len(names) == 9 - 3


def test_lines_of_an_attribution_without_a_name_are_nothing(tmp_path: Path) -> None:
    (tmp_path / "who.csv").write_text("file,author\n.,Ann\n,Bob\na/b.png,Cid\n", encoding="utf-8")
    assert packing.read_attribution(tmp_path / "who.csv").keys() == {"a/b"}


def test_a_line_of_an_attribution_with_too_many_values_is_named(tmp_path: Path) -> None:
    (tmp_path / "who.csv").write_text("file,author\na.png,Ann\nb.png,Bob, the elder\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"who\.csv: line 3 has more values than there are columns; quote"):
        packing.read_attribution(tmp_path / "who.csv")


def test_a_line_of_an_attribution_that_ends_early_says_nothing_of_the_rest(tmp_path: Path) -> None:
    (tmp_path / "who.csv").write_text("file,author,licence\na.png,Ann\n", encoding="utf-8")
    assert packing.read_attribution(tmp_path / "who.csv") == {"a": {"author": "Ann"}}


def test_a_damaged_manifest_is_one_line(tmp_path: Path, drawings: Path) -> None:
    pack(drawings, tmp_path / "out")
    (tmp_path / "out/manifest.csv").write_bytes(b"key,shard\n\xff\0,\n")
    with pytest.raises(DataError, match=r"manifest\.csv: is damaged; pack into an empty folder"):
        pack(drawings, tmp_path / "out", resume=True)


def test_names_that_become_one_key_stay_apart(tmp_path: Path) -> None:
    folder = draw(tmp_path / "in", {"a/b.png": picture(0), "a-b.png": picture(1), "a.b.png": picture(2)})
    pack(folder, tmp_path / "out")
    assert {row["key"] for row in table(tmp_path / "out/manifest.csv")} == {"a-b", "a-b-2", "a_b"}


# Checking and reviewing


def test_a_check_counts_and_shows_the_most_and_the_least_colourful(tmp_path: Path, drawings: Path) -> None:
    found = check(open_pictures([str(drawings)]), shown=2)
    assert found.pictures == 8
    assert [key for key, _ in found.unreadable] == ["broken.png"]
    assert found.worst[0][0] == "grey.png"
    assert found.groups == 1
    assert found.to_json()["colorfulness"]["least"] == 0
    page = html_contents(found, "<in>")
    assert "&lt;in&gt;" in page
    assert page.count("<img") == 4


def test_a_review_puts_first_what_the_model_fails_at(tmp_path: Path) -> None:
    folder = draw(tmp_path / "in", {f"{number}.png": picture(number) for number in range(3)})
    (folder / "broken.png").write_bytes(b"")
    truths = [np.asarray(picture(number), np.float32) / 255 for number in range(3)]

    def colors(page: np.ndarray, *, reference: np.ndarray | None = None) -> np.ndarray:
        number = next(n for n, truth in enumerate(truths) if np.array_equal(truth.mean(2), page))
        assert reference is not None
        return truths[number] * (0.5 if number == 1 else 1)

    pictures = open_pictures([str(folder)])
    found = review(pictures, colors, lambda rgb: rgb.mean(2), ReviewSettings())
    assert [score.key for score in found.scores] == ["1.png", "0.png", "2.png"]
    assert found.scores[1].score == 0
    assert [key for key, _ in found.unreadable] == ["broken.png"]
    page = html_review(found, pictures, ReviewSettings(shown=2))
    assert page.count('type="checkbox"') == 2
    assert page.index("1.png") < page.index("0.png")
    assert scores_csv(found).splitlines()[0] == "key,score,colorfulness"


# The commands


def invoke(*args: object) -> Any:
    return CliRunner().invoke(app, ["dataset", *map(str, args)])


def test_the_commands_work_one_after_the_other(tmp_path: Path, drawings: Path) -> None:
    packed = invoke("prepare", drawings, "-o", tmp_path / "out", "--min-side", 32, "--json")
    assert packed.exit_code == 1, packed.stderr  # for the broken one, which is named
    assert f"not readable: {drawings / 'broken.png'}: is not a PNG" in packed.stderr
    assert json.loads(packed.stdout)["packed"] == 5
    checked = invoke("check", tmp_path / "out", "-o", tmp_path / "contents.html", "--json")
    assert json.loads(checked.stdout)["pictures"] == 5
    assert (tmp_path / "contents.html").is_file()
    reviewed = invoke("review", tmp_path / "out", "-o", tmp_path / "review", "--device", "cpu", "--json")
    assert reviewed.exit_code == 0, reviewed.stderr
    scores = [score["score"] for score in json.loads(reviewed.stdout)["scores"]]
    assert len(scores) == 5
    assert scores == sorted(scores, reverse=True)
    assert (tmp_path / "review/review.html").is_file()


def test_the_rules_are_printed_to_be_edited(tmp_path: Path) -> None:
    (tmp_path / "rules.toml").write_text(invoke("rules").stdout, encoding="utf-8")
    assert read_rules(tmp_path / "rules.toml") == read_rules(DEFAULT_RULES)


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (["check", "nowhere"], 1, "nowhere: no such file or folder"),
        (["prepare", "nowhere", "-o", "out"], 1, "nowhere: no such file or folder"),
        (["prepare", ".", "-o", "out", "--workers", "0"], 2, "at least 1"),
        (["prepare", ".", "-o", "out", "--exclude", "nowhere.txt"], 1, "nowhere.txt: cannot be read"),
        (
            ["filter-danbooru", "a.png", "-o", "out", "--rules", "deep.toml"],
            1,
            "deep.toml: is nested too deeply",
        ),
        (["filter-danbooru", "nowhere.json", "-o", "out"], 1, "nowhere.json: no such file"),
        (
            ["filter-danbooru", "a.png", "-o", "out", "--rules", "nowhere.toml"],
            1,
            "nowhere.toml: cannot be read",
        ),
    ],
)
def test_mistakes_are_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, args: list[str], code: int, said: str
) -> None:
    monkeypatch.chdir(draw(tmp_path, {"a.png": picture(0)}))
    Path("deep.toml").write_text("a = " + "[" * 10_000)
    ran = invoke(*args)
    assert ran.exit_code == code
    assert said in ran.stderr
    assert ran.stderr.count("\n") == 1


def test_a_strip_that_webp_cannot_hold_is_dropped_and_the_rest_goes_on(tmp_path: Path) -> None:
    strip = Image.new("RGB", (32, 16_500), "red")
    folder = draw(tmp_path / "drawings", {"a.png": strip, "b.png": picture(1)})
    sources = packing.find_sources([folder], tmp_path / "out")
    found = packing.prepare(sources, tmp_path / "out", SETTINGS, executor=Here())
    assert (found.packed, found.dropped) == (1, {"long": 1})


@pytest.mark.skipif(os.name == "nt" or sys.platform == "darwin", reason="names are Unicode there")
def test_names_that_are_not_unicode_are_packed_checked_and_reviewed(tmp_path: Path) -> None:
    folder = draw(tmp_path / "drawings" / os.fsdecode(b"caf\xe9"), {"1.png": picture(1)})
    sources = packing.find_sources([folder.parent], tmp_path / "out")
    assert packing.prepare(sources, tmp_path / "out", SETTINGS, executor=Here()).packed == 1
    assert open_pictures([str(tmp_path / "out")]).group(0) == os.fsdecode(b"caf\xe9")
    request = DatasetCheckRequest(str(folder.parent), tmp_path / "page.html")
    assert check_dataset(request).pictures == 1
    assert b"caf\\udce9/1.png" in (tmp_path / "page.html").read_bytes()


def test_settings_that_are_damaged_are_not_those_of_this_run(tmp_path: Path, drawings: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / packing.SETTINGS).write_bytes(b"\xff")
    sources = packing.find_sources([drawings], tmp_path / "out")
    with pytest.raises(DataError, match="was begun with other settings"):
        packing.prepare(sources, tmp_path / "out", SETTINGS, resume=True, executor=Here())


def test_pages_are_read_whatever_their_entries_are_called(tmp_path: Path) -> None:
    """``tar -cf a.cbt .`` writes ./1.png; a ZIP may have a name twice."""
    first, second = page(1), page(2)
    write_tar(tmp_path / "a.cbt", {"./1.png": first, "x//2.png": second})
    with zipfile.ZipFile(tmp_path / "b.cbz", "w") as archive, warnings.catch_warnings(action="ignore"):
        archive.writestr("1.png", first)
        archive.writestr("1.png", second)
    found = list_files([tmp_path / "a.cbt", tmp_path / "b.cbz"]).files
    assert list(found) == ["a.cbt/1.png", "a.cbt/x/2.png", "b.cbz/1.png", "b.cbz/1-2.png"]
    assert [file.content() for file in found.values()] == [first, second, first, second]


def test_thousands_of_pages_of_one_name_are_listed_in_time_that_grows_with_their_number(
    tmp_path: Path,
) -> None:
    """Each tried all numbers from 2 on: 4000 took two minutes."""
    with zipfile.ZipFile(tmp_path / "a.cbz", "w") as archive, warnings.catch_warnings(action="ignore"):
        for _ in range(3000):
            archive.writestr("1.png", b"")
    start = time.process_time()
    assert list(list_files([tmp_path / "a.cbz"]).files)[-1] == "a.cbz/1-3000.png"
    assert time.process_time() - start < 10

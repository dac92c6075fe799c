"""Make scenes to learn from, as shards: drawn places with figures and things of other pictures in them.

    python tools/compose_scenes.py SHARD... -o FOLDER --count 6000 --seed 0

A sample is KEY.color.webp, KEY.line.webp (the exact lines) and KEY.json, as `dataset prepare` writes them.
Held-out shards are refused, and what default.toml leaves out is not used. `attribution.csv` has a row per
scene, as attribution.py reads it. A scene depends on the shards, the seed and its number alone.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import sys
import tarfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from scenes.compose import Scene, scene
from scenes.parts import Library
from sources import LEFT_OUT

from sketchcolor_cli.errors import DataError
from sketchcolor_cli.files import webdataset
from sketchcolor_cli.files.atomic import write_bytes

if TYPE_CHECKING:
    from numpy.typing import NDArray

SOURCE = "scenes"
PER_SHARD = 500
QUALITY = 80
TABLE = "attribution.csv"
_COLUMNS = ("key", "split", "source", "group", "author", "licence", "origin", "width", "height", "line")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shards", nargs="+", metavar="SHARD")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--count", type=int, default=6000)
    parser.add_argument(
        "--first", type=int, default=0, help=f"go on from this number, a multiple of {PER_SHARD}"
    )
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    if args.first % PER_SHARD:
        parser.error(f"--first {args.first}: a shard has {PER_SHARD} scenes; give a multiple of that")
    cv2.setNumThreads(1)
    shards = [path for pattern in args.shards for path in webdataset.expand(pattern)]
    try:
        compose(shards, args.output, range(args.first, args.count), args.seed)
    except DataError as error:
        sys.exit(str(error))


def compose(shards: list[Path], output: Path, numbers: range, seed: int) -> None:
    """Write the scenes of these numbers, made of the pictures in ``shards``, into ``output``.

    Raises:
        DataError: a shard is held out or cannot be read, or nothing can be written.
    """
    library = Library(shards, LEFT_OUT)
    output.mkdir(parents=True, exist_ok=True)
    keys = {number: f"{SOURCE}-{seed}-{number:06d}" for number in numbers}
    made_now = set(keys.values())
    rows = [row for row in _rows(output / TABLE) if numbers.start and row["key"] not in made_now]
    kinds: Counter[str] = Counter()
    start = time.process_time()
    for first in range(numbers.start, numbers.stop, PER_SHARD):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as shard:
            for number in range(first, min(first + PER_SHARD, numbers.stop)):
                made = scene(np.random.default_rng([seed, number]), library)
                about = facts(keys[number], made)
                webdataset.append_sample(shard, keys[number], sample(made, about))
                rows.append({**about, "key": keys[number], "split": "train"})
                kinds.update(made.kind.split("+"))
        write_bytes(output / f"{SOURCE}-{first // PER_SHARD:06d}.tar", buffer.getvalue(), DataError)
        _write_table(output / TABLE, rows)
        speed = (number + 1 - numbers.start) / (time.process_time() - start)
        print(f"{number + 1} of {numbers.stop} scenes, {speed:.1f} per second of processor time", flush=True)
    print(", ".join(f"{kind} {count}" for kind, count in kinds.most_common()))


def facts(key: str, made: Scene) -> dict[str, Any]:
    """Return what is recorded of a scene: its licence, and of whom and what it was made."""
    parts = [
        {"key": part.key}
        | {name: str(part.about.get(name, "")) for name in ("source", "author", "licence", "origin")}
        for part in made.parts
    ]
    authors = dict.fromkeys(name.strip() for part in parts for name in part["author"].split(";"))
    return {
        "source": SOURCE,
        "kind": made.kind,
        "group": key,
        "author": "; ".join(name for name in ["sketchcolor contributors", *authors] if name),
        "licence": licence_of([part["licence"] for part in parts]),
        "origin": "tools/compose_scenes.py: " + (" ".join(part["key"] for part in parts) or "drawn alone"),
        "width": made.color.shape[1],
        "height": made.color.shape[0],
        "line": "derived",
        "parts": parts,
    }


def licence_of(licences: list[str]) -> str:
    """Return the licence of what is made of parts: CC BY-SA 4.0 where one asks for it, else all of theirs."""
    if any("BY-SA" in licence.replace("_", "-") for licence in licences):
        return "CC BY-SA 4.0"
    return "; ".join(sorted({"CC0 1.0", *licences}))


def sample(made: Scene, about: dict[str, Any]) -> dict[str, bytes]:
    """Return the files of a sample."""
    return {
        "color.webp": _webp(cv2.cvtColor(made.color, cv2.COLOR_RGB2BGR)),
        "line.webp": _webp(made.line),
        "json": json.dumps(about, ensure_ascii=False, sort_keys=True).encode(),
    }


def _webp(samples: NDArray[np.uint8]) -> bytes:
    done, data = cv2.imencode(".webp", samples, [cv2.IMWRITE_WEBP_QUALITY, QUALITY])
    if not done:
        raise DataError(f"a picture of {samples.shape[1]}×{samples.shape[0]} cannot be written as WebP")
    return data.tobytes()


def _rows(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a table; none where there is no table yet."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _write_table(path: Path, rows: list[dict[str, Any]]) -> None:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, _COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_bytes(path, text.getvalue().encode(), DataError)


if __name__ == "__main__":
    main()

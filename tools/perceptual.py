"""Make the class folders that the bundled perceptual network learns from, and its file in half precision.

    python tools/perceptual.py folders SHARDS_FOLDER CLASSES_FOLDER
    sketchcolor train CLASSES_FOLDER -o RUN_FOLDER --stages vgg …      (as its card says)
    python tools/perceptual.py ship RUN_FOLDER

A class is a story, book or set with at least six pictures, else what is left of a source. Pictures under the
GPL alone are left out, as for the default model.
"""

from __future__ import annotations

import argparse
import re
from collections import Counter
from pathlib import Path

from sources import LEFT_OUT

from sketchcolor_cli.data.shards import ShardSet
from sketchcolor_cli.networks.checkpoint import load_model, save_model
from sketchcolor_cli.networks.loading import PERCEPTUAL
from sketchcolor_cli.networks.perceptual import Perceptual

LEAST = 6  # pictures of a class
LICENCE = "CC BY-SA 4.0; attributions in the card of the default model, which learnt from the same pictures"


def safe(name: str) -> str:
    return re.sub(r"[^\w.-]", "_", name)


def folders(shards: Path, out: Path) -> None:
    found = []
    pictures = ShardSet(sorted(shards.glob("train-*.tar")))
    for index, key in enumerate(pictures.keys):
        if (source := pictures.source(index)) not in LEFT_OUT:
            found.append((key, next(pictures.contents(index)), source, pictures.group(index)))
    groups = Counter((source, group) for _, _, source, group in found)
    names = [
        f"{source}-{group}" if groups[source, group] >= LEAST else source for _, _, source, group in found
    ]
    counts = Counter(names)
    kept = 0
    for (key, picture, _, _), name in zip(found, names, strict=True):
        if counts[name] >= LEAST:
            folder = out / safe(name)
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{safe(key)}.webp").write_bytes(picture)
            kept += 1
    print(f"{kept} pictures in {len(list(out.iterdir()))} classes")


def ship(run: Path) -> None:
    network, info = load_model(run / "best.safetensors", Perceptual)
    PERCEPTUAL.parent.mkdir(exist_ok=True)
    save_model(PERCEPTUAL, network, provenance=info.provenance, licence=LICENCE, half=True)
    print(f"{PERCEPTUAL}: {PERCEPTUAL.stat().st_size / 1e6:.1f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    step = commands.add_parser("folders")
    step.add_argument("shards", type=Path)
    step.add_argument("out", type=Path)
    commands.add_parser("ship").add_argument("run", type=Path)
    options = parser.parse_args()
    if options.command == "folders":
        folders(options.shards, options.out)
    else:
        ship(options.run)


if __name__ == "__main__":
    main()

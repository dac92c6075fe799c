"""Record the SHA-256 of what the commands make of the example pages; compare it with an earlier record.

    python benchmarks/recorded.py before.json              # at the old commit
    python benchmarks/recorded.py after.json --against before.json

A move or a renaming must leave every byte as it was. Numbers differ between machines and versions of torch,
so both records are made on one machine; the file is not kept in the repository.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGES, REFERENCE, COLORED = (ROOT / "examples" / name for name in ("pages", "reference", "colored"))
POINTS = {"points": [{"x": 0.3, "y": 0.3, "color": "#c04020"}, {"x": 0.7, "y": 0.6, "color": "#2060c0"}]}

FAST = (
    "--preset",
    "fast",
    "--size",
    "64",
    "--batch-size",
    "2",
    "--valid-share",
    "0.3",
    "--device",
    "cpu",
    "--precision",
    "float32",
)
THESIS = (
    "--method",
    "xdog",
    "--stages",
    "pixel,perceptual,critic,adversarial",
    "--size",
    "32",
    "--batch-size",
    "2",
    "--valid-share",
    "0.3",
    "--device",
    "cpu",
    "--epochs",
    "1",
    "--precision",
    "float32",
)
JOURNEYS: dict[str, list[list[str]]] = {
    "colorize": [["colorize", "{pages}", "-o", "{out}/pages", "--flats"]],
    "colorize_reference": [
        ["colorize", "{pages}", "-o", "{out}/pages", "--reference", "{reference}", "--layers", "ora"]
    ],
    "colorize_points": [
        ["colorize", "{pages}", "-o", "{out}/pages", "--hints", "{points}", "--guess", "mean"]
    ],
    "colorize_sheet": [["colorize", "{pages}", "-o", "{out}/pages", "--sheet", "{sheet}", "--seed", "3"]],
    "colorize_book": [["colorize", "{book}", "-o", "{out}/books", "--work-size", "384"]],
    "explore": [["explore", "{page}", "-o", "{out}/grid.png", "--device", "cpu"]],
    "extract": [["extract", "{colored}", "-o", "{out}/linework"]],
    "extract_xdog": [["extract", "{colored}", "-o", "{out}/xdog", "-m", "xdog"]],
    "extract_gray": [["extract", "{colored}", "-o", "{out}/gray", "-m", "gray"]],
    "fid": [["fid", "{colored}", "{reference}", "--dims", "64", "--json"]],
    "fid_2048": [["fid", "{colored}", "{reference}", "--json"]],
    "dataset": [["dataset", "prepare", "{colored}", "-o", "{out}/shards", "--workers", "1"]],
    "train_fast": [["train", "{colored}", "-o", "{out}/run", *FAST, "--stages", "pixel", "--epochs", "2"]],
    "train_thesis": [["train", "{colored}", "-o", "{out}/run", *THESIS]],
}
"""What is run for each journey; words in braces are places."""

SKIPPED = {"manifest.csv"}  # names the place of the inputs
KEPT = {".png", ".webp", ".jpg", ".cbz", ".ora", ".json", ".safetensors", ".tar", ".csv"}


def main() -> None:
    """Run every journey in folders of its own; write the record, and compare it where one is given."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("record", type=Path)
    parser.add_argument("--against", type=Path, help="A record made before.")
    parser.add_argument("--only", nargs="*", default=list(JOURNEYS), choices=list(JOURNEYS))
    parser.add_argument("--fid-weights", type=Path, help="Weights of the FID network, where none are stored.")
    given = parser.parse_args()
    record = {name: journey(name, given.fid_weights) for name in given.only}
    given.record.write_text(json.dumps(record, indent=1, sort_keys=True), encoding="utf-8")
    if given.against:
        sys.exit(differences(json.loads(given.against.read_text(encoding="utf-8")), record))


def journey(name: str, fid_weights: Path | None) -> dict[str, str]:
    """Return what a journey wrote and printed, as {file: SHA-256}; or how it failed."""
    with tempfile.TemporaryDirectory() as folder:
        room = Path(folder)
        places = prepare(room)
        found = {}
        for number, words in enumerate(JOURNEYS[name]):
            line = [sys.executable, "-m", "sketchcolor_cli", *(word.format(**places) for word in words)]
            if words[0] == "fid" and fid_weights is not None:
                line += ["--weights", str(fid_weights.resolve())]
            run = subprocess.run(line, capture_output=True, check=False, cwd=room)
            found[f"exit {number}"] = str(run.returncode)
            if "--json" in words and words[0] == "fid":
                found[f"value {number}"] = repr(json.loads(run.stdout or "{}").get("fid"))
            if run.returncode:
                found[f"said {number}"] = run.stderr.decode(errors="replace")[-400:]
        out = room / "out"
        for path in sorted(out.rglob("*")):
            if path.suffix in KEPT and path.name not in SKIPPED and ".sketchcolor" not in path.parts:
                found[path.relative_to(out).as_posix()] = digest(path)
        return found


def prepare(room: Path) -> dict[str, str]:
    """Lay out the inputs of a journey; return where each is."""
    (room / "out").mkdir()
    points = room / "points.json"
    points.write_text(json.dumps(POINTS), encoding="utf-8")
    book = shutil.make_archive(str(room / "book"), "zip", PAGES)
    shutil.move(book, room / "book.cbz")
    places = {
        "pages": PAGES,
        "reference": REFERENCE,
        "colored": COLORED,
        "points": points,
        "out": room / "out",
    }
    places |= {"book": room / "book.cbz", "page": PAGES / "page 1.png", "sheet": COLORED / "page 2.png"}
    return {key: str(value) for key, value in places.items()}


def digest(path: Path) -> str:
    """Return the SHA-256 of a file; times in archives and metrics do not count."""
    data = path.read_bytes()
    if path.suffix in (".ora", ".cbz"):
        with zipfile.ZipFile(path) as archive:
            data = b"".join(name.encode() + archive.read(name) for name in archive.namelist())
    elif path.suffix == ".csv":
        with path.open(newline="") as file:
            rows = [{**row, "seconds": ""} for row in csv.DictReader(file)]
        data = json.dumps(rows).encode()
    return hashlib.sha256(data).hexdigest()


def differences(before: dict[str, dict[str, str]], after: dict[str, dict[str, str]]) -> int:
    """Print what differs, and what failed; return 1 where anything does or did."""
    wrong = 0
    for name, files in after.items():
        old = before.get(name, {})
        bad = sorted(key for key in {*old, *files} if old.get(key) != files.get(key))
        failed = [text for key, text in files.items() if key.startswith("said ")]
        wrong += bool(bad or failed)
        print(
            f"{name}: {len(files) - len(bad)} of {len(files)} equal"
            + "".join(f"\n  differs: {name}" for name in bad)
            + "".join(f"\n  failed: {text}" for text in failed)
        )
    return int(bool(wrong))


if __name__ == "__main__":
    main()

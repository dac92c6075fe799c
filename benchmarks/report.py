"""Every figure of docs/benchmarks.md, measured in one run on an idle machine, about a quarter of an hour.

    python benchmarks/report.py [--rounds 5] [--huge] [--only WORDS] [--write]

Commands run as a user runs them, each in a fresh process, those of one group by turns, so that other load on
the machine meets all of them. The median, the lowest and highest time, and the peak memory are told. After
them come the benchmarks that compare side by side, with what they print. ``--huge`` adds a page of
12 000×16 000 pixels, ``--only`` measures what has these words in its name, ``--write`` writes the page.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import cv2
from commands import measured

from sketchcolor_cli import __version__
from sketchcolor_cli.imaging.picture import Picture, on_paper
from sketchcolor_cli.imaging.reading import read_picture
from sketchcolor_cli.imaging.writing import write_picture

HERE = Path(__file__).parent
EXAMPLES = HERE.parent / "examples" / "pages"
PAGE = HERE.parent / "docs" / "benchmarks.md"
A4 = (1414, 2000)

# What compares side by side, each with its arguments and what it shows.
BESIDE = {
    "page_speed.py 7": "A page of 1600×2300 from file to file, beside the network's own forward pass",
    "books.py": "A book of 40 pages beside its forward passes, and memory at 4 and 40 pages",
    "xdog.py": "XDoG beside the two blurs that it cannot do without",
    "studio.py 8": "The studio: from the request to the last byte",
    "serve.py 10": "Pages a minute over HTTP beside the command line",
    "training.py --only steps --size 64 --rounds 3": "A training step beside the plain recipe",
}


@dataclass
class Command:
    """A command that is run again and again."""

    name: str
    arguments: list[str]
    floor: str = ""
    seconds: list[float] = field(default_factory=list)
    peak: int = 0
    """MiB."""

    def run(self, output: Path) -> None:
        """Run it once, with results in a folder of their own.

        Raises:
            SystemExit: It failed.
        """
        seconds, peak = measured([word.replace("OUT", str(output)) for word in self.arguments])
        self.seconds.append(seconds)
        self.peak = max(self.peak, peak)

    def row(self) -> str:
        """Return its line of the table; the first run, with cold caches, is left out where there are more."""
        times = self.seconds[1:] or self.seconds
        spread = f"{min(times):.2f} to {max(times):.2f}"
        return f"| {self.name} | {statistics.median(times):.2f} | {spread} | {self.peak} | {self.floor} |"


def commands(room: Path, *, huge: bool) -> list[list[Command]]:
    """Return the commands in groups, and draw the pages that they need."""
    page = str(draw(room / "page.png", A4))
    for count in (10, 100):
        for number in range(count):
            draw(room / f"{count}" / f"{number:03}.png", (700, 1000))
    color = ["colorize", page, "-o", "OUT", "--backend"]
    draw_lines = ["extract", page, "-o", "OUT"]
    groups = [
        [
            Command("`--help`", ["--help"], "0.3 s"),
            Command("`colorize`, a page of 1414×2000, ONNX Runtime", [*color, "onnx"], "1.8 s"),
            Command("the same, PyTorch", [*color, "torch"]),
            Command("`extract --method xdog`, the same page", [*draw_lines, "--method", "xdog"], "0.7 s"),
            Command("`extract`, the same page", draw_lines, "3 s, 1024 MiB"),
        ],
        [
            Command(f"`colorize`, {count} pages", ["colorize", f"{room / str(count)}", "-o", "OUT"])
            for count in (10, 100)
        ],
    ]  # fmt: skip
    sizes = {"0.25": (500, 500), "1": (850, 1200), "4": (1700, 2400), "16": (3400, 4800), "64": (6800, 9600)}
    if huge:
        sizes["192"] = (12_000, 16_000)
    grown = [
        Command(
            f"`colorize`, a {pixels}-megapixel page",
            ["colorize", str(draw(room / f"{pixels}.png", size)), "-o", "OUT"],
            "3072 MiB" if pixels == "192" else "",
        )
        for pixels, size in sizes.items()
    ]
    return [*groups, grown]


def draw(path: Path, size: tuple[int, int]) -> Path:
    """Write an example page of another size (width, height), in grey."""
    page = cv2.cvtColor(on_paper(read_picture(min(EXAMPLES.glob("*.png")))), cv2.COLOR_RGB2GRAY)
    page = cv2.resize(page, size, interpolation=cv2.INTER_CUBIC).clip(0, 1)
    path.parent.mkdir(exist_ok=True)
    write_picture(path, Picture(cv2.cvtColor(page, cv2.COLOR_GRAY2RGB), gray=True))
    return path


def measure(groups: list[list[Command]], rounds: int, room: Path) -> None:
    """Run the commands of each group by turns; those over many pages or pixels only twice."""
    for group in groups:
        for turn in range(rounds + 1 if group is groups[0] else 2):
            for number, command in enumerate(group):
                command.run(room / f"out {turn} {number} {len(group)}")


def machine() -> str:
    """Return what was measured, and on what."""
    import torch

    model = platform.processor() or platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").is_file() else []:
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    versions = f"sketchcolor {__version__} · PyTorch {torch.__version__} · Python {platform.python_version()}"
    vectors = torch.backends.cpu.get_cpu_capability()
    cores = f"{os.cpu_count()} cores of {model} with {vectors} · {platform.system()}"
    return f"{versions} · {cores} · load {os.getloadavg()[0]:.1f} at the start · {time.strftime('%Y-%m-%d')}"


def beside(wanted: str) -> list[str]:
    """Run the benchmarks that compare, and return what they print, as sections."""
    sections = []
    for line, about in BESIDE.items():
        if wanted in line:
            name, *arguments = line.split()
            ran = subprocess.run(
                [sys.executable, str(HERE / name), *arguments], capture_output=True, text=True, check=False
            )
            printed = ran.stdout.strip() or ran.stderr.strip().rpartition("\n")[2]
            sections.append(f"## {about}\n\n`python benchmarks/{line}`\n\n```\n{printed}\n```\n")
            print(sections[-1], flush=True)
    return sections


def main() -> None:
    """Measure, print, and write the page where that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--huge", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    about = machine()
    with tempfile.TemporaryDirectory() as scratch:
        room = Path(scratch)
        groups = commands(room, huge=given.huge)
        groups = [[command for command in group if given.only in command.name] for group in groups]
        measure(groups, given.rounds, room)
    rows = [command.row() for group in groups for command in group]
    table = [
        "| work | median, s | lowest and highest | peak memory, MiB | goal |",
        "|---|---|---|---|---|",
        *rows,
    ]
    print(about, *table, sep="\n", flush=True)
    sections = beside(given.only)
    if given.write:
        head = [
            "# Benchmarks",
            "",
            "Written by `python benchmarks/report.py --write`, in one run on a machine without other work.",
            "Times are of this machine; ratios say more. A goal that is not met stands here as it is.",
            "",
            about,
            "",
            "## Commands, each in a fresh process",
            "",
        ]
        PAGE.write_text("\n".join([*head, *table, "", *sections]), encoding="utf-8")


if __name__ == "__main__":
    main()

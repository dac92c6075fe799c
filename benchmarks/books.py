"""Books: pages a minute, how much the files cost beside the network, and memory that does not grow.

    python benchmarks/books.py [--pages N] [--size WxH] [--model M] [--extract] [--large GIB]
                               [--skip-overlap]

By default 40 pages of 1600x2300, the default model, no large book.

- A CBZ of N pages (the example pages enlarged) goes through as the command does it, in this
  process. Every call of the network is timed in the run itself, so that both have the same load on the
  machine: the run should take at most 1.2 times its forwards. Beside it stand those of one page alone.
- A CBZ of 4 pages and one of N go through in processes of their own, whose peak memory is compared.
- With --large, a CBZ of so many GiB: two pages, and one stored entry of zeros.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
import zipfile
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from commands import measured
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sketchcolor_cli.coloring.colorizer import Colorizer, Painted, Prepared
    from sketchcolor_cli.imaging.picture import Picture
    from sketchcolor_cli.jobs.outcome import Outcome

EXAMPLES = Path(__file__).parent.parent / "examples" / "pages"


def make_book(path: Path, count: int, size: tuple[int, int], filler: int = 0) -> Path:
    with zipfile.ZipFile(path, "w") as book:
        for number in range(count):
            examples = sorted(EXAMPLES.glob("page*.png"))
            page = Image.open(examples[number % len(examples)]).convert("L").resize(size)
            file = BytesIO()
            page.save(file, "JPEG", quality=92)
            book.writestr(f"page {number + 1}.jpg", file.getvalue())
        if filler:
            with book.open("extra.bin", "w", force_zip64=True) as entry:
                for _ in range(filler // 2**20):
                    entry.write(bytes(2**20))
    return path


def run(source: Path, output: Path, model: str | None) -> tuple[float, int]:
    """Return seconds and peak memory in MiB of colorize, or without a model of extract, run by itself."""
    how = ["extract"] if model is None else ["colorize", "--model", model]
    return measured([*how, source, "-o", output, "--device", "cpu"])


def overlap(book: Path, output: Path, model: str) -> None:
    """Time the network's calls within a run over a book."""
    from sketchcolor_cli.environment import prepare_process

    prepare_process()  # as the command does, before torch is imported
    from sketchcolor_cli.coloring.colorizer import Colorizer
    from sketchcolor_cli.environment import model_file
    from sketchcolor_cli.networks.base import ColorNet
    from sketchcolor_cli.networks.checkpoint import load_model

    network, _ = load_model(model_file(model), ColorNet)
    forwards: list[float] = []
    began: list[float] = []
    network.register_forward_pre_hook(lambda *_: began.append(time.perf_counter()))
    network.register_forward_hook(lambda *_: forwards.append(time.perf_counter() - began.pop()))
    color = Colorizer(network, "cpu")
    alone = forward_of_one_page(color, book, forwards)
    forwards.clear()
    result, painting = colored(color, book, output)
    count = len(result.done)
    rate = 60 * count / result.seconds
    print(f"{count} pages: {result.seconds:.1f} s, {rate:.1f} a minute", flush=True)
    print(f"  the run took {result.seconds / painting:.2f} times its painting, the network in it")
    print(f"  the run took {result.seconds / sum(forwards):.2f} times its {len(forwards)} forwards")
    print(f"  and {result.seconds / (count * alone):.2f} times {count} forwards of {alone:.2f} s alone")
    files = result.seconds - painting
    print(f"  files cost {files / count:.2f} s a page that the computing did not hide")


def forward_of_one_page(color: Colorizer, book: Path, forwards: list[float]) -> float:
    """Return the median seconds that the network takes for the first page, with nothing else going on."""
    from sketchcolor_cli.files.books.opening import open_book
    from sketchcolor_cli.imaging.reading import read_picture

    with open_book(book) as opened, tempfile.NamedTemporaryFile() as file:
        file.write(b"".join(opened.chunks(opened.pages[0])))
        file.flush()
        page = read_picture(Path(file.name))
    for _ in range(2):
        color(page)
    alone = []
    for _ in range(5):
        forwards.clear()
        color(page)
        alone.append(sum(forwards))
    return statistics.median(alone)


def colored(color: Colorizer, book: Path, output: Path) -> tuple[Outcome, float]:
    """Colour a book as the command does; return what became of it, and the seconds that painting took."""
    from sketchcolor_cli.coloring.extras.outputs import with_extras
    from sketchcolor_cli.coloring.settings import Extras
    from sketchcolor_cli.files.books.opening import open_book
    from sketchcolor_cli.files.worklist import Job
    from sketchcolor_cli.imaging.reading import read_picture
    from sketchcolor_cli.jobs.journal import Journal
    from sketchcolor_cli.jobs.pipeline import Steps
    from sketchcolor_cli.jobs.plan import Planner
    from sketchcolor_cli.jobs.run import Runner
    from sketchcolor_cli.jobs.settings import Existing

    painting: list[float] = []

    def read(job: Job) -> tuple[Picture, Prepared]:
        picture = read_picture(job.reads, job.source)
        return picture, color.prepare(picture)

    def paint(pages: Sequence[tuple[Picture, Prepared]]) -> list[tuple[Picture, Painted]]:
        start = time.perf_counter()
        done = [(page, color.paint(page, prepared=prepared)) for page, prepared in pages]
        painting.append(time.perf_counter() - start)
        return done

    def write(job: Job, done: tuple[Picture, Painted]) -> None:
        with_extras(*done, (), Extras()).write(job.writes, name=job.target)

    steps = Steps(read, paint, write, weight=lambda page: page[0].nbytes + page[1].nbytes, writers=2)
    with Journal(output) as journal:
        planner = Planner(output, journal, Existing.ERROR, lambda _: "", open_book)
        plan = planner.plan([Job(book, output / book.name)])
    return Runner(output, steps, open_book, lambda _: None, lambda _: None).run(plan), sum(painting)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pages", type=int, default=40)
    parser.add_argument("--size", default="1600x2300")
    parser.add_argument("--model", default="default")
    parser.add_argument("--extract", action="store_true", help="measure memory of extract, with XDoG")
    parser.add_argument("--large", type=float, default=0)
    parser.add_argument("--skip-overlap", action="store_true")
    asked = parser.parse_args()
    width, height = map(int, asked.size.split("x"))
    size = width, height
    print(f"model {asked.model}, pages of {asked.size}")
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors, numpy {np.__version__}")
    with tempfile.TemporaryDirectory() as scratch:
        room = Path(scratch)
        if not asked.skip_overlap:
            overlap(make_book(room / "book.cbz", asked.pages, size), room / "out", asked.model)
        peaks = []
        model = None if asked.extract else asked.model
        for count in (4, asked.pages):
            book = make_book(room / f"{count} pages.cbz", count, size)
            seconds, peak = run(book, room / f"out {count}", model)
            peaks.append(peak)
            print(
                f"{count} pages in a process of their own: {seconds:.1f} s, peak memory {peak} MiB",
                flush=True,
            )
        print(f"  {peaks[1] / peaks[0] - 1:+.1%} memory for {asked.pages} pages instead of 4")
        if asked.large:
            book = make_book(room / "large.cbz", 2, size, round(asked.large * 2**30))
            seconds, peak = run(book, room / "out large", model)
            made = (room / "out large" / book.name).stat().st_size / 2**30
            given = book.stat().st_size / 2**30
            print(f"{given:.1f} GiB CBZ: {seconds:.1f} s, peak memory {peak} MiB, {made:.1f} GiB come out")


if __name__ == "__main__":
    main()

"""Sets of pictures to learn from: choosing, packing, checking and reviewing them, a call each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path  # noqa: TC003  (the fields' types are looked up)
from typing import TYPE_CHECKING

from sketchcolor_cli import environment
from sketchcolor_cli.compute import devices
from sketchcolor_cli.data.settings import PrepareSettings, ReviewSettings
from sketchcolor_cli.errors import DataError
from sketchcolor_cli.files.regular import read_bytes
from sketchcolor_cli.jobs.outcome import Loading, silent
from sketchcolor_cli.jobs.progress import Step
from sketchcolor_cli.jobs.settings import (
    data_argument,
    device_setting,
    inputs_argument,
    method_setting,
    model_setting,
    ray_setting,
)
from sketchcolor_cli.jobs.sketches import array_sketcher
from sketchcolor_cli.settings import REQUIRED, Settings, argument, part, setting

if TYPE_CHECKING:
    from sketchcolor_cli.data.check import Contents
    from sketchcolor_cli.data.danbooru import FilterResult
    from sketchcolor_cli.data.prepare import Prepared
    from sketchcolor_cli.data.review import Review
    from sketchcolor_cli.jobs.progress import Progress

REVIEW, SCORES = "review.html", "scores.csv"
"""The files of a review."""
_FEW = 4  # pictures that a worker on Ray is given at a time


@dataclass(frozen=True)
class DanbooruRequest(Settings):
    """Which of Danbooru's records are chosen."""

    metadata: tuple[Path, ...] = argument(
        "Danbooru's metadata, one line of JSON for each picture; .gz, .xz too.", metavar="METADATA"
    )
    output: Path = setting(
        REQUIRED, "Folder for kept.txt, files.txt and counts.json.", short="-o", stored=False
    )
    rules: Path | None = setting(
        None, "TOML file of rules, instead of the thesis's, which `dataset rules` prints."
    )


@dataclass(frozen=True)
class DatasetPrepareRequest(Settings):
    """Which pictures are packed into shards, and how."""

    inputs: tuple[Path, ...] = inputs_argument()
    output: Path = setting(REQUIRED, "Folder for the shards and their tables.", short="-o", stored=False)
    settings: PrepareSettings = part(PrepareSettings)
    lines: Path | None = setting(
        None, "Folder with line drawings of the same names, for some or all.", stored=False
    )
    exclude: Path | None = setting(
        None, "List of names to leave out, one to a line, as `dataset review` saves it.", stored=False
    )
    licence: str = setting("", "Licence of all pictures, such as CC-BY-4.0.")
    attribution: Path | None = setting(
        None, "CSV with a column file, and any of licence, author, source, group for each picture.",
        stored=False,
    )  # fmt: skip
    workers: int = setting(
        2,
        "Pictures that are decoded at the same time; with --ray, how many workers.",
        least=1,
        matters=False,
    )
    resume: bool = setting(
        False,
        "Go on where a run stopped: shards that are there stay as they are, and the rest is packed.",
        stored=False,
        matters=False,
    )
    ray: str | None = ray_setting()


@dataclass(frozen=True)
class DatasetCheckRequest(Settings):
    """Which set is looked at."""

    data: str = data_argument()
    output: Path | None = setting(
        None, "Page (.html) with the most and the least colourful pictures.", short="-o", stored=False
    )


@dataclass(frozen=True)
class DatasetReviewRequest(Settings):
    """Which pictures a model judges."""

    data: str = data_argument()
    output: Path = setting(REQUIRED, f"Folder for {REVIEW} and {SCORES}.", short="-o", stored=False)
    model: str = model_setting()
    method: str = method_setting()
    settings: ReviewSettings = part(ReviewSettings)
    device: str = device_setting()


def filter_danbooru(request: DanbooruRequest, progress: Progress = silent) -> FilterResult:
    """Choose pictures by Danbooru's metadata, by default by the rules of the thesis.

    Args:
        request: The metadata, the rules, and where the lists go.
        progress: Is told how many records are read, and how many kept.

    Returns:
        How many records each rule drops.

    Raises:
        DataError: A file is missing or damaged, or the lists cannot be written.
    """
    from sketchcolor_cli.data import danbooru

    return danbooru.filter_danbooru(
        request.metadata,
        danbooru.read_rules(request.rules or danbooru.DEFAULT_RULES),
        request.output,
        report=lambda records, kept: progress(Step("reading", records, detail=f"{kept} kept")),
    )


def prepare_dataset(request: DatasetPrepareRequest, progress: Progress = silent) -> Prepared:
    """Pack pictures into shards for training: each decoded once, resized, or dropped if it is of no use.

    Args:
        request: The pictures and books, and where the shards go.
        progress: Is told how many pictures are done.

    Returns:
        How many were packed, and what was dropped and why.

    Raises:
        DataError: There are shards already, a list cannot be read, or nothing can be written.
        WorklistError: There is no such file or folder, or no picture.
        UsageError: Ray is not installed, or there is no cluster at this address.
        WorkerError: The worker of a picture was lost again and again.
    """
    progress(Loading())
    from sketchcolor_cli.compute.executor import Threads
    from sketchcolor_cli.data import prepare  # imports torch
    from sketchcolor_cli.jobs.executors import executor

    excluded = _listed(request.exclude)
    named = prepare.read_attribution(request.attribution) if request.attribution else {}
    sources = prepare.find_sources(request.inputs, request.output, lines=request.lines, exclude=excluded)
    here = Threads(request.workers)
    with executor(request.ray, here, request.workers, _FEW, gpus=False) as chosen:
        return prepare.prepare(
            sources,
            request.output,
            request.settings,
            attribution=prepare.Attribution(request.licence, named),
            resume=request.resume,
            executor=chosen,
            report=lambda done, total: progress(Step("packing", done, total)),
        )


def check_dataset(request: DatasetCheckRequest, progress: Progress = silent) -> Contents:
    """Say what is in a set: sizes, licences, sources, groups, lines, colourfulness, and what cannot be read.

    Args:
        request: The set, and where a page of examples goes.
        progress: Is told how many pictures are read.

    Raises:
        DataError: No picture can be read, or a shard is missing or damaged.
        WorklistError: There is no such folder, or no picture.
    """
    progress(Loading())
    from sketchcolor_cli.data.check import check, html_contents  # imports torch
    from sketchcolor_cli.data.opening import open_pictures
    from sketchcolor_cli.files import html

    pictures = open_pictures([request.data])
    found = check(pictures, report=lambda done, total: progress(Step("reading", done, total)))
    if request.output is not None:
        html.write_text(request.output, html_contents(found, request.data))
    return found


def review_dataset(request: DatasetReviewRequest, progress: Progress = silent) -> Review:
    """Let a model judge pictures that it has not seen, and put the most suspicious on a page with checkboxes.

    Args:
        request: The pictures, the model, and where the page goes.
        progress: Is told how many pictures are judged.

    Returns:
        The scores, the most suspicious first.

    Raises:
        DataError: No picture can be read, or a shard is missing or damaged.
        CheckpointError: The model is missing or damaged.
    """
    progress(Loading())
    device = devices.resolve(request.device)
    from sketchcolor_cli.coloring.arrays import ArrayColorizer  # imports torch
    from sketchcolor_cli.data.opening import open_pictures
    from sketchcolor_cli.data.review import html_review, review, scores_csv
    from sketchcolor_cli.files import html
    from sketchcolor_cli.networks.base import ColorNet
    from sketchcolor_cli.networks.checkpoint import load_model

    pictures = open_pictures([request.data])
    found = review(
        pictures,
        ArrayColorizer(load_model(environment.model_file(request.model), ColorNet)[0], device),
        array_sketcher(request.method, device),
        request.settings,
        report=lambda done, total: progress(Step(f"judging on {device}", done, total)),
    )
    html.write_text(request.output / SCORES, scores_csv(found))
    html.write_text(request.output / REVIEW, html_review(found, pictures, request.settings))
    return found


def _listed(path: Path | None) -> list[str]:
    if path is None:
        return []
    try:
        return read_bytes(path).decode().splitlines()
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: cannot be read as a list of names; save it as UTF-8") from error

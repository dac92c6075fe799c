"""``sketchcolor evaluate``: everything one needs to compare colour models."""

from __future__ import annotations

import hashlib
import tempfile
from enum import StrEnum
from json import dumps
from pathlib import Path  # noqa: TC003  (Typer reads the annotations)
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from sketchcolor_cli import environment
from sketchcolor_cli.cli import options, printing
from sketchcolor_cli.compute import devices
from sketchcolor_cli.errors import UsageError, WeightError
from sketchcolor_cli.evaluation.settings import ENOUGH, EvaluateSettings, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from sketchcolor_cli.evaluation.models.run import Contender, Evaluation, FeatureSet, PairFigure
    from sketchcolor_cli.weights.spec import WeightFile


class Choice(StrEnum):
    """The protocols, and all of them."""

    REFERENCE = "reference"
    POINTS = "points"
    NONE = "none"
    OTHER = "other"
    ALL = "all"


@options.told
def evaluate(
    data: Annotated[
        str,
        typer.Option(
            help="Coloured pictures: a folder, in which each subfolder is a group of like pictures, or "
            "shards such as `val-{000000..000003}.tar`."
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for evaluation.json and report.html.")
    ],
    model: options.Model = "default",
    compare: Annotated[
        list[str] | None,
        typer.Option(help="Another model, put side by side with the first; may be given several times."),
    ] = None,
    protocol: Annotated[
        list[Choice] | None,
        typer.Option(
            help="What models see beside the sketch: reference (the truth at 96×96 pixels), points (colours "
            "at random places), other (another picture of the same group), none, or all; may be given "
            "several times."
        ),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(help="The most pictures, drawn at random by the seed; all when left out.")
    ] = EvaluateSettings.limit,
    points: Annotated[
        int, typer.Option(help="Colour points in the protocol of points.")
    ] = EvaluateSettings.points,
    short_side: Annotated[
        int, typer.Option(help="Larger pictures are first brought down to this shorter side, in pixels.")
    ] = EvaluateSettings.short_side,
    stability: Annotated[
        int,
        typer.Option(help="Pictures for which working sizes of 384 and 768 are compared, which takes long."),
    ] = EvaluateSettings.stability_limit,
    sketches: Annotated[
        Path | None,
        typer.Option(help="Folder with a sketch of the same name for each picture of the folder --data."),
    ] = None,
    method: Annotated[
        str, typer.Option("--method", "-m", help="Extractor that draws the sketches that the data lacks.")
    ] = "xdog",
    weights: Annotated[
        Path | None,
        typer.Option(help="File of the FID network, instead of the one that `sketchcolor weights` keeps."),
    ] = None,
    no_fid: Annotated[bool, typer.Option("--no-fid", help="Leave FID and KID out, which take long.")] = False,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = EvaluateSettings.seed,
    device: options.Device = "auto",
    json: options.Json = False,
) -> int:
    """Evaluate a colour model under protocols that are written down, and compare it with others.

    Writes evaluation.json, with every figure of every picture and all that is needed to measure again, and
    report.html, one page with tables, plots and pictures. Figures are the same for the same models, data and
    seed, apart from times. The exit code is 1 if a picture could not be read.

    Example: `sketchcolor evaluate --model default --data val-000000.tar --protocol all -o evaluation/`
    """
    if limit is not None and limit < 1:
        raise UsageError("--limit must be at least 1")
    if points < 1 or short_side < 32 or stability < 0:
        raise UsageError("--points must be at least 1, --short-side 32, --stability 0")
    settings = EvaluateSettings(
        protocols=_protocols(protocol or [Choice.ALL]),
        limit=limit,
        short_side=short_side,
        points=points,
        stability_limit=stability,
        seed=seed,
    )
    _require_writable(output)  # or hours of work would end there
    network = None if no_fid else _fid_weights(weights)
    with options.loading():
        device = devices.resolve(device)
        from sketchcolor_cli.cli.wiring import array_sketcher
        from sketchcolor_cli.data.opening import open_pictures
        from sketchcolor_cli.evaluation.models import run  # imports torch
        from sketchcolor_cli.evaluation.models.samples import Samples

        pictures = open_pictures([data], sketches=sketches)
        samples = Samples(pictures, array_sketcher(method, device), short_side)
        contenders = [_contender(name, device) for name in [model, *(compare or ())]]
        features, pairs = _features(network, device), _pairs(_lpips_weights(), device)
    with printing.progress("pictures") as bar:
        task = bar.add_task(f"evaluating on {device}", total=None, detail="")
        found = run.evaluate(
            contenders,
            samples,
            settings,
            features=features,
            pairs=pairs,
            report=lambda done, total: bar.update(task, completed=done, total=total),
        )
    found.protocol |= {"extractor": method, "device": device, "peak_memory_gb": _peak_memory()}
    return _tell(found, output, as_json=json)


def _require_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UsageError(
            f"--output {folder}: cannot be written ({error.strerror}); choose a writable folder"
        ) from error


def _protocols(chosen: list[Choice]) -> tuple[Protocol, ...]:
    if Choice.ALL in chosen:
        return EvaluateSettings.protocols
    return tuple(one for one in Protocol if one in [str(choice) for choice in chosen])


def _fid_weights(given: Path | None) -> Path | None:
    """Return the file of the FID network; without it the rest is measured all the same."""
    if given is not None:
        if not given.is_file():
            raise UsageError(f"{given}: no such file; check the path of the weights")
        return given
    from sketchcolor_cli.weights.builtin import FID_INCEPTION

    found = _stored([FID_INCEPTION], "FID and KID are")
    return found[0] if found else None


def _lpips_weights() -> list[Path] | None:
    """Return the files of the two parts of LPIPS; without them the rest is measured all the same."""
    from sketchcolor_cli.weights.builtin import LPIPS_HEADS, LPIPS_TRUNK

    return _stored([LPIPS_TRUNK, LPIPS_HEADS], "LPIPS is")


def _stored(files: Sequence[WeightFile], figures_are: str) -> list[Path] | None:
    """Return where weights lie; where some lack None, after a line that tells what is left out."""
    store = environment.weight_store()
    try:
        store.require(files)
    except WeightError as problem:
        printing.note(f"note: {figures_are} left out; {problem}")
        return None
    return [store.find(file) for file in files]


def _contender(name: str, device: str) -> Contender:
    from sketchcolor_cli.coloring.arrays import ArrayColorizer
    from sketchcolor_cli.coloring.models import load_color_model
    from sketchcolor_cli.evaluation.models.run import Contender

    path = environment.model_file(name)
    network, info = load_color_model(path)
    about = {
        "architecture": info.architecture,
        "parameters": sum(one.numel() for one in network.parameters()),
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }
    # every run of training writes its model.safetensors, so that the run's folder says more
    run = path.resolve().parent.name
    return Contender(
        run if path.stem == "model" and run else path.stem, ArrayColorizer(network, device), about
    )


def _features(network: Path | None, device: str) -> list[FeatureSet]:
    from sketchcolor_cli.evaluation.models.bundled import BundledFeatures
    from sketchcolor_cli.evaluation.models.run import FeatureSet

    bundled = BundledFeatures()
    found = [FeatureSet(bundled.name, "frechet", bundled)]
    if network is not None:
        from sketchcolor_cli.evaluation.fid.features import FidFeatures

        inception = FidFeatures(network, device=device)
        found.append(FeatureSet(inception.name, "fid", inception))
    return found


def _pairs(files: Sequence[Path] | None, device: str) -> list[PairFigure]:
    if files is None:
        return []
    import torch

    from sketchcolor_cli.evaluation.models.lpips import NAME, load_lpips
    from sketchcolor_cli.evaluation.models.run import PairFigure
    from sketchcolor_cli.imaging.images import to_tensor

    trunk, heads = files
    distance = load_lpips(trunk, heads, device)

    @torch.inference_mode()
    def see(result: NDArray[np.float32], truth: NDArray[np.float32]) -> float:
        return float(distance(to_tensor(result).to(device), to_tensor(truth).to(device)))

    return [PairFigure(NAME, "lpips", see)]


def _peak_memory() -> float | None:
    """Return the most memory that this process has had, in GB; None where the system does not say."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    import sys

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(most / (1e9 if sys.platform == "darwin" else 1e6), 3)


def _tell(found: Evaluation, output: Path, *, as_json: bool) -> int:
    from sketchcolor_cli.evaluation.models.report import html_report
    from sketchcolor_cli.files import html

    html.write_text(output / "evaluation.json", dumps(found.to_json(), indent=1) + "\n")
    html.write_text(output / "report.html", html_report(found))
    if "fid" in found.protocol["features"] and found.protocol["pictures"] < ENOUGH:
        printing.note(
            f"note: FID of {found.protocol['pictures']} pictures is too large; compare it with that of as "
            "many only, or compare KID, which has no such bias"
        )
    for name, message in found.unreadable:
        printing.note(f"left out: {name}: {message}")
    if as_json:
        printing.emit_json({key: value for key, value in found.to_json().items() if key != "pictures"})
    else:
        _tables(found)
    count = found.protocol["pictures"]
    printing.note(f"{count} picture{'' if count == 1 else 's'}; look at {output / 'report.html'}")
    return 1 if found.unreadable else 0


def _tables(found: Evaluation) -> None:
    from sketchcolor_cli.evaluation.models.report import row_of

    for kind in found.protocol["protocols"]:
        columns = {model: row_of(found, model, kind) for model in found.models}
        labels = list(dict.fromkeys(label for column in columns.values() for label in column))
        if not labels:
            printing.note(f"{kind}: no picture allows this protocol")
            continue
        table = Table(f"protocol {kind}", *columns)
        for label in labels:
            table.add_row(label, *(column.get(label, "–") for column in columns.values()))
        printing.stdout().print(table)

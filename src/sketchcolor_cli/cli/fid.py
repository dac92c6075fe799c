"""``sketchcolor fid``: the Fréchet inception distance of two sets of pictures."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from sketchcolor_cli import environment
from sketchcolor_cli.cli import options, printing
from sketchcolor_cli.compute import devices
from sketchcolor_cli.errors import ImageError, UsageError, WeightError
from sketchcolor_cli.evaluation.settings import DIMS, FidSettings, Resize

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    from numpy.typing import NDArray

    from sketchcolor_cli.evaluation.fid.fid import FidReport, Made
    from sketchcolor_cli.evaluation.fid.inception import FidInception


@options.told
def fid(
    real: Annotated[
        Path,
        typer.Argument(
            metavar="REAL",
            help="Real pictures: a folder with all its subfolders, a ZIP or CBZ, or .npz statistics.",
        ),
    ],
    generated: Annotated[
        Path | None,
        typer.Argument(
            metavar="[GENERATED]",
            help="Generated pictures, in the same forms; left out with --model or --save-stats.",
        ),
    ] = None,
    dims: Annotated[
        int, typer.Option(help="Features of a picture: 64, 192, 768 or 2048. FID as in papers is 2048.")
    ] = FidSettings.dims,
    batch_size: Annotated[
        int, typer.Option(help="Pictures that the network sees at once; the value does not depend on it.")
    ] = FidSettings.batch_size,
    mode: Annotated[
        Resize,
        typer.Option(
            help="How pictures are resized: pytorch is bilinear as in pytorch-fid, pixel for pixel; clean is "
            "bicubic with antialiasing as in clean-fid. Values of different modes cannot be compared."
        ),
    ] = FidSettings.mode,
    device: options.Device = "auto",
    save_stats: Annotated[
        Path | None,
        typer.Option(help="Write the statistics of REAL to this .npz file, which pytorch-fid reads as well."),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(help="Colour --sketches with this model, by name or file, instead of GENERATED."),
    ] = None,
    sketches: Annotated[
        Path | None, typer.Option(help="With --model: the folder of sketches to be coloured.")
    ] = None,
    reference: Annotated[
        str,
        typer.Option(
            metavar="truth|none|DIR",
            help="With --model: what the model sees beside a sketch. truth is the picture of the same name "
            "in REAL at 96×96 pixels, which is how the thesis measured; DIR is a folder with rough "
            "colourings of the same names.",
        ),
    ] = "none",
    weights: Annotated[
        Path | None,
        typer.Option(
            help="File of the network's weights, instead of those that `sketchcolor weights` keeps."
        ),
    ] = None,
    no_cache: Annotated[
        bool, typer.Option("--no-cache", help="Measure anew, and keep no statistics for the next time.")
    ] = False,
    json: options.Json = False,
) -> int:
    """Measure FID, the Fréchet inception distance: the lower, the more two sets of pictures look alike.

    Values are those of pytorch-fid, and are kept by the pictures' content, so that a set is measured once.
    Pictures may have any size and format; those that cannot be read are named and left out, and the exit code
    is then 1. Of small sets KID with its standard error is given as well.

    Example: `sketchcolor fid originals/ colored/`
    """
    made = _check(real, generated, dims, batch_size, save_stats, model, sketches)
    settings = FidSettings(dims=dims, batch_size=batch_size, mode=mode)
    find = _finder(weights, [one for one in (real, generated) if one], made=made)
    from sketchcolor_cli.evaluation.fid.fid import FidMeter  # imports NumPy and SciPy
    from sketchcolor_cli.evaluation.fid.statistics import StatisticsCache

    cache = StatisticsCache(None if no_cache else environment.cache_folder() / "fid")
    with printing.progress("pictures") as bar:
        task = bar.add_task("measuring", total=None, detail="")
        path, checksum = find()

        def load() -> FidInception:
            if path is None:
                raise WeightError("the weights of the network are needed to measure pictures")
            with options.loading():
                where = devices.resolve(device)
                from sketchcolor_cli.evaluation.fid.inception import load_inception  # imports torch

                return load_inception(path, dims, where)

        meter = FidMeter(
            settings,
            load,
            checksum,
            cache=cache,
            report=lambda done, total: bar.update(task, completed=done, total=total),
        )
        if save_stats is not None:
            saved, unreadable = meter.save(real, save_stats)
            printing.note(f"statistics of {real} are in {save_stats}")
        source: Path | Made | None = generated
        if model is not None and sketches is not None:
            source = _colored(model, sketches, reference, real, device)
        report = meter.distance(real, source) if source is not None else None
    if report is None:
        _name(unreadable)
        if json:
            count = saved.moments.count
            facts = {"statistics": str(save_stats), "n_real": count, "about": dict(saved.about or {})}
            printing.emit_json(
                {**facts, "unreadable": [{"name": name, "message": text} for name, text in unreadable]}
            )
        return 1 if unreadable else 0
    return _tell(report, _about_model(model, reference), as_json=json)


def _about_model(model: str | None, reference: str) -> dict[str, Any]:
    """Return what must be known beside a distance to pictures that a model made."""
    if model is None:
        return {}
    path = environment.model_file(model)
    checksum = hashlib.sha256(path.read_bytes()).hexdigest()
    return {"model": path.stem, "model_sha256": checksum, "reference": reference}


def _name(unreadable: list[tuple[str, str]]) -> None:
    for name, message in unreadable:
        printing.note(f"left out: {name}: {message}")


def _check(
    real: Path,
    generated: Path | None,
    dims: int,
    batch_size: int,
    save_stats: Path | None,
    model: str | None,
    sketches: Path | None,
) -> bool:
    """Refuse what makes no sense, and return whether pictures are made by a model."""
    if dims not in DIMS:
        raise UsageError(f"--dims {dims}: use one of {', '.join(map(str, DIMS))}")
    if batch_size < 1:
        raise UsageError("--batch-size must be at least 1")
    if (model is None) != (sketches is None):
        raise UsageError("--model and --sketches go together")
    if model is not None and generated is not None:
        raise UsageError("give either GENERATED, or --model and --sketches")
    if model is None and generated is None and save_stats is None:
        raise UsageError("name the generated pictures too, or --model and --sketches, or --save-stats")
    if save_stats is not None and save_stats.suffix.lower() != ".npz":
        raise UsageError(f"--save-stats {save_stats}: choose a name that ends in .npz")
    for path in (real, generated, sketches):
        if path is not None and not path.exists():
            raise UsageError(f"{path}: no such folder or file; check the name")
    return model is not None


def _finder(weights: Path | None, sides: list[Path], *, made: bool) -> Callable[[], tuple[Path | None, str]]:
    """Return what gives the file of weights and its checksum; statistics alone need none."""
    if not made and all(side.suffix.lower() == ".npz" for side in sides):
        return lambda: (None, "")
    if weights is not None:
        if not weights.is_file():
            raise WeightError(f"{weights}: no such file; check the path of the weights")
        given = weights
        return lambda: (given, _checksum(given))
    from sketchcolor_cli.weights.builtin import FID_INCEPTION

    store = environment.weight_store()
    store.require([FID_INCEPTION])

    def find() -> tuple[Path, str]:
        path = store.find(FID_INCEPTION)
        return path, f"tensors:{store.record(FID_INCEPTION).digest}"

    return find


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return f"file:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def _colored(model: str, sketches: Path, reference: str, real: Path, device: str) -> Made:
    """Return the sketches as the model colours them, one by one."""
    with options.loading():
        from sketchcolor_cli.coloring.colorizer import Colorizer  # imports torch
        from sketchcolor_cli.coloring.models import load_color_model
        from sketchcolor_cli.coloring.settings import ColoredPages, ColorizeSettings
        from sketchcolor_cli.data.pictures import to_bytes
        from sketchcolor_cli.evaluation.fid.fid import Made
        from sketchcolor_cli.evaluation.models.protocols import rough
        from sketchcolor_cli.files.worklist import build_worklist
        from sketchcolor_cli.imaging.images import Picture, on_paper, read_picture

        network, _ = load_color_model(environment.model_file(model))
        # A scan on tinted paper, or the originals by mistake, must not be measured as they are.
        settings = ColorizeSettings(colored_pages=ColoredPages.REDO)
        color = Colorizer(network, devices.resolve(device), settings)
    pages = build_worklist([sketches], sketches / ".nowhere")
    folder = {"truth": real, "none": None}.get(reference, Path(reference))
    files: dict[Path, Path] = {}
    if folder is not None:
        if not folder.is_dir():
            raise UsageError(f"--reference {reference}: {folder} is not a folder")
        files = {
            job.source.relative_to(folder).with_suffix(""): job.source
            for job in build_worklist([folder], folder / ".nowhere")
        }
        missing = [job.source for job in pages if _stem(job.source, sketches) not in files]
        if missing:
            raise UsageError(f"{folder}: no reference for {len(missing)} sketches, such as {missing[0].name}")

    unreadable: list[tuple[str, str]] = []

    def make() -> Iterator[NDArray[np.uint8]]:
        for job in pages:
            found = files.get(_stem(job.source, sketches))
            try:
                page, given = read_picture(job.source), read_picture(found) if found else None
            except ImageError as error:
                unreadable.append((job.source.relative_to(sketches).as_posix(), str(error)))
                continue
            if given is not None and reference == "truth":
                given = Picture(rough(on_paper(given)))
            yield to_bytes(color(page, given).rgb)

    return Made(len(pages), make, unreadable)


def _stem(path: Path, folder: Path) -> Path:
    return path.relative_to(folder).with_suffix("")


def _tell(report: FidReport, made_by: dict[str, Any], *, as_json: bool) -> int:
    for warning in report.warnings:
        printing.note(f"note: {warning}")
    _name(report.unreadable)
    if as_json:
        printing.emit_json({**report.to_json(), **made_by})
    else:
        table = Table("", "", show_header=False, box=None)
        table.add_row(
            "FID" if report.features.endswith(" 2048 numbers") else "Fréchet distance", f"{report.fid:.4f}"
        )
        if report.kid is not None and report.kid_error is not None:
            table.add_row("KID × 1000", f"{1000 * report.kid:.3f} ± {1000 * report.kid_error:.3f}")
        table.add_row("real pictures", str(report.n_real or "unknown"))
        table.add_row("generated pictures", str(report.n_generated or "unknown"))
        table.add_row("features", report.features)
        table.add_row("resized", report.resize)
        if made_by:
            table.add_row("model", f"{made_by['model']}, reference {made_by['reference']}")
        printing.stdout().print(table)
    return 1 if report.unreadable else 0

"""Writing a colour model or an extractor as an ONNX file."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path  # noqa: TC003  (the fields' types are looked up)
from typing import TYPE_CHECKING, Any

from sketchcolor_cli import __version__, environment
from sketchcolor_cli.errors import CheckpointError, UsageError

if TYPE_CHECKING:
    from sketchcolor_cli.networks.exportable import Exportable


@dataclass(frozen=True)
class Exported:
    """An ONNX file that was written.

    Attributes:
        path: The file.
        difference: How far its answers were from the network's at most, in the units of its outputs.
        inputs: What it takes, by name: the shape, with a name for a side of any length.
        outputs: What it returns, likewise.
    """

    path: Path
    difference: float
    inputs: dict[str, list[int | str]] = field(default_factory=dict)
    outputs: dict[str, list[int | str]] = field(default_factory=dict)


def export(name: str, output: Path, *, half: bool = False, overwrite: bool = False) -> Exported:
    """Write a colour model, or an extractor with its default parameters, as an ONNX file.

    >>> from pathlib import Path
    >>> export("default", Path("default.onnx")).difference < 1e-3
    True

    Args:
        name: Name of a model, path of a model file, or name of an extractor.
        output: The file to write.
        half: Round weights to 16 bits: a smaller file, which still computes in 32.
        overwrite: Take the place of a file that is there.

    Raises:
        UsageError: The file is there, or is not to be called .onnx.
        CheckpointError: What writes ONNX files is missing; there is neither model nor extractor of this name;
            the network cannot be exported, or the file does not answer as the network does.
        SketchcolorError: Weights are missing, or the file cannot be written.
    """
    if output.suffix.lower() != ".onnx":
        raise UsageError(f"--output {output}: an ONNX file is called NAME.onnx")
    if output.exists() and not overwrite:
        raise UsageError(f"{output}: is there already; use --overwrite, or another name")
    from sketchcolor_cli.networks import export as networks  # imports torch
    from sketchcolor_cli.networks import exportable

    networks.require()
    try:
        path = environment.model_file(name)
    except CheckpointError as problem:
        what = _extractor(name, problem)
    else:
        what = exportable.of_file(path)
    off = networks.export(what, output, half=half)
    return Exported(output, off, *networks.shapes(output))


def _extractor(name: str, problem: CheckpointError) -> Exportable:
    from sketchcolor_cli.extraction.loader import Loader
    from sketchcolor_cli.networks.exportable import of_sketcher
    from sketchcolor_cli.plugin.discovery import find_extractors

    extractors, store = find_extractors(), environment.weight_store()
    if name not in {listing.name for listing in extractors.listings}:
        raise problem
    extractor, weights = extractors.get(name), extractors.weights(name, ())
    store.require(weights)
    drawer = Loader(extractors, find_weight=store.find).load(name)
    if not hasattr(drawer.sketcher, "network"):
        raise CheckpointError(f"{name}: has no network of its own to export")
    about: dict[str, Any] = {
        "extractor": name,
        "parameters": extractor.defaults(),
        "licence": [file.licence for file in weights],
        "version": __version__,
    }
    rule = extractor.size
    return of_sketcher(drawer.sketcher, rule.multiple, rule.minimum, about)

"""The options of ``colorize`` about what a page looks like, and where the parts beside it go."""

from __future__ import annotations

from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sketchcolor_cli.coloring.settings import ColoredPages, Guess, LayerFormat, Protect
from sketchcolor_cli.errors import UsageError
from sketchcolor_cli.files.worklist import BOOK_OF_SUFFIX

if TYPE_CHECKING:
    from sketchcolor_cli.coloring.colorizer import Colorizer
    from sketchcolor_cli.coloring.extras.outputs import Colored
    from sketchcolor_cli.coloring.settings import ColorizeSettings, Parts
    from sketchcolor_cli.files.worklist import Job
    from sketchcolor_cli.imaging.images import Picture
    from sketchcolor_cli.imaging.settings import Saving

References = Annotated[
    list[Path] | None,
    typer.Option(
        "--reference",
        help="Rough colouring of the page, in any size, stretched over it; or a folder with one of the "
        "same name for each page. Where it is transparent it says nothing. May be given several times; the "
        "first counts where they overlap.",
    ),
]
Hints = Annotated[
    list[Path] | None,
    typer.Option(
        "--hints",
        help="Colour strokes or dots painted over the page on a transparent layer (PNG or WebP); or a "
        "folder with one of the same name for each page; or points in a JSON or TOML file. They spread up "
        "to the lines, and count before the reference. May be given several times.",
    ),
]
ProtectOption = Annotated[
    Protect,
    typer.Option(
        "--protect",
        help="What stays paper: gutters (with margins), bubbles (with boxes of text), all or none.",
    ),
]
ColoredPagesOption = Annotated[
    ColoredPages,
    typer.Option(
        "--colored-pages",
        help="Pages that are in colour already: skip copies them as they are, redo colours them anew. Tinted "
        "paper is not colour.",
    ),
]
DebugMasks = Annotated[
    Path | None,
    typer.Option(
        "--debug-masks",
        metavar="DIR",
        help="Also write to this folder each page with what stays paper tinted: gutters green, bubbles red.",
    ),
]
Descreen = Annotated[
    bool,
    typer.Option("--descreen", help="Smooth screentone to an even grey in the result, where it is found."),
]
Palette = Annotated[
    Path | None,
    typer.Option(
        "--palette",
        help="File of colours that results are pulled to: hex colours one to a line (.txt, .hex), or .gpl, "
        ".ase, .aco.",
    ),
]
PaletteStrength = Annotated[
    float,
    typer.Option("--palette-strength", help="How far: 0 leaves colours alone, 1 allows no others."),
]
GuessOption = Annotated[
    Guess,
    typer.Option(
        "--guess",
        help="What areas get that no hint gives a colour: draw gives each one of the colours that the model "
        "holds possible there, mean their cautious mean; auto draws on pages without hints and reference.",
    ),
]
Seed = Annotated[
    int,
    typer.Option("--seed", help="Number by which colours are drawn; the same gives the same colours again."),
]
FlatsOption = Annotated[
    bool,
    typer.Option(
        "--flats",
        help="Also write NAME.flats.png: one flat colour for each region between the lines, grown under "
        "them, without ink and not anti-aliased.",
    ),
]
Layers = Annotated[
    LayerFormat | None,
    typer.Option(
        "--layers",
        help="Also write ink, shading, flats and hints as layers: NAME.ora (OpenRaster), NAME.psd, or PNG "
        "files in NAME.layers.",
    ),
]

Z = Annotated[
    Path | None,
    typer.Option(
        "--z",
        help="File of codes that --save-z wrote: each page gets that of its name, or the only one there is. "
        "Only for models with a code, such as those of the preset thesis.",
    ),
]
SaveZ = Annotated[
    Path | None,
    typer.Option("--save-z", help="Write the code z that the model reads for each page to this JSON file."),
]


class Codes:
    """The codes z of a run: those that pages are given, and those that are kept.

    Raises:
        DataError: A file holds no codes.
    """

    def __init__(self, model: str, given: Path | None, kept: Path | None, output: Path) -> None:
        self.model, self.kept, self.output = model, kept, output
        self._given: dict[str, Any] = {}
        self._kept: dict[str, Any] = {}
        if given is not None or kept is not None:
            from sketchcolor_cli.coloring.latents import read_codes  # imports torch

            self._given = {} if given is None else read_codes(given)
            self._kept = read_codes(kept) if kept is not None and kept.exists() else {}

    def of(self, job: Job) -> Any:
        """Return the code for a page, or None."""
        if not self._given:
            return None
        from sketchcolor_cli.coloring.latents import code_for

        return code_for(self._given, job.target.relative_to(self.output))

    def save(
        self,
        job: Job,
        color: Colorizer,
        page: Picture,
        references: tuple[Picture, ...],
        hints: tuple[Picture, ...],
    ) -> None:
        """Keep the code that the model reads for a page, if asked to.

        Raises:
            UsageError: The model has none.
            ImageError: The file cannot be written.
        """
        if self.kept is None:
            return
        from sketchcolor_cli.coloring.latents import write_codes

        self._kept[job.target.relative_to(self.output).as_posix()] = color.code(page, references, hints)
        write_codes(self.kept, self.model, self._kept)


def check(settings: ColorizeSettings) -> None:
    """Refuse settings that make no sense.

    Raises:
        UsageError: One is out of its range.
    """
    if settings.work_size < 64 or not 0 <= settings.saturation < inf:
        raise UsageError("--work-size must be at least 64, and --saturation at least 0")
    if settings.seed < 0:
        raise UsageError("--seed must be at least 0")
    if not 0 <= settings.palette_strength <= 1:
        raise UsageError("--palette-strength must be from 0 to 1")


def write_page(
    job: Job, done: Colored, output: Path, saving: Saving, parts: Parts, masks: Path | None
) -> dict[str, str] | None:
    """Write a coloured page and what was made beside it; a page that stays as it is, byte for byte.

    Parts of a book's pages go into a folder beside the book. Returns what is worth reporting, if anything.

    Raises:
        ImageError: It cannot be written.
    """
    from sketchcolor_cli.imaging.images import write_picture, write_whole

    if done.kept and job.reads.suffix.lower() == job.writes.suffix.lower():
        write_whole(job.writes, job.reads.read_bytes())
        return {"kept": "in colour already"}
    place = parts_place(job, output)
    if done.masks is not None and masks is not None:
        write_picture((masks / place.relative_to(output)).with_suffix(".png"), done.masks)
    if done.flats is not None:
        write_picture(place.with_suffix(".flats.png"), done.flats)
    if done.layers and parts.layers is not None:
        _write_layers(place, done, parts.layers)
    # Last, as a page whose result is there is not done again, should the run be killed here.
    write_picture(job.writes, done.picture, saving)
    return {"kept": "in colour already"} if done.kept else None


def parts_place(job: Job, output: Path) -> Path:
    """Return the path whose ending parts replace: the result's, or a page's in a folder beside its book."""
    for above in job.target.parents:
        if above == output:
            break
        if above.suffix.lower() in BOOK_OF_SUFFIX:
            return above.with_suffix(".parts") / job.target.relative_to(above)
    return job.target


def _write_layers(place: Path, done: Colored, kind: LayerFormat) -> None:
    import numpy as np

    from sketchcolor_cli.coloring.extras.layers import write_layers

    ending = ".layers" if kind is LayerFormat.PNG else f".{kind}"
    merged = np.rint(done.picture.rgb * 255).astype(np.uint8)
    write_layers(place.with_suffix(ending), done.layers, merged, kind)

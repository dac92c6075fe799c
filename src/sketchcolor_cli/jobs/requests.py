"""What is asked of colorize, extract and explore: one frozen object each, from the terminal to the pixels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path  # noqa: TC003  (the fields' types are looked up)
from typing import TYPE_CHECKING, Any, Protocol, Self, cast

from sketchcolor_cli.coloring.settings import ColoredPages, ColorizeSettings, ExploreSettings, Extras
from sketchcolor_cli.errors import UsageError
from sketchcolor_cli.extraction.settings import Sketching
from sketchcolor_cli.files.books.settings import PdfSettings
from sketchcolor_cli.files.worklist import FORMAT_OF_SUFFIX, is_one_file
from sketchcolor_cli.imaging.settings import Saving
from sketchcolor_cli.jobs.series import find_series, read_series
from sketchcolor_cli.jobs.settings import (
    RunSettings,
    backend_setting,
    device_setting,
    inputs_argument,
    model_setting,
)
from sketchcolor_cli.settings import REQUIRED, Settings, argument, build, part, setting

if TYPE_CHECKING:
    from collections.abc import Mapping

KEEP = "keep"
"""Stands for each picture's own format."""
FORMATS = tuple(suffix[1:] for suffix in FORMAT_OF_SUFFIX)
"""The names of the formats that are written."""

_MIXER = "avg"  # the extractor that --mix stands for
_FILES = "Output files"


def _output() -> Any:
    return setting(
        REQUIRED,
        "Folder for the results; the tree of each input folder is kept below it. For one picture also the "
        "name of a picture file, such as page.png.",
        short="-o",
        stored=False,
        matters=False,
    )


def _format(default: str) -> Any:
    return setting(
        default,
        f"Format of the results: {', '.join(FORMATS)}; or {KEEP} for that of each picture.",
        metavar=f"{KEEP}|NAME",
        choices=(*FORMATS, KEEP),
        parse=lambda text: text.lower().removeprefix("."),
        panel=_FILES,
        matters=False,
    )


def _suffix(name: str) -> str | None:
    """Return the ending that a format stands for; None for each picture's own."""
    return None if name == KEEP else f".{name}"


def _refuse(option: str, others: Mapping[str, bool], why: str) -> None:
    """Refuse an option beside one of the others that is given."""
    for other, given in others.items():
        if given:
            raise UsageError(f"--{option} and --{other} exclude each other: {why}")


class _OfFiles:
    """What requests over many files have in common."""

    inputs: tuple[Path, ...]
    output: Path
    run: RunSettings

    def for_one_file(self) -> Self:
        """Return the request; where one picture goes in and a picture is the output, for that one file."""
        if not is_one_file(self.inputs, self.output):
            return self
        run = replace(self.run, single=self.output)
        return cast("Self", replace(cast("Any", self), output=self.output.parent, run=run))


class FilesRequest(Protocol):
    """What every request over many files says."""

    @property
    def inputs(self) -> tuple[Path, ...]:
        """Pictures, books and folders."""
        ...

    @property
    def output(self) -> Path:
        """The folder for the results."""
        ...

    @property
    def device(self) -> str:
        """Where to compute, as the user said it."""
        ...

    @property
    def suffix(self) -> str | None:
        """The ending of results, or None for each its own."""
        ...

    @property
    def pdf(self) -> PdfSettings:
        """How pages of a PDF become pictures."""
        ...

    @property
    def run(self) -> RunSettings:
        """How the run goes."""
        ...


@dataclass(frozen=True)
class Guides(Settings):
    """What the user gives to guide the colours of pages."""

    references: tuple[Path, ...] = setting(
        (),
        "Rough colouring of the page, in any size, stretched over it; or a folder with one of the same name "
        "for each page. Transparent parts give no colour; the first takes precedence where several overlap.",
        name="reference",
        matters=False,
    )
    hints: tuple[Path, ...] = setting(
        (),
        "Colour strokes or dots painted over the page on a transparent layer (PNG or WebP); or a folder with "
        "one of the same name for each page; or points and strokes in a JSON or TOML file; or a folder with "
        "PAGE.json for each page. They spread up to the lines, and take precedence over references.",
        matters=False,
    )
    masks: Path | None = setting(
        None,
        "Masks painted over pages: a picture, or a folder with one of the same name for a page. White stays "
        "paper, black is coloured whatever is found there; transparent parts leave it as it is found.",
        metavar="DIR",
        matters=False,
    )
    sheets: tuple[Path, ...] = setting(
        (),
        "Another drawing in the right colours, such as a character sheet: the same people or places in any "
        "pose. It applies to all pages.",
        name="sheet",
    )
    palette: Path | None = setting(
        None,
        "File of colours that results are pulled to: hex colours one to a line (.txt, .hex), or .css, "
        ".gpl, .kpl, .pal, .ase, .aco.",
        complete="palettes",
    )
    carry: bool = setting(
        False,
        "Use finished pages as sheets for the pages after them, so characters keep their colours; within a "
        "folder or book, in reading order.",
    )
    sequence: bool = setting(
        False,
        "The pages are frames of an animation. Frames in colour stay as they are; each other frame takes its "
        "colours from the nearest frame in colour before it and after it.",
    )
    latents: Path | None = setting(
        None,
        "File of latent vectors that --save-z wrote: each page gets that of its name, or the only one there "
        "is. Only for models with a latent vector, such as those of the preset thesis.",
        name="z",
    )
    series: Path | None = setting(
        None,
        "Profile of a series, or its folder: model, sheets, references, hints, palette and settings for all "
        "pages. Without it, a series.toml in the one input folder is used. Options take precedence over it.",
        stored=False,
        matters=False,
    )

    @property
    def shows_sheets(self) -> bool:
        """Whether pages may have sheets, given or among themselves."""
        return bool(self.sheets) or self.carry or self.sequence


@dataclass(frozen=True)
class ColorizeRequest(_OfFiles, Settings):
    """Which pages are coloured, how, and where the results go.

    ``ColorizeRequest.of(inputs=["pages"], output="colored", seed=5)`` takes values by the names of their
    options, and reads the profile of a series as the command does.
    """

    inputs: tuple[Path, ...] = inputs_argument(matters=False)
    output: Path = _output()  # noqa: RUF009  (a field, as setting makes)
    model: str = model_setting()
    device: str = device_setting()
    backend: str = backend_setting()
    guides: Guides = part(Guides, "Guides")
    colors: ColorizeSettings = part(ColorizeSettings, "Colours")
    beside: Extras = part(Extras)
    debug_masks: Path | None = setting(
        None,
        "Also write each page to this folder, with what stays paper tinted: gutters green, bubbles red.",
        metavar="DIR",
        stored=False,
        panel="Files beside",
    )
    saved_latents: Path | None = setting(
        None,
        "Write the latent vector z that the model reads for each page to this JSON file.",
        name="save-z",
        stored=False,
        matters=False,
        panel="Files beside",
    )
    format: str = _format(KEEP)
    saving: Saving = part(Saving, _FILES)
    pdf: PdfSettings = part(PdfSettings, _FILES)
    run: RunSettings = part(RunSettings, "Run")

    def __post_init__(self) -> None:
        """Refuse what does not go together."""
        super().__post_init__()
        run, guides = self.run, self.guides
        apart = {"shard": run.shard is not None, "ray": run.ray is not None, "watch": run.watch}
        if guides.carry:
            _refuse("carry", apart, "each page waits for the one before it")
        if guides.sequence:
            _refuse("sequence", {"watch": run.watch}, "a frame needs those after it")
            if self.colors.colored_pages is ColoredPages.REDO:
                raise UsageError(
                    "--sequence and --colored-pages redo exclude each other: frames in colour stay"
                )

    @classmethod
    def resolve(cls, given: Mapping[str, Any], stored: Mapping[str, Any] | None = None) -> Self:
        """Return the request of values by name, the profile of a series between what is given and stored.

        Raises:
            DataError: The profile cannot be read or makes no sense.
            UsageError: A value makes no sense.
        """
        profile = find_series(given.get("series"), given.get("inputs", ()))
        known = {} if profile is None else read_series(cls, profile)
        return build(cls, {**(stored or {}), **known, **given, "series": profile})

    @property
    def extras(self) -> Extras:
        """What is made beside each page, the preview of the masks included."""
        return replace(self.beside, shown_masks=self.debug_masks is not None)

    @property
    def suffix(self) -> str | None:
        """The ending of results, or None for each its own."""
        return _suffix(self.format)


@dataclass(frozen=True)
class ExtractRequest(_OfFiles, Settings):
    """Which pictures sketches are drawn of, how, and where they go."""

    inputs: tuple[Path, ...] = inputs_argument(matters=False)
    output: Path = _output()  # noqa: RUF009  (a field, as setting makes)
    device: str = device_setting()
    backend: str = backend_setting()
    sketching: Sketching = part(Sketching, "Sketch")
    params: tuple[str, ...] = setting(
        (), "Set a parameter of the extractor, such as strength=2.", name="param", panel="Sketch"
    )
    mix: str | None = setting(
        None,
        "Average of several extractors, such as xdog=0.3,gray=0.7; or `random`, or `random:NAME,NAME`, for "
        f"random shares in each picture. Short for --method {_MIXER} --param mix=….",
        panel="Sketch",
    )
    seed: int | None = setting(
        None,
        "Seed of the random shares; the same seed gives the same ones. Short for --param seed=….",
        stored=False,
        panel="Sketch",
    )
    half: bool = setting(
        False,
        "Compute networks in 16 bits where that is faster on the device; sketches differ slightly.",
        panel="Sketch",
    )
    format: str = _format("png")
    pdf: PdfSettings = part(PdfSettings, _FILES)
    run: RunSettings = part(RunSettings, "Run")

    def __post_init__(self) -> None:
        """Refuse what does not go together."""
        super().__post_init__()
        if self.mix is not None and self.sketching.method not in (Sketching.method, _MIXER):
            raise UsageError(_both_said(self.sketching.method))

    @classmethod
    def resolve(cls, given: Mapping[str, Any], stored: Mapping[str, Any] | None = None) -> Self:
        """Return the request of values by name; a mixture that is given takes the place of a stored method.

        Raises:
            UsageError: A value makes no sense.
        """
        values = {**(stored or {}), **given}
        if given.get("mix") is not None:
            if given.get("method", _MIXER) != _MIXER:
                raise UsageError(_both_said(given["method"]))
            values["method"] = _MIXER
        return build(cls, values)

    @property
    def method(self) -> str:
        """The name of the extractor."""
        return _MIXER if self.mix is not None else self.sketching.method

    @property
    def parameters(self) -> tuple[str, ...]:
        """All that is set of the extractor's parameters, as ``name=value``."""
        mix = () if self.mix is None else (f"mix={self.mix}",)
        seed = () if self.seed is None else (f"seed={self.seed}",)
        return (*self.params, *mix, *seed)

    @property
    def suffix(self) -> str | None:
        """The ending of results, or None for each its own."""
        return _suffix(self.format)


def _both_said(method: str) -> str:
    return f"--mix and --method {method} exclude each other; --mix has its own, {_MIXER}"


@dataclass(frozen=True)
class ExploreRequest(Settings):
    """Which page is coloured in many ways, and where the grid of them goes."""

    page: Path = argument("The page to colour.", metavar="PAGE")
    output: Path = setting(REQUIRED, "Picture file for the grid.", short="-o", stored=False)
    model: str = model_setting()
    device: str = device_setting()
    reference: Path | None = setting(
        None,
        "Rough colouring of the page; for models with a latent vector, the middle of the grid is read "
        "from it.",
        stored=False,
    )
    grid: ExploreSettings = part(ExploreSettings, "Grid")

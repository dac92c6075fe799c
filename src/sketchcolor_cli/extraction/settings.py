"""How sketches are drawn; the only place where these defaults, bounds and help stand."""

from __future__ import annotations

from dataclasses import dataclass

from sketchcolor_cli.settings import Settings, setting

NATIVE = 0
"""The size that is each picture's own."""


@dataclass(frozen=True)
class Sketching(Settings):
    """What the user may choose, whatever the extractor."""

    method: str = setting(
        "linework",
        "Extractor that draws the sketch; `sketchcolor plugins` lists them.",
        short="-m",
        complete="methods",
    )
    size: int | None = setting(
        None,
        "Longest side in pixels at which sketches are drawn, and scaled back from; `native` for the "
        "picture's own.",
        words={"native": NATIVE},
        least=16,
        shown="what the extractor was made for",
    )
    batch_size: int = setting(
        8,
        "How many pictures of equal size are drawn at once; fewer where they are large, or where memory runs "
        "out.",
        least=1,
        matters=False,
    )
    binarize: bool = setting(False, "Write pure black and white, without greys.")
    threshold: float = setting(
        0.5,
        "Where only black and white are written: what is lighter than this becomes white.",
        above=0,
        below=1,
    )
    invert: bool = setting(False, "Draw white on black.")

"""How sketches are drawn; the only place where these defaults stand."""

from __future__ import annotations

from dataclasses import dataclass

from sketchcolor_cli.errors import UsageError

NATIVE = 0
"""The size that is each picture's own."""

_LEAST_SIZE = 16


@dataclass(frozen=True)
class Sketching:
    """What the user may choose, whatever the extractor."""

    method: str = "linework"
    """The extractor."""
    size: int | None = None
    """Longest side in pixels at which pictures are drawn, whereupon sketches are scaled back; NATIVE for each
    picture's own; None for the one that each extractor was made for."""
    batch_size: int = 8
    """How many pictures of equal size are drawn at once; fewer where they are above a million pixels."""
    binarize: bool = False
    """Whether there is only paper and ink, and no grey between."""
    threshold: float = 0.5
    """What is lighter than this becomes paper, and the rest ink; for binarize."""
    invert: bool = False
    """Whether ink is white on black paper."""

    def __post_init__(self) -> None:
        """Refuse what makes no sense.

        Raises:
            UsageError: A value is out of its range.
        """
        if self.size is not None and self.size != NATIVE and self.size < _LEAST_SIZE:
            raise UsageError(f"--size must be native or at least {_LEAST_SIZE}")
        if self.batch_size < 1:
            raise UsageError("--batch-size must be at least 1")
        if not 0 < self.threshold < 1:
            raise UsageError("--threshold must be above 0 and below 1")


def parse_size(text: str | None) -> int | None:
    """Read what the user says for the size: ``native``, a number of pixels, or nothing.

    Raises:
        UsageError: It is something else.
    """
    if text is None:
        return None
    if text.lower() == "native":
        return NATIVE
    if not text.isdecimal() or int(text) == NATIVE:
        raise UsageError(f"--size {text}: write native, or a number of pixels such as 768")
    return int(text)

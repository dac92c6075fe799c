"""Writing a coloured page and what was made beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sketchcolor_cli.coloring.settings import LayerFormat
from sketchcolor_cli.files.worklist import BOOK_OF_SUFFIX
from sketchcolor_cli.jobs.outcome import KEPT

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from sketchcolor_cli.coloring.extras.outputs import Colored
    from sketchcolor_cli.files.worklist import Job
    from sketchcolor_cli.jobs.requests import ColorizeRequest


def write_page(job: Job, done: Colored, request: ColorizeRequest) -> dict[str, str] | None:
    """Write a coloured page and its extras; a page that stays as it is, byte for byte.

    Extras of a book's pages go into a folder beside the book. Returns what is worth reporting, if anything.

    Raises:
        ImageError: It cannot be written.
    """
    from sketchcolor_cli.errors import ImageError
    from sketchcolor_cli.files.atomic import write_bytes
    from sketchcolor_cli.imaging.writing import write_picture

    if done.stays and job.reads.suffix.lower() == job.writes.suffix.lower():
        try:
            content = job.reads.read_bytes()
        except OSError as error:
            raise ImageError(f"{job.source}: cannot be read any more ({error.strerror}); check it") from error
        write_bytes(job.writes, content, ImageError, job.target)
        return {KEPT: done.stays.value}
    place = extras_place(job, request.output)
    if done.masks is not None and request.debug_masks is not None:
        mirrored = request.debug_masks / place.relative_to(request.output)
        write_picture(mirrored.with_suffix(".png"), done.masks)
    if done.flats is not None:
        write_picture(place.with_suffix(".flats.png"), done.flats)
    if done.layers and request.extras.layers is not None:
        _write_layers(place, done, request.extras.layers)
    # Last, as a page whose result is there is not done again, should the run be killed here.
    done.write(job.writes, request.saving, job.target)
    return {KEPT: done.stays.value} if done.stays else None


def extras_place(job: Job, output: Path) -> Path:
    """Return the path whose ending extras replace: the result's, or a page's in a folder beside its book."""
    for above in job.target.parents:
        if above == output:
            break
        if above.suffix.lower() in BOOK_OF_SUFFIX:
            return above.with_suffix(".parts") / job.target.relative_to(above)
    return job.target


def _write_layers(place: Path, done: Colored, kind: LayerFormat) -> None:
    import numpy as np

    from sketchcolor_cli.coloring.extras.layers import write_layers

    def merged() -> NDArray[np.uint8]:
        return np.rint(done.picture.rgb * 255).astype(np.uint8)

    ending = ".layers" if kind is LayerFormat.PNG else f".{kind}"
    write_layers(place.with_suffix(ending), done.layers, merged, kind)

"""The latent vectors z of a run: those that pages are given, and those that are saved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from sketchcolor_cli.coloring.colorizer import Colorizer
    from sketchcolor_cli.files.worklist import Job
    from sketchcolor_cli.imaging.picture import Picture


class PageLatents:
    """The latent vectors of the pages of a run; torch is only loaded where there are any."""

    def __init__(self, model: str, given: Path | None, saved: Path | None, output: Path) -> None:
        """Read the files.

        Args:
            model: Name of the model, which is noted in the file.
            given: The file with the vectors that pages are given, or None.
            saved: The file for those that the model reads, or None.
            output: The folder for the results.

        Raises:
            DataError: A file holds no latent vectors.
        """
        self._model, self._saved_to, self._output = model, saved, output
        self._given: dict[str, Any] = {}
        self._saved: dict[str, Any] = {}
        if given is not None or saved is not None:
            from sketchcolor_cli.coloring.latents import read_latents

            self._given = {} if given is None else read_latents(given)
            self._saved = read_latents(saved) if saved is not None and saved.exists() else {}

    def of(self, job: Job) -> Any:
        """Return the vector for a page, or None."""
        if not self._given:
            return None
        from sketchcolor_cli.coloring.latents import latent_for

        return latent_for(self._given, job.target.relative_to(self._output))

    def save(
        self,
        job: Job,
        colorizer: Colorizer,
        page: Picture,
        references: tuple[Picture, ...],
        hints: tuple[Picture, ...],
    ) -> None:
        """Save the vector that the model reads for a page, if asked to.

        Raises:
            UsageError: The model has none.
            ImageError: The file cannot be written.
        """
        if self._saved_to is None:
            return
        from sketchcolor_cli.coloring.latents import write_latents

        self._saved[job.target.relative_to(self._output).as_posix()] = colorizer.latent(
            page, references, hints
        )
        write_latents(self._saved_to, self._model, self._saved)

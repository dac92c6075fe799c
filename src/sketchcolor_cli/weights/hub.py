"""Models on the Hugging Face hub, named ``hf:ORGANISATION/NAME[@REVISION][:FILE]``."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from sketchcolor_cli.errors import UnavailableError, WeightError
from sketchcolor_cli.weights.download import DownloadSettings, download
from sketchcolor_cli.weights.spec import HUB_PREFIX

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ENDPOINT = "https://huggingface.co"
"""Where the hub is, unless the variable HF_ENDPOINT names a mirror."""

_FORM = re.compile(r"hf:([\w.-]+/[\w.-]+)(?:@([\w./-]+))?(?::([\w./-]+\.safetensors))?")
_CARD = "README.md"


@dataclass(frozen=True)
class HubFile:
    """A model file in a repository of the hub.

    Attributes:
        repository: ``ORGANISATION/NAME``.
        revision: A branch, a tag or a commit.
        file: The file's place in the repository.
    """

    repository: str
    revision: str = "main"
    file: str = "model.safetensors"

    @classmethod
    def of(cls, text: str) -> HubFile:
        """Return the file that a text names.

        Raises:
            WeightError: It names none.
        """
        found = _FORM.fullmatch(text)
        if found is None or ".." in text:
            raise WeightError(f"{text}: name a model of the hub as hf:ORGANISATION/NAME@REVISION")
        repository, revision, file = found.groups()
        return cls(repository, revision or cls.revision, file or cls.file)

    @property
    def name(self) -> str:
        """A name for the model here, in lower case."""
        return re.sub(r"[^a-z0-9_-]+", "-", self.repository.partition("/")[2].lower()).strip("-")

    def fetch(
        self,
        folder: Path,
        report: Callable[[int, int | None], None],
        endpoint: str = ENDPOINT,
        settings: DownloadSettings | None = None,
    ) -> Path:
        """Download the model into a folder, and its card beside it as FILE.md where there is one.

        Raises:
            WeightError: The hub cannot be reached, has no such file, or the disk is full.
        """
        target = folder / f"{self.name}.safetensors"
        base = f"{endpoint.rstrip('/')}/{self.repository}/resolve/{quote(self.revision, safe='')}"

        def get(file: str, to: Path, listen: Callable[[int, int | None], None]) -> None:
            chosen = settings or DownloadSettings()
            download(f"{base}/{quote(file)}", to, size=None, checked=False, settings=chosen, report=listen)

        try:
            get(self.file, target, report)
        except UnavailableError as error:
            raise WeightError(
                f"{HUB_PREFIX}{self.repository}: {self.file} is not available at {self.revision} ({error}); "
                "check the name and the connection, or download it yourself and import the file"
            ) from error
        with suppress(UnavailableError):  # a model without a card
            get(_CARD, target.with_suffix(".md"), lambda *_: None)
        return target

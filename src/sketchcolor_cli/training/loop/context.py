"""What all stages of a run share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from sketchcolor_cli import __version__
from sketchcolor_cli.networks.checkpoint import save_model

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sketchcolor_cli.training.loop.ranks import Ranks
    from sketchcolor_cli.training.settings import TrainSettings


@dataclass(frozen=True)
class Context:
    """A run: its folder, its settings, what it goes on from, and whom it tells."""

    run: Path
    config: TrainSettings
    device: str
    pictures: int
    """Pictures that were found."""
    learning: int
    """Pictures that are learnt from."""
    state: dict[str, Any] | None
    """The checkpoint to go on from, or None."""
    report: Callable[[dict[str, Any]], None]
    stop: Callable[[], bool]
    ranks: Ranks

    @property
    def dtype(self) -> torch.dtype:
        """Number format that networks work in; weights and losses stay float32."""
        return getattr(torch, self.config.precision)  # type: ignore[no-any-return]

    @property
    def checkpoint(self) -> Path:
        """The file that a run goes on from."""
        return self.run / "checkpoint.pt"

    @property
    def binding(self) -> dict[str, Any]:
        """What goes into checkpoints, to be compared when the run is resumed."""
        return {"config": self.config.binding(), "pictures": self.pictures}

    def state_of(self, stage: str) -> dict[str, Any] | None:
        """Return the checkpoint to go on from if it is of this stage."""
        return self.state if self.state and self.state["stage"] == stage else None

    def network(self, stage: str) -> Path:
        """Return the file of a stage's network."""
        return self.run / f"{stage}.safetensors"

    def busy(self, what: str, total: int, done: int) -> None:
        """Report work of another kind than training."""
        if self.ranks.first:
            self.report({"event": "busy", "what": what, "done": done, "total": total})

    def save(self, path: Path, network: Any, *, half: bool = False, **facts: Any) -> None:
        """Write a network with where it comes from; of several processes the first does."""
        if not self.ranks.first:
            return
        provenance = {
            "program": f"sketchcolor {__version__}",
            "pictures": self.learning,
            **facts,
            **self.config.plain(),
        }
        save_model(path, network, provenance=provenance, licence=self.config.licence, half=half)

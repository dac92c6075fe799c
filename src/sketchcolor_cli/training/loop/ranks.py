"""Training in several processes at once, one for each GPU: who writes, and what all agree on.

Processes are started by torchrun or ``accelerate launch``; gradients are averaged by PyTorch's
DistributedDataParallel, through accelerate and fastai.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import distributed

from sketchcolor_cli.errors import TrainingError


@dataclass(frozen=True)
class Ranks:
    """Which of how many processes this one is."""

    rank: int = 0
    count: int = 1

    @property
    def first(self) -> bool:
        """Whether this process is the one that writes files and reports."""
        return self.rank == 0

    def join(self, device: str) -> None:
        """Meet the other processes, if there are any.

        Raises:
            TrainingError: accelerate is not installed.
        """
        if self.count == 1:
            return
        try:
            from accelerate import PartialState
        except ImportError as error:
            raise TrainingError(
                "several processes need accelerate; install it with: pip install accelerate"
            ) from error
        PartialState(cpu=not device.startswith("cuda"))

    def leave(self) -> None:
        """Part from the other processes."""
        if self.count > 1 and distributed.is_initialized():
            distributed.destroy_process_group()

    def wait(self) -> None:
        """Wait until all processes have come here."""
        if self.count > 1:
            distributed.barrier()

    def any(self, answer: bool, device: str) -> bool:
        """Return whether any process says yes; all get the same answer."""
        if self.count == 1:
            return answer
        asked = torch.tensor(float(answer), device=device)
        distributed.all_reduce(asked, distributed.ReduceOp.MAX)
        return bool(asked)

    def from_first(self, value: Any) -> Any:
        """Return the first process's value."""
        if self.count == 1:
            return value
        values = [value]
        distributed.broadcast_object_list(values)
        return values[0]

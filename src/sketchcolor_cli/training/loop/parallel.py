"""fastai's training in several processes; imported only where there are some, as it needs accelerate."""

from __future__ import annotations

import warnings
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # fastai's import uses what torch and pandas call deprecated
    from accelerate import DistributedDataParallelKwargs
    from fastai.distributed import DistributedTrainer


class Parallel(DistributedTrainer):  # type: ignore[misc]
    """fastai's trainer, with loaders of ours, which know themselves which pictures are whose.

    On GPUs batch norms take their statistics over all processes, so that these train what one would train on
    all pictures at once; PyTorch has that for GPUs only.
    """

    def __init__(self, device: str, *, idle: bool) -> None:
        """``idle`` says whether some weights may have no gradient in a step."""
        on_gpu = device.startswith("cuda")
        ways = [DistributedDataParallelKwargs(find_unused_parameters=idle)]
        super().__init__(sync_bn=on_gpu, cpu=not on_gpu, kwargs_handlers=ways)

    def _wrap_dl(self, dl: Any) -> Any:
        return dl

"""Networks that are about to be loaded: built without the random weights that they would start from.

On the "meta" device, where PyTorch computes shapes in Python, initialising a network takes far longer than
building it; on the processor it takes as long as reading the weights.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch.overrides import TorchFunctionMode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_FILLING = frozenset(
    {"__setitem__", "constant_", "copy_", "fill_", "kaiming_normal_", "kaiming_uniform_", "normal_"}
    | {"orthogonal_", "trunc_normal_", "uniform_", "zero_"}
)


class uninitialized(TorchFunctionMode):  # noqa: N801  (used as a function, as torch.device is)
    """Within it nothing is written into tensors, so that modules hold whatever lay in memory before.

    Every parameter and buffer must be loaded afterwards. Buffers that are computed, not filled, are right.
    """

    def __torch_function__(
        self,
        function: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Leave out what fills its first tensor."""
        if getattr(function, "__name__", "") in _FILLING:
            return args[0] if args else (kwargs or {})["tensor"]
        return function(*args, **(kwargs or {}))

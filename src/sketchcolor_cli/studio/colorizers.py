"""The networks that are at hand, loaded once for all settings, and who uses them next."""

from __future__ import annotations

import threading
from collections import OrderedDict
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sketchcolor_cli import environment
from sketchcolor_cli.coloring.colorizer import Colorizer, match_forward
from sketchcolor_cli.coloring.guides.alike import Alike
from sketchcolor_cli.compute import devices
from sketchcolor_cli.imaging.reading import read_picture
from sketchcolor_cli.networks.backend import matcher_beside
from sketchcolor_cli.networks.onnx_forward import OnnxForward
from sketchcolor_cli.studio.known import MIDDLE, SMALL
from sketchcolor_cli.studio.look import stamp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sketchcolor_cli.networks.base import ColorNet
    from sketchcolor_cli.networks.forward import Forward
    from sketchcolor_cli.networks.matcher import Matcher
    from sketchcolor_cli.networks.onnx_match import OnnxMatch
    from sketchcolor_cli.studio.look import Look
    from sketchcolor_cli.studio.turns import Turns, Wish

_KEPT = 6  # settings for which a colorizer is kept; they share the network


class Asking(NamedTuple):
    """For whom the network makes a pass.

    Attributes:
        wish: What may be taken back.
        urgency: How urgent it is.
        begun: Is set as it begins.
    """

    wish: Wish
    urgency: int
    begun: threading.Event | None = None


_ASKING = threading.local()  # now: that of the thread


@contextmanager
def asked_by(asking: Asking) -> Iterator[None]:
    """Say for whom this thread lets a network pass."""
    _ASKING.now = asking
    try:
        yield
    finally:
        _ASKING.now = None


class Colorizers:
    """What colours pages, by settings; may be used by several threads."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self._colorizers: OrderedDict[Any, Colorizer] = OrderedDict()
        self._models: dict[Any, ColorNet | Forward] = {}
        self._matchers: dict[type, Matcher | OnnxMatch] = {}
        self._alike: dict[tuple[type, str], Alike] = {}
        self._formats: dict[str, str] = {}
        self._lock = threading.Lock()

    def get(self, look: Look, seed: int | None = None, **changes: Any) -> Colorizer:
        """Return what colours pages so, or a page of this seed; the network is loaded once for all."""
        stamps = tuple(stamp(Path(file)) for file in (look.model, *look.sheets))
        key = look, seed, tuple(sorted(changes.items())), stamps
        with self._lock:
            if key in self._colorizers:
                self._colorizers.move_to_end(key)
                return self._colorizers[key]
            device = devices.resolve(devices.for_backend(look.device, look.backend))
            model = self._model(look, device)
            sheets = [read_picture(Path(file)) for file in look.sheets]
            palette = np.array(look.palette, np.float32) if look.palette else None
            color = Colorizer(
                model,
                device,
                look.chosen(**changes).in_seed(seed),
                sheets=sheets,
                palette=palette,
                matcher=self._matcher(model) if sheets else None,
                alike=self._alike_of(model, device),
            )
            color.painter.passing = partial(self._pass, color.painter.model)
            is_soon_replaced = changes.get("work_size") in (SMALL, MIDDLE)  # so it may be a little less exact
            if is_soon_replaced and not isinstance(model, OnnxForward):
                color.painter.precision = self._fastest(device)
            self._colorizers[key] = color
            while len(self._colorizers) > _KEPT:
                self._colorizers.popitem(last=False)
            return color

    def _fastest(self, device: str) -> str:
        """Return the number format that is faster on a device; tried once."""
        if device not in self._formats:
            from sketchcolor_cli.compute import precision  # imports torch

            self._formats[device] = precision.choose(device)
        return self._formats[device]

    def _matcher(self, model: ColorNet | Forward) -> Matcher | OnnxMatch:
        kind = type(model)
        if kind not in self._matchers:
            self._matchers[kind] = matcher_beside(model)
        return self._matchers[kind]

    def _alike_of(self, model: ColorNet | Forward, device: str) -> Alike:
        key = type(model), device
        if key not in self._alike:
            self._alike[key] = Alike(lambda: match_forward(self._matcher(model), device))
        return self._alike[key]

    def _model(self, look: Look, device: str) -> ColorNet | Forward:
        """Return the network of a look; the last one is kept."""
        path = Path(look.model)
        key = stamp(path), look.backend, device
        if key not in self._models:
            self._models.clear()
            network = environment.backends(look.backend, brief=True).load(path, device)
            self._models[key] = network if isinstance(network, OnnxForward) else _interruptible(network)
        return self._models[key]

    @contextmanager
    def _pass(self, network: Forward) -> Iterator[None]:
        """Hold a pass of the network; who does not say for whom it is has a turn already."""
        asking: Asking | None = getattr(_ASKING, "now", None)
        if asking is None:
            yield
            return
        with self._turns.turn(asking.urgency, asking.wish):
            if asking.begun is not None:
                asking.begun.set()
            # torch asks between two layers, see _interruptible
            with asking.wish.ended_by(network.stop if isinstance(network, OnnxForward) else _nothing):
                yield


def _nothing() -> None:
    pass


def _interruptible(network: Any) -> Any:
    """Let passes of a network end between two layers when nobody wants them any more."""
    for module in network.modules():
        module.register_forward_pre_hook(_check_wish)
    return network


def _check_wish(*_: object) -> None:
    asking: Asking | None = getattr(_ASKING, "now", None)
    if asking is not None:
        asking.wish.check()

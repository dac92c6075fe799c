"""What a GPU makes of the networks, in one table, in less than eight minutes, and whether it equals the CPU.

    python benchmarks/gpu.py [--device cuda] [--rounds 20] [--quick] [--out TABLE.md]

Needs torch and what the package needs, but no fastai, no weights and no network connection. Each row is a
network on random pictures: plainly (float32, contiguous), as this package runs it (channels last and a lower
precision), compiled, and as a CUDA graph; the median of the rounds, in pictures a second. Peak is the share
of what a large product of matrices in bfloat16 reaches on the same card. Equality is the largest difference
of the plain way from the CPU, and of the package's way, both relative to the largest value. ``--quick`` takes
small pictures, so that the benchmark itself can be tried on a CPU.
"""

from __future__ import annotations

import argparse
import copy
import statistics
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from sketchcolor_cli.color.spaces import rgb_to_lab
from sketchcolor_cli.coloring.colorizer import Colorizer
from sketchcolor_cli.coloring.settings import ColorizeSettings
from sketchcolor_cli.compute import precision
from sketchcolor_cli.environment import model_file
from sketchcolor_cli.imaging.picture import Picture
from sketchcolor_cli.networks.base import ColorNet
from sketchcolor_cli.networks.checkpoint import load_model
from sketchcolor_cli.networks.config import HintUNetConfig
from sketchcolor_cli.networks.lattice import lab_grid
from sketchcolor_cli.networks.thesis_unet import Generator
from sketchcolor_cli.training.loop.muon import MuonAndAdamW
from sketchcolor_cli.training.losses import paint_loss
from sketchcolor_plugins.anime2sketch.network import Anime2Sketch
from sketchcolor_plugins.sketchkeras.network import SketchKeras

if TYPE_CHECKING:
    from collections.abc import Callable

    Inputs = tuple[Tensor, ...]


@dataclass(frozen=True)
class Row:
    """A network, its inputs, and how its answer is read."""

    name: str
    net: nn.Module
    inputs: Inputs
    call: Callable[[nn.Module, Inputs], Tensor]


@dataclass
class Bench:
    """How it is measured."""

    device: torch.device
    dtype: torch.dtype
    rounds: int
    peak: float
    """Operations a second of a large product of matrices."""

    def seconds(self, task: Callable[[], object]) -> float:
        """Return the median time of a task; three come first to warm up."""
        times = []
        for number in range(self.rounds + 3):
            start = time.perf_counter()
            task()
            self.wait()
            times.append(time.perf_counter() - start)
            if number == 2:
                times.clear()
        return statistics.median(times)

    def wait(self) -> None:
        """Wait until the device has done all that it was given."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    @torch.no_grad()
    def row(self, row: Row) -> str:
        """Measure a network in all ways, and return its line of the table."""
        on_cpu = row.call(row.net, row.inputs).float()
        with FlopCounterMode(display=False) as counter:
            row.call(row.net, row.inputs)
        inputs = tuple(tensor.to(self.device) for tensor in row.inputs)
        plain = copy.deepcopy(row.net).to(self.device)
        ours = copy.deepcopy(plain).to(memory_format=torch.channels_last)
        ways = {"plain": partial(row.call, plain, inputs), "ours": partial(self.brief, row, ours, inputs)}
        apart = [_apart(way(), on_cpu) for way in ways.values()]
        times = {name: self.seconds(way) for name, way in ways.items()}
        if self.device.type == "cuda":
            times["graph"] = self.seconds(self.recorded(ways["ours"]))
            with suppress(Exception):  # a compiler that is missing leaves its column empty
                times["compiled"] = self.seconds(
                    partial(self.brief, row, cast("nn.Module", torch.compile(ours)), inputs)
                )
        count = len(row.inputs[0])
        rates = [f"{count / times[way]:.1f}" if way in times else "–" for way in COLUMNS]
        used = counter.get_total_flops() / min(times.values()) / self.peak
        return f"| {row.name} | {' | '.join(rates)} | {used:.0%} | {apart[0]:.0e}, {apart[1]:.0e} |"

    def brief(self, row: Row, net: nn.Module, inputs: Inputs) -> Tensor:
        """Run a network in the lower precision."""
        with torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32):
            return row.call(net, inputs)

    def recorded(self, task: Callable[[], Tensor]) -> Callable[[], object]:
        """Return a task as a CUDA graph, which starts all its kernels at once."""
        stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        with torch.cuda.stream(stream):
            for _ in range(3):
                task()
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            task()
        return graph.replay


COLUMNS = ("plain", "ours", "compiled", "graph")


def _apart(result: Tensor, truth: Tensor) -> float:
    return float((result.float().cpu() - truth).abs().max() / truth.abs().max())


def networks(*, quick: bool) -> list[Row]:
    """Return what only runs forward."""
    side, page = (64, (96, 64)) if quick else (256, (832, 576))
    thesis, default = Generator().eval(), load_model(model_file("default"), ColorNet)[0].eval()
    rows = [
        Row(f"thesis, {side}×{side}, {count} at once", thesis, _seen(thesis, count, (side, side)), _colored)
        for count in (1, 10)
    ]
    rows += [
        Row(f"default, {page[1]}×{page[0]}, {count} at once", default, _seen(default, count, page), _colored)
        for count in (1, 8)
    ]
    big = max(2 * side, 256)
    colors, grays = (torch.rand(8 * many, 4 - many, big, big) for many in (1, 3))
    rows += [
        Row(f"anime2sketch, {big}×{big}, 8 at once", Anime2Sketch().eval(), (colors,), _called),
        Row(f"sketchkeras, {big}×{big}, 24 planes", SketchKeras().eval(), (grays,), _called),
    ]
    with suppress(ImportError):  # torchvision is not everywhere
        from torchvision.models import inception_v3

        inception = inception_v3(weights=None, init_weights=False).eval()
        rows.append(Row("Inception, 299×299, 32 at once", inception, (torch.rand(32, 3, 299, 299),), _called))
    return rows


def _seen(net: ColorNet, count: int, shape: tuple[int, int]) -> Inputs:
    sketch = torch.rand(count, 1, *shape)
    hint = torch.cat([torch.rand(count, 3, *shape), (torch.rand(count, 1, *shape) > 0.99).float()], 1)
    return sketch, hint, nn.functional.avg_pool2d(hint, net.stride) if net.stride > 1 else hint


def _colored(net: nn.Module, inputs: Inputs) -> Tensor:
    color: Tensor = net(inputs[0], inputs[1], spread=inputs[2]).color
    return color


def _called(net: nn.Module, inputs: Inputs) -> Tensor:
    answer: Tensor = net(*inputs)
    return answer


def training(bench: Bench, *, quick: bool) -> list[str]:
    """Measure whole steps of the default network: forward, loss, backward, optimizer."""
    count, side = (2, 64) if quick else (96, 128)
    net = load_model(model_file("default"), ColorNet)[0]
    assert isinstance(net.config, HintUNetConfig)
    a, b = lab_grid(net.config.lab_step)
    lattice, rarity = (a.to(bench.device), b.to(bench.device)), torch.ones(len(a) * len(b)).to(bench.device)
    inputs = tuple(tensor.to(bench.device) for tensor in _seen(net, count, (side, side)))
    truth = rgb_to_lab(torch.rand(count, 3, side, side)).to(bench.device)
    lines = []
    for name, dtype, layout in (
        ("plain", torch.float32, torch.contiguous_format),
        ("ours", bench.dtype, torch.channels_last),
    ):
        own = copy.deepcopy(net).to(bench.device).to(memory_format=layout).train()
        optimizer = MuonAndAdamW(own, 1e-4, own.outer, dtype if dtype == torch.bfloat16 else torch.float32)

        def step(own: ColorNet, optimizer: MuonAndAdamW, dtype: torch.dtype) -> None:
            with torch.autocast(bench.device.type, dtype, enabled=dtype != torch.float32):
                prediction = own(inputs[0], inputs[1], spread=inputs[2])
            paint_loss(prediction, 100 * inputs[0], truth, lattice, rarity)["total"].backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            optimizer.zero_grad()

        rate = count / bench.seconds(partial(step, own, optimizer, dtype))
        lines.append(f"training default, {count} of {side}×{side}, {name}: {rate:.1f} pictures a second")
    return lines


def pages(bench: Bench, *, quick: bool) -> str:
    """Colour whole pages, on the device and on the CPU."""
    height, width = (300, 200) if quick else (2000, 1414)
    rng = np.random.default_rng(0)
    page = np.ones((height, width, 3), np.float32)
    for _ in range(60):
        top, left = rng.integers(0, height), rng.integers(0, width)
        page[top : top + 3, left : left + 90] = page[top : top + 120, left : left + 3] = 0
    picture = Picture(page, gray=True)
    net = load_model(model_file("default"), ColorNet)[0]
    here = Colorizer(copy.deepcopy(net), "cpu", ColorizeSettings())(picture).rgb
    color = Colorizer(net, str(bench.device), ColorizeSettings())
    apart = float(np.abs(color(picture).rgb - here).max()) * 255
    seconds = bench.seconds(partial(color, picture))
    return f"a page of {width}×{height}: {seconds:.3f} s; at most {apart:.1f} of 255 from the CPU's"


def main() -> None:
    """Measure, print the table, and write it where that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    torch.manual_seed(0)
    device = torch.device(given.device)
    dtype = getattr(torch, precision.choose(given.device))
    bench = Bench(device, dtype, given.rounds, 1.0)
    side = 512 if given.quick else 8192
    matrix = torch.rand(side, side, device=device, dtype=dtype)
    bench.peak = 2 * side**3 / bench.seconds(lambda: matrix @ matrix)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    lines = [
        f"{name}, PyTorch {torch.__version__}, {dtype}, {bench.peak / 1e12:.1f} TFLOP/s at best",
        "",
        f"| pictures a second | {' | '.join(COLUMNS)} | of peak | apart |",
        "|---|" + 6 * "---|",
    ]
    print(*lines, sep="\n", flush=True)
    for row in networks(quick=given.quick):
        lines.append(bench.row(row))
        print(lines[-1], flush=True)
    for line in ("", *training(bench, quick=given.quick), pages(bench, quick=given.quick)):
        lines.append(line)
        print(line, flush=True)
    if given.out:
        given.out.write_text("\n".join([*lines, ""]), encoding="utf-8")


if __name__ == "__main__":
    main()

"""Train the default model for as long as there is time; every run goes on where the last one stopped.

    python tools/train_default.py SHARDS_FOLDER RUN_FOLDER --hours 2

Needs torch, numpy, scipy, opencv-python, pillow and safetensors, not fastai, so that it runs on a borrowed
machine. RUN_FOLDER keeps ``state.pt`` (network, average, optimizer, step; written every few minutes),
``log.csv``, contact sheets, and at the end ``model.safetensors``: the averaged weights after a cool-down, in
half precision. The cool-down is not written into ``state.pt``: the next run goes on from before it.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812
from torch.utils.data import DataLoader, Dataset
from training_run import Session, check_gradients, follow, log

from sketchcolor_cli.color.compositing import paint_under
from sketchcolor_cli.color.spaces import rgb_to_lab
from sketchcolor_cli.data.shards import ShardSet
from sketchcolor_cli.imaging.images import Picture, to_array, write_picture
from sketchcolor_cli.metrics.pictures import psnr
from sketchcolor_cli.networks.checkpoint import load_model, save_model
from sketchcolor_cli.networks.hint_unet import HintUNet
from sketchcolor_cli.networks.lattice import lab_grid, lattice_shares
from sketchcolor_cli.training.files import save_state
from sketchcolor_cli.training.loop.data import SetDrawings, readable, to_tensors
from sketchcolor_cli.training.losses import color_rarity, paint_loss
from sketchcolor_cli.training.pairs.pairs import Drawing, PairRecipe, find_kin, make_pair
from sketchcolor_cli.training.pairs.palette_conditioning import sheet_and_palette
from sketchcolor_cli.training.results import page_lightness, result_rgb

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

# Icons and avatars are many and alike; pictures with people, places and ink teach more.
SOURCE_WEIGHT = {
    "african_storybook_pairs": 3.0, "open_bible_stories": 1.5, "book_dash": 1.2, "gutenberg_oz_denslow": 2.0,
    "openclipart": 0.6, "streamline_emojis": 0.4, "wesnoth_backgrounds": 0.5, "mulberry_symbols_pairs": 0.6,
    "gen_dicebear_adventurer": 0.6, "gen_dicebear_micah": 0.4, "gen_robohash_set1": 0.4,
    "gen_robohash_set2": 0.4, "gen_robohash_set3": 0.4, "openmoji_pairs": 0.7,
}  # fmt: skip
# Their pictures are under the GPL alone, which the licence of the weights, CC BY-SA 4.0, cannot take in.
LEFT_OUT = {"gcompris", "tuxpaint_stamps", "hedgewars", "warmux"}
LICENCE = "CC BY-SA 4.0; attributions in the model card"
SHORT_SIDE = 320  # pixels of a drawing in memory
WARM_UP = 300  # steps
DECAY = 0.02  # of weights, per step and learning rate
OUTER = {"stem", "palette", "lightness", "trust"}  # layers between network and pictures
AVERAGE = 0.998  # decay of the moving average of the weights, per step
EVERY = 420.0  # seconds between checkpoints
VALIDATION_KINDS = ("none", "points", "painting", "sheet")
SHOWN = 12  # pictures in a row of the contact sheet


class Pairs(Dataset):
    """Pair number n is the same whenever it is asked for: a resumed run sees what an unbroken one would."""

    def __init__(
        self, drawings: Sequence[Drawing], size: int, first: int, seed: int, recipe: PairRecipe | None = None
    ) -> None:
        self.drawings, self.size, self.first, self.seed = drawings, size, first, seed
        self.recipe = recipe or PairRecipe()
        weights = np.array([SOURCE_WEIGHT.get(drawing.source, 1.0) for drawing in drawings])
        self.shares = np.cumsum(weights / weights.sum())
        self.kin = find_kin(drawing.group for drawing in drawings)

    def __len__(self) -> int:
        return 10**9

    def __getitem__(self, number: int) -> tuple[Tensor, ...]:
        rng = np.random.default_rng([self.seed, self.first + number])
        index = min(int(np.searchsorted(self.shares, rng.random())), len(self.drawings) - 1)
        return to_tensors(make_pair(rng, self.drawings, index, self.size, self.recipe, kin=self.kin))


class Validation(Dataset):
    """One plain pair of every eighth held-out drawing, with one kind of hint, or another drawing as sheet."""

    def __init__(self, drawings: Sequence[Drawing], size: int, kind: str) -> None:
        self.drawings, self.size = drawings, size
        self.kin = find_kin(drawing.group for drawing in drawings)
        sheet = float(kind == "sheet")
        self.recipe = PairRecipe(
            hint_kinds={"none" if sheet else kind: 1.0}, page_share=0, bubble_share=0, sheet_share=sheet,
            kin_share=1, augment=False,
        )  # fmt: skip
        self.places = [i for i in range(0, len(drawings), 8) if not sheet or drawings[i].group in self.kin]

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, index: int) -> tuple[Tensor, ...]:
        place, rng = self.places[index], np.random.default_rng([7, index])
        return to_tensors(make_pair(rng, self.drawings, place, self.size, self.recipe, kin=self.kin))


def readable_drawings(shards: Sequence[Path], short_side: int) -> list[Drawing]:
    """Return the drawings of shards that the weights may learn from."""
    found = readable(SetDrawings(ShardSet(shards), short_side))
    return [drawing for drawing in found if drawing.source not in LEFT_OUT]


def single_threaded(_worker: int) -> None:
    cv2.setNumThreads(0)
    torch.set_num_threads(1)


@torch.no_grad()
def validate(model: HintUNet, sets: dict[str, list], device: str, picture: Path) -> dict[str, float]:
    """Return PSNR and ratio of chroma to truth for each kind of hint; write a contact sheet."""
    model.eval()
    figures, rows = {}, []
    for kind, batches in sets.items():
        total, chroma, count = 0.0, torch.zeros(2), 0
        for batch in batches:
            sketch, hint, spread, sheet, truth, _ = (part.to(device) for part in batch)
            with torch.autocast(device, torch.bfloat16):
                prediction = model(sketch, hint, spread=spread, sheet=sheet)
            result = result_rgb(model, replace(prediction, color=prediction.color.float()), sketch)
            total += float(psnr(result, truth).sum())
            chroma += torch.tensor([float(rgb_to_lab(x)[:, 1:].norm(dim=1).mean()) for x in (result, truth)])
            if not count:
                given = F.interpolate(sheet, size=hint.shape[2:]) if sheet.any() else hint
                marked = given[:, :3] + 0.5 * (1 - given[:, 3:])
                shown = (sketch.expand(-1, 3, -1, -1), marked, result, truth)
                rows += [torch.cat(list(part[:SHOWN]), 2).cpu() for part in shown]
            count += len(truth)
        figures |= {f"psnr_{kind}": total / count, f"chroma_{kind}": float(chroma[0] / chroma[1])}
    write_picture(picture, Picture(to_array(torch.cat(rows, 1)[None].clamp(0, 1))))
    return figures


def count_colors(drawings: Sequence[Drawing], lattice: tuple[Tensor, Tensor], stride: int) -> Tensor:
    """Return how rare each lattice colour is in some pairs."""
    counts = torch.zeros(len(lattice[0]) * len(lattice[1]))
    pairs = Pairs(drawings, 128, 0, seed=99)
    for number in range(min(400, 4 * len(drawings))):
        *_, truth, sketch = (part[None] for part in pairs[number])
        paint, seen = paint_under(page_lightness(sketch), rgb_to_lab(truth), stride)
        corners, shares = lattice_shares(paint[:, 1:], *lattice)
        counts.index_add_(0, corners.flatten(), (shares * seen[:, 1:2]).flatten())
    return color_rarity(counts)


class Optimizer:
    """Muon for the kernels inside the network, AdamW for what is first, last or no matrix.

    Muon (Jordan et al. 2024) takes each step in the directions of the gradient equally far; here it is scaled
    to steps as large as AdamW's (Liu et al. 2025), so that one learning rate serves both.
    """

    def __init__(self, model: nn.Module, lr: float, outer: Collection[str] = OUTER) -> None:
        self.kernels, vectors, ends = {}, {}, {}
        for name, parameter in model.named_parameters():
            if parameter.ndim == 1:
                vectors[name] = parameter
            elif name.split(".")[0] in outer:
                ends[name] = parameter
            else:
                self.kernels[name] = (parameter, nn.Parameter(_as_matrix(parameter.data)))
        self.names = [list(self.kernels), [*ends, *vectors]]
        matrices = [matrix for _, matrix in self.kernels.values()]
        groups = [
            {"params": list(ends.values()), "weight_decay": DECAY},
            {"params": list(vectors.values()), "weight_decay": 0.0},
        ]
        self.parts = [
            torch.optim.Muon(matrices, lr=lr, weight_decay=DECAY, adjust_lr_fn="match_rms_adamw"),
            torch.optim.AdamW(groups, lr=lr, fused=True),
        ]

    def zero_grad(self, *, set_to_none: bool) -> None:
        """See ``torch.optim.Optimizer``."""
        for parameter, _ in self.kernels.values():
            parameter.grad = None
        self.parts[1].zero_grad(set_to_none=set_to_none)

    def step(self, lr: float) -> None:
        """Take a step of this learning rate."""
        for parameter, matrix in self.kernels.values():
            matrix.grad = None if parameter.grad is None else _as_matrix(parameter.grad)
        for part in self.parts:
            for group in part.param_groups:
                group["lr"] = lr
            part.step()

    def state(self) -> dict[str, Any]:
        """Return what :meth:`load` takes."""
        return {"optimizers": [part.state_dict() for part in self.parts], "names": self.names}

    def load(self, state: dict[str, Any]) -> bool:
        """Take over a state by the parameters' names; return if there was one of this kind of optimizer."""
        if "optimizers" not in state:
            return False
        for part, ours, theirs, kept in zip(
            self.parts, self.names, state["names"], state["optimizers"], strict=True
        ):
            of_name = {name: kept["state"][number] for number, name in enumerate(theirs)}
            part.load_state_dict({**kept, "state": {n: of_name[name] for n, name in enumerate(ours)}})
        return True


def _as_matrix(kernel: Tensor) -> Tensor:
    """Return a kernel, or its gradient, as (outputs, all else), of the same memory if channels come last."""
    return kernel.movedim(1, -1).reshape(len(kernel), -1)


class Run:
    """Network, average, optimizer and counters, and their file."""

    def __init__(
        self, folder: Path, device: str, lr: float, drawings: Sequence[Drawing], begin_with: Path | None
    ) -> None:
        torch.manual_seed(0)
        self.folder, self.device, self.lr = folder, device, lr
        self.model, self.average = (
            HintUNet().to(device, memory_format=torch.channels_last) for _ in range(2)
        )
        self.step = self.images = self.fresh = 0  # fresh: the step at which the optimizer knew nothing yet
        if begin_with is not None:
            model, info = load_model(begin_with, HintUNet)
            self.model.load_state_dict(model.state_dict())
            # counted on, so that the pairs are new ones too
            self.step = self.fresh = int(info.provenance["steps"])
            self.images = int(info.provenance["images"])
        self.average.load_state_dict(self.model.state_dict())
        self.optimizer = Optimizer(self.model, lr)
        self.lattice = lab_grid(self.model.config.lab_step)
        self.file = folder / "state.pt"
        if self.file.exists():
            state = torch.load(self.file, map_location=device, weights_only=True)
            self.model.load_state_dict(state["model"])
            self.average.load_state_dict(state["average"])
            self.step, self.images, self.rarity = state["step"], state["images"], state["rarity"]
            self.fresh = state.get("fresh", 0) if self.optimizer.load(state) else self.step
            print(f"going on at step {self.step}, {self.images} image-steps", flush=True)
        else:
            self.rarity = count_colors(drawings, self.lattice, self.model.stride)
        self.rarity = self.rarity.to(device)
        self.lattice = self.lattice[0].to(device), self.lattice[1].to(device)

    def save(self) -> None:
        """Write the state that the next run goes on from."""
        state = {"model": self.model.state_dict(), "average": self.average.state_dict()}
        state |= {"step": self.step, "images": self.images, "fresh": self.fresh, "rarity": self.rarity}
        save_state(self.file, state | self.optimizer.state())

    def learn(self, batch: Sequence[Tensor], lr: float) -> dict[str, float]:
        """Take one step; return the parts of the loss."""
        self.model.train()
        sketch, hint, spread, sheet, truth, _ = (part.to(self.device, non_blocking=True) for part in batch)
        with torch.autocast(self.device, torch.bfloat16):
            shown, z = sheet_and_palette(self.model, sheet)
            prediction = self.model(sketch, hint, spread=spread, sheet=shown, z=z)
        parts = paint_loss(prediction, page_lightness(sketch), rgb_to_lab(truth), self.lattice, self.rarity)
        self.optimizer.zero_grad(set_to_none=True)
        parts["total"].backward()
        check_gradients(self.model, self.step, self.file)
        self.optimizer.step(lr)
        self.step, self.images = self.step + 1, self.images + len(sketch)
        follow(self.average, self.model, min(AVERAGE, (1 + self.step) / (10 + self.step)))
        return {name: float(value.detach()) for name, value in parts.items()}


def train(run: Run, drawings: Sequence[Drawing], sets: dict[str, list], options: argparse.Namespace) -> None:
    """Train for the given hours, at each size for an equal part of them; cool down at the end."""
    recipe = PairRecipe()
    if options.bare is not None:
        helped = {kind: share for kind, share in recipe.hint_kinds.items() if kind != "none"}
        bare = options.bare / (1 - options.bare) * sum(helped.values())
        recipe = replace(recipe, hint_kinds={"none": bare, **helped})
    if options.sheets is not None:
        recipe = replace(recipe, sheet_share=options.sheets)

    def report(facts: Mapping[str, float]) -> None:
        figures = validate(run.average, sets, run.device, run.folder / f"sheet-{run.step:07d}.png")
        log(run.folder, {"step": run.step, "images": run.images, "size": size, **facts, **figures})

    session = Session(
        run, options.hours * 3600, cooldown=options.cooldown, warm_up=WARM_UP, every=EVERY, report=report
    )
    sizes = [int(size) for size in options.sizes.split(",")]
    for phase, size in enumerate(sizes, start=1):
        loader = DataLoader(
            Pairs(drawings, size, run.images, seed=1, recipe=recipe),
            max(4, options.pixels // size**2),
            num_workers=options.workers,
            worker_init_fn=single_threaded,
            prefetch_factor=6 if options.workers else None,
            pin_memory=run.device == "cuda",
        )
        session.learn(loader, phase / len(sizes))
    session.tell()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder with train-*.tar and val-*.tar")
    parser.add_argument("run", type=Path, help="folder of the run")
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument(
        "--sizes", default="128,192,256", help="sides in pixels, each for an equal part of the time"
    )
    parser.add_argument("--pixels", type=int, default=16 * 128 * 128, help="pixels in a batch")
    parser.add_argument("--bare", type=float, help="share of pairs without a hint, from 0 to below 1")
    parser.add_argument("--sheets", type=float, help="share of pairs with a character sheet")
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument(
        "--cooldown", type=float, default=0.15, help="part of the time in which lr falls to 0"
    )
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument(
        "--begin-with",
        type=Path,
        help="model file to begin a new run with, such as the bundled",
    )
    parser.add_argument("--limit", type=int, help="use so many drawings only, to try the script")
    options = parser.parse_args()
    options.run.mkdir(parents=True, exist_ok=True)

    drawings = readable_drawings(sorted(options.data.glob("train-*.tar")), SHORT_SIDE)[: options.limit]
    held_out = list(readable(SetDrawings(ShardSet(sorted(options.data.glob("val-*.tar"))), SHORT_SIDE)))
    print(f"{len(drawings)} drawings, {len(held_out)} held out", flush=True)
    sets = {kind: list(DataLoader(Validation(held_out, 256, kind), 16)) for kind in VALIDATION_KINDS}
    run = Run(options.run, options.device, options.lr, drawings, options.begin_with)
    train(run, drawings, sets, options)
    provenance = {"steps": run.step, "images": run.images, "sizes": options.sizes, "pixels": options.pixels}
    save_model(
        options.run / "model.safetensors",
        run.average.cpu(),
        provenance=provenance,
        licence=LICENCE,
        half=True,
    )


if __name__ == "__main__":
    main()

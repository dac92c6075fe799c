"""Train the default model for as long as there is time; every run goes on where the last one stopped.

    python tools/train_default.py SHARDS_FOLDER RUN_FOLDER --hours 2

Needs torch, numpy, scipy, opencv-python and safetensors, not fastai, so that it also runs on a borrowed
machine. RUN_FOLDER keeps ``state.pt`` (network, average, optimizer, step; written every few minutes),
``log.csv``, contact sheets, and at the end ``model.safetensors`` (the averaged weights after a cool-down, half
precision). The cool-down is not written into ``state.pt``: the next run goes on from before it.
"""

from __future__ import annotations

import argparse
import csv
import math
import os
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from sketchcolor_cli.color import lab_to_rgb, rgb_to_lab
from sketchcolor_cli.compositing import compose, paint_under
from sketchcolor_cli.model.checkpoint import save_model
from sketchcolor_cli.model.config import HintUNetConfig
from sketchcolor_cli.model.hint_unet import HintUNet, lab_grid
from sketchcolor_cli.training.losses import color_rarity, lattice_shares, paint_loss
from sketchcolor_cli.training.pairs import Drawing, PairRecipe, make_pair
from sketchcolor_cli.training.sources import read_shards

# Icons and avatars are many and alike; pictures with people, places and ink teach more.
SOURCE_WEIGHT = {
    "african_storybook_pairs": 3.0, "open_bible_stories": 1.5, "book_dash": 1.2, "gutenberg_oz_denslow": 2.0,
    "openclipart": 0.6, "streamline_emojis": 0.4, "wesnoth_backgrounds": 0.5, "wesnoth_portraits": 1.0,
    "gen_dicebear_adventurer": 0.6, "gen_dicebear_micah": 0.4, "gen_robohash_set1": 0.4,
    "gen_robohash_set2": 0.4, "gen_robohash_set3": 0.4, "mulberry_symbols_pairs": 0.6, "openmoji_pairs": 0.7,
}  # fmt: skip
# Their pictures are under the GPL alone, which the licence of the weights, CC BY-SA 4.0, cannot take in.
LEFT_OUT = {"gcompris", "tuxpaint_stamps", "hedgewars", "warmux"}
WARM_UP = 300  # steps
AVERAGE = 0.999  # decay of the moving average of the weights, per step
EVERY = 300.0  # seconds between checkpoints
VALIDATION_KINDS = ("none", "points", "painting")


class Pairs(Dataset):
    """Pair number n is the same whenever it is asked for, so that a resumed run sees what an unbroken one would."""

    def __init__(self, drawings: list[Drawing], size: int, first: int, count: int, seed: int) -> None:
        self.drawings, self.size, self.first, self.count, self.seed = drawings, size, first, count, seed
        weights = np.array([SOURCE_WEIGHT.get(d.source, 1.0) for d in drawings])
        self.shares = np.cumsum(weights / weights.sum())

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, number: int) -> tuple[torch.Tensor, ...]:
        rng = np.random.default_rng([self.seed, self.first + number])
        index = min(int(np.searchsorted(self.shares, rng.random())), len(self.drawings) - 1)
        return tensors(make_pair(rng, self.drawings, index, self.size, PairRecipe()))


def tensors(pair) -> tuple[torch.Tensor, ...]:
    """Return sketch, hint, spread, truth as (C, H, W), in half the memory where that loses nothing."""
    planes = (pair.sketch[..., None], pair.hint, pair.spread, pair.truth)
    return tuple(torch.from_numpy(np.ascontiguousarray(p.transpose(2, 0, 1))) for p in planes)


def single_threaded(_worker: int) -> None:
    cv2.setNumThreads(0)
    torch.set_num_threads(1)


def validation(drawings: list[Drawing], size: int) -> dict[str, list[tuple[torch.Tensor, ...]]]:
    sets = {}
    for kind in VALIDATION_KINDS:
        recipe = PairRecipe(hint_kinds={kind: 1.0}, page_share=0, bubble_share=0, augment=False)
        sets[kind] = [
            tuple(
                torch.stack(part)
                for part in zip(
                    *(
                        tensors(make_pair(np.random.default_rng([7, i]), drawings, i, size, recipe))
                        for i in range(start, min(start + 16, len(drawings)))
                    ),
                    strict=True,
                )
            )
            for start in range(0, len(drawings), 16)
        ]
    return sets


def page_lightness(sketch: torch.Tensor) -> torch.Tensor:
    return rgb_to_lab(sketch.expand(-1, 3, -1, -1))[:, :1]


@torch.no_grad()
def colored(model: HintUNet, sketch, hint, spread, dtype) -> torch.Tensor:
    with torch.autocast(sketch.device.type, dtype=dtype, enabled=dtype != torch.float32):
        paint = model(sketch, hint, spread=spread).color
    paint = nn.functional.interpolate(paint.float(), scale_factor=model.stride, mode="bilinear")
    return lab_to_rgb(compose(page_lightness(sketch), paint))


def validate(model, sets, device, dtype, sheet: Path) -> dict[str, float]:
    model.eval()
    figures, rows = {}, []
    for kind, batches in sets.items():
        errors, chroma = [], []
        for batch in batches:
            sketch, hint, spread, truth = (t.to(device) for t in batch)
            result = colored(model, sketch, hint, spread, dtype)
            errors.append((result - truth).square().mean((1, 2, 3)))
            chroma += [
                torch.stack([rgb_to_lab(x)[:, 1:].square().sum(1).sqrt().mean((1, 2)) for x in (result, truth)])
            ]
            if len(rows) < 3 * len(VALIDATION_KINDS):
                shown = [sketch.expand(-1, 3, -1, -1), hint[:, :3] + 0.5 * (1 - hint[:, 3:]), result, truth]
                rows += [torch.cat(list(x[:12]), 2).cpu() for x in (shown if kind == "none" else shown[1:3])]
        figures[f"psnr_{kind}"] = float((-10 * torch.cat(errors).log10()).mean())
        ratio = torch.cat(chroma, 1).mean(1)
        figures[f"chroma_{kind}"] = float(ratio[0] / ratio[1])
    picture = (torch.cat(rows, 1).permute(1, 2, 0).flip(2) * 255).byte().numpy()
    cv2.imwrite(str(sheet), picture)
    return figures


def save(path: Path, state: dict) -> None:
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    os.replace(partial, path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("run", type=Path)
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--sizes", default="128,192,256", help="sides in pixels, one after the other in equal time")
    parser.add_argument("--pixels", type=int, default=16 * 128 * 128, help="pixels in a batch")
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--cooldown", type=float, default=0.15, help="part of the time in which lr falls to 0")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--limit", type=int, help="use so many drawings only (to try the script)")
    options = parser.parse_args()
    options.run.mkdir(parents=True, exist_ok=True)
    device, dtype = torch.device(options.device), torch.bfloat16

    began = time.monotonic()
    shards = read_shards(sorted(options.data.glob("train-*.tar")), 320)
    drawings = [drawing for drawing in shards if drawing.source not in LEFT_OUT][: options.limit]
    held_out = list(read_shards(sorted(options.data.glob("val-*.tar")), 320))[:: 8 if not options.limit else 40]
    print(f"{len(drawings)} drawings, {len(held_out)} held out, {time.monotonic() - began:.0f} s", flush=True)
    sets = validation(held_out, 256)

    torch.manual_seed(0)
    model = HintUNet(HintUNetConfig()).to(device, memory_format=torch.channels_last)
    average = HintUNet(HintUNetConfig()).to(device, memory_format=torch.channels_last)
    average.load_state_dict(model.state_dict())
    decayed = [p for p in model.parameters() if p.ndim > 1]
    plain = [p for p in model.parameters() if p.ndim <= 1]
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": 0.02}, {"params": plain, "weight_decay": 0.0}], lr=options.lr
    )
    lattice = tuple(t.to(device) for t in lab_grid(model.config.lab_step))
    step, seen_images, rarity = 0, 0, None
    state_file = options.run / "state.pt"
    if state_file.exists():
        state = torch.load(state_file, map_location=device, weights_only=True)
        model.load_state_dict(state["model"])
        average.load_state_dict(state["average"])
        optimizer.load_state_dict(state["optimizer"])
        step, seen_images, rarity = state["step"], state["images"], state["rarity"].to(device)
        print(f"going on at step {step}, {seen_images} image-steps", flush=True)
    if rarity is None:
        counts = torch.zeros(len(lattice[0]) * len(lattice[1]), device=device)
        for i in range(400):
            sketch, _, _, truth = (t[None].to(device) for t in Pairs(drawings, 128, 0, 1, 99)[i])
            paint, weight = paint_under(page_lightness(sketch), rgb_to_lab(truth), model.stride)
            corners, shares = lattice_shares(paint[:, 1:], *lattice)
            counts.index_add_(0, corners.flatten(), (shares * weight[:, 1:2]).flatten())
        rarity = color_rarity(counts)

    log = (options.run / "log.csv").open("a", newline="")
    writer = csv.writer(log)
    start, total = time.monotonic(), options.hours * 3600
    stable_until = total * (1 - options.cooldown)
    sizes = [int(s) for s in options.sizes.split(",")]
    saved, cooling, sums, since = start, False, {}, 0

    def state() -> dict:
        return {
            "model": model.state_dict(), "average": average.state_dict(), "optimizer": optimizer.state_dict(),
            "step": step, "images": seen_images, "rarity": rarity,
        }  # fmt: skip

    def report(lr: float) -> None:
        figures = validate(average, sets, device, dtype, options.run / f"sheet-{step:07d}.png")
        row = {
            "minutes": round((time.monotonic() - start) / 60, 1), "step": step, "images": seen_images,
            "size": size, "lr": f"{lr:.2e}", **{k: round(v / max(since, 1), 4) for k, v in sums.items()},
            **{k: round(v, 3) for k, v in figures.items()},
        }  # fmt: skip
        writer.writerow([f"{k}={v}" for k, v in row.items()])
        log.flush()
        print(row, flush=True)

    for phase, size in enumerate(sizes):
        phase_end = total * (phase + 1) / len(sizes)
        batch = max(4, options.pixels // size**2)
        pairs = Pairs(drawings, size, seen_images, 10**8, seed=1)
        loader = DataLoader(
            pairs, batch, num_workers=options.workers, worker_init_fn=single_threaded,
            prefetch_factor=6 if options.workers else None, pin_memory=device.type == "cuda",
        )  # fmt: skip
        for sketch, hint, spread, truth in loader:
            now = time.monotonic() - start
            if now >= phase_end:
                break
            if now >= stable_until and not cooling:
                save(state_file, state())
                cooling = True
            lr = options.lr * min(1, (step + 1) / WARM_UP)
            if cooling:
                lr *= max(0.01, (total - now) / (total - stable_until))
            for group in optimizer.param_groups:
                group["lr"] = lr
            model.train()
            sketch, hint, spread, truth = (t.to(device, non_blocking=True) for t in (sketch, hint, spread, truth))
            with torch.autocast(device.type, dtype=dtype):
                prediction = model(sketch, hint, spread=spread)
            parts = paint_loss(prediction, page_lightness(sketch), rgb_to_lab(truth), lattice, rarity)
            optimizer.zero_grad(set_to_none=True)
            parts["total"].backward()
            norm = nn.utils.clip_grad_norm_(model.parameters(), 2.0)
            if not math.isfinite(float(norm)):
                raise SystemExit(f"the loss became NaN at step {step}; state.pt is the last good state")
            optimizer.step()
            step, seen_images, since = step + 1, seen_images + len(sketch), since + 1
            decay = min(AVERAGE, (1 + step) / (10 + step))
            with torch.no_grad():
                for mean, value in zip(average.state_dict().values(), model.state_dict().values(), strict=True):
                    if mean.dtype.is_floating_point:
                        mean.lerp_(value, 1 - decay)
            for name, value in parts.items():
                sums[name] = sums.get(name, 0.0) + float(value.detach())
            if time.monotonic() - saved > EVERY:
                if not cooling:
                    save(state_file, state())
                report(lr)
                saved, sums, since = time.monotonic(), {}, 0
        del loader
    report(0.0)
    save_model(
        options.run / "model.safetensors", average.cpu().eval(),
        provenance={"steps": step, "images": seen_images, "sizes": options.sizes, "hours_of_last_run": options.hours},
        licence="see the model card", half=True,
    )  # fmt: skip


if __name__ == "__main__":
    main()

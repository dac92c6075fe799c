"""Train a network that draws lines for as long as there is time; a run goes on where the last one stopped.

    python tools/train_linework.py SHARDS_FOLDER RUN_FOLDER --minutes 60

Needs torch, numpy, scipy, opencv-python and safetensors, not fastai. RUN_FOLDER keeps ``state.pt`` (network,
average, optimizer, step; written every few minutes), ``log.csv``, contact sheets, and at the end
``linework.safetensors``: the averaged weights after a cool-down, normalisation folded into the convolutions,
in half precision. The cool-down is not written into ``state.pt``: the next run goes on from before it.

A pair is a coloured picture and the line drawing of it. Real pairs are cut, turned, scaled and recoloured.
From the same line drawings synthetic pairs are made: the areas between the lines are filled with new colours,
shading and texture, and the lines are drawn in any colour or left out.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch
from safetensors.torch import save_file
from scipy import ndimage
from sources import LEFT_OUT, single_threaded
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, max_pool2d
from torch.utils.data import DataLoader, Dataset
from training_run import Session, check_gradients, follow, log

from sketchcolor_cli.color.luma import LUMA
from sketchcolor_cli.data.pictures import to_unit
from sketchcolor_cli.data.shards import ShardSet
from sketchcolor_cli.imaging.picture import Picture, to_array
from sketchcolor_cli.imaging.resize import shrink_by
from sketchcolor_cli.imaging.writing import write_picture
from sketchcolor_cli.training.files import save_state
from sketchcolor_cli.training.loop.data import SetDrawings, readable
from sketchcolor_plugins.linework.network import Linework

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.random import Generator

    from sketchcolor_cli.training.pairs.pairs import Drawing

# Children's-book pictures with an artist's outline count for most; icons and avatars are many and alike.
SHARES = {
    "african_storybook_pairs": 0.44, "openclipart": 0.16, "openclipart_pairs": 0.06,
    "gophers_vector_pairs": 0.03, "gen_dicebear_adventurer": 0.06, "gen_dicebear_micah": 0.04,
    "gen_dicebear_open_peeps": 0.04, "gen_facesjs": 0.05, "mulberry_symbols_pairs": 0.05,
    "openmoji_pairs": 0.04, "streamline_emojis": 0.03,
}  # fmt: skip
# Drawn by hand over the picture: off by a pixel or two here and there, where the others are exact.
BY_HAND = {"african_storybook_pairs", "openclipart_pairs"}
LICENCE = "CC BY-SA 4.0; attributions by tools/attribution.py"
SYNTHETIC = 0.35  # share of pairs that are coloured again
WARM_UP = 100  # steps
AVERAGE = 0.99  # decay of the moving average of the weights, per step
EVERY = 480.0  # seconds between checkpoints
OFF = 2  # pixels that a hand-drawn line may be off
BLACK = 0.05  # luma; darker is solid black
BLANK = 0.05  # share of pictures without any line
ODDS = (
    0.5  # the loss overrates lines: on training pairs F is highest between 0.4 and 0.6 of the network's odds
)


def ink_of(line: np.ndarray) -> np.ndarray:
    """Return a line drawing's ink, H×W in [0, 1]: pencil grey becomes black, paper grain becomes paper."""
    ink = 1 - to_unit(line)
    drawn = ink[ink > 0.2]
    darkest = max(0.35, float(np.percentile(drawn, 90))) if drawn.size else 1.0
    return np.asarray(np.clip((ink / darkest - 0.25) / 0.45, 0, 1), np.float32)


class Pairs(Dataset[tuple[Tensor, Tensor, Tensor]]):
    """Pair number n is the same whenever it is asked for: a resumed run sees what an unbroken one would."""

    def __init__(
        self, drawings: Sequence[Drawing], textures: Sequence[Drawing], size: int, first: int
    ) -> None:
        self.drawings, self.textures, self.size, self.first = drawings, textures, size, first
        counts: dict[str, int] = {}
        for drawing in drawings:
            counts[drawing.source] = counts.get(drawing.source, 0) + 1
        weights = np.array(
            [SHARES.get(drawing.source, 0.01) / counts[drawing.source] for drawing in drawings]
        )
        self.shares = np.cumsum(weights / weights.sum())

    def __len__(self) -> int:
        return 10**9

    def __getitem__(self, number: int) -> tuple[Tensor, Tensor, Tensor]:
        rng = np.random.default_rng([5, self.first + number])
        index = min(int(np.searchsorted(self.shares, rng.random())), len(self.drawings) - 1)
        drawing = self.drawings[index]
        color, ink = cut(rng, drawing, self.size)
        if rng.random() < BLANK:
            color, ink = blank(rng, self.size)
        elif rng.random() < SYNTHETIC:
            other = self.textures[int(rng.integers(len(self.textures)))].color
            color, ink = painted(rng, ink, cv2.resize(random_crop(rng, other, self.size), ink.shape[::-1]))
        elif rng.random() < 0.35:
            color = tinted_lines(rng, color, ink)
        if rng.random() < 0.3:
            other = self.textures[int(rng.integers(len(self.textures)))].color
            color = grained(rng, color, random_crop(rng, other, self.size))
        color, black = developed(rng, color)
        ink = np.maximum(ink, black)
        hand = torch.tensor(float(drawing.source in BY_HAND))
        return (
            torch.from_numpy(np.ascontiguousarray(color.transpose(2, 0, 1))),
            torch.from_numpy(ink[None]),
            hand,
        )


def blank(rng: Generator, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a picture of one colour or a soft change of colour, side×side×3, and its ink: none."""
    color = rng.random(3).astype(np.float32) * rng.uniform(0.3, 1)
    color = (
        color + (rng.random(3).astype(np.float32) - color) * smooth(rng, side, 3)[..., None] * rng.random()
    )
    return color.astype(np.float32), np.zeros((side, side), np.float32)


def random_crop(rng: Generator, picture: np.ndarray, side: int) -> np.ndarray:
    height, width = picture.shape[:2]
    side = min(side, height, width)
    top, left = rng.integers(height - side + 1), rng.integers(width - side + 1)
    return picture[top : top + side, left : left + side]


def cut(rng: Generator, drawing: Drawing, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a turned and scaled part of a drawing, size×size×3, and its ink, size×size; float32 in [0, 1].

    Fine work is seen at its own size or smaller, and enlarged up to four times: as on a page of 3000 pixels.
    """
    height, width = drawing.color.shape[:2]
    scale = float(np.exp(rng.uniform(math.log(0.3), math.log(1.4))))
    if rng.random() < 0.3:
        scale = float(np.exp(rng.uniform(math.log(1.4), math.log(4))))
    if drawing.source == "african_storybook_pairs":
        scale = max(scale, 0.75)  # their lines are thin, and at a smaller size gone
    angle = rng.uniform(-15, 15) if rng.random() < 0.4 else 0.0
    center = rng.uniform(0.15, 0.85) * width, rng.uniform(0.15, 0.85) * height
    if scale * min(height, width) < size:
        center = width / 2, height / 2
    matrix = cv2.getRotationMatrix2D(center, angle, scale)
    if rng.random() < 0.5:
        matrix[0] *= -1
        matrix[0, 2] = -matrix[0, 2]
    matrix[:, 2] += size / 2 - matrix[:, :2] @ np.array(center) - matrix[:, 2]
    way = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
    color, line = drawing.color, drawing.line
    assert line is not None
    if scale < 1:  # warping does not average
        color, line = (shrink_by(picture, scale) for picture in (color, line))
        matrix[:, :2] /= scale
    edge = cv2.BORDER_REFLECT_101 if rng.random() < 0.5 else cv2.BORDER_REPLICATE
    color, line = (
        cv2.warpAffine(
            picture,
            matrix,
            (size, size),
            flags=cv2.INTER_CUBIC if way == cv2.INTER_CUBIC else cv2.INTER_LINEAR,
            borderMode=edge,
        )
        for picture in (color, line)
    )
    return to_unit(color), ink_of(line)


def smooth(rng: Generator, side: int, cells: int) -> np.ndarray:
    """Return a smooth random field, side×side in [0, 1]."""
    coarse = rng.random((cells, cells)).astype(np.float32)
    return np.asarray(cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC).clip(0, 1))


def painted(rng: Generator, ink: np.ndarray, texture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a new coloured picture for a line drawing, and the ink that is due.

    Areas are filled, shaded and textured; lines are in some colour, or left out, and the due ink is then
    where two areas meet.
    """
    side = len(ink)
    areas, count = ndimage.label(ink < 0.35)
    palette = rng.random((count + 1, 3)).astype(np.float32) ** rng.uniform(0.5, 1.6)
    if rng.random() < 0.6:  # harmonious: near one colour
        palette = palette * 0.5 + rng.random(3).astype(np.float32) * 0.5
    sizes = np.bincount(areas.ravel(), minlength=count + 1)
    if rng.random() < 0.4:
        palette[1 + int(np.argmax(sizes[1:]))] = rng.uniform(0.9, 1) if count else 1
    nearest = ndimage.distance_transform_edt(areas == 0, return_distances=False, return_indices=True)
    areas = areas[tuple(nearest)]
    fill = palette[areas]
    fill *= 1 - rng.uniform(0, 0.6) * smooth(rng, side, int(rng.integers(2, 6)))[..., None]
    if rng.random() < 0.4:  # cast shadows with an edge: no line belongs there
        shade = smooth(rng, side, int(rng.integers(3, 7))) > rng.uniform(0.5, 0.7)
        fill = np.where(shade[..., None], fill * rng.uniform(0.6, 0.9), fill)
    if rng.random() < 0.5:
        grain = cv2.GaussianBlur(texture.astype(np.float32) / 255, (0, 0), rng.uniform(1, 6))
        fill = fill * (1 - 0.5 * rng.random() * (1 - grain))
    if rng.random() < 0.3:
        flat = palette[areas]
        change = cv2.dilate(flat, np.ones((2, 2), np.uint8)) - cv2.erode(flat, np.ones((2, 2), np.uint8))
        edges = (change.max(2) > 0.12).astype(np.float32)
        fill = cv2.GaussianBlur(np.clip(fill, 0, 1), (0, 0), rng.uniform(0.3, 0.9))
        return fill.astype(np.float32), cv2.GaussianBlur(edges, (0, 0), 0.4)
    return tinted_lines(rng, fill, ink, bare=True), ink


def tinted_lines(rng: Generator, color: np.ndarray, ink: np.ndarray, *, bare: bool = False) -> np.ndarray:
    """Return the picture with its lines black, in a colour, or in a darker shade of what is around them."""
    kind = rng.random()
    if kind < 0.3:
        line = np.full(3, rng.uniform(0, 0.2), np.float32)
    elif kind < 0.6:
        line = rng.random(3).astype(np.float32) * rng.uniform(0.3, 0.7)
    else:
        around = cv2.blur(color, (9, 9))
        line = around * rng.uniform(0.3, 0.8) * (0.7 + 0.3 * rng.random(3).astype(np.float32))
    if float((np.abs(line - cv2.blur(color, (9, 9))).mean(2) * ink).sum()) < 0.12 * float(ink.sum()):
        line = np.full(3, 0.05, np.float32)  # it would not be seen
    share = (ink * (rng.uniform(0.6, 1) if bare else rng.uniform(0.3, 0.9)))[..., None]
    color = np.clip(color * (1 - share) + line * share, 0, 1)
    solid = cv2.morphologyEx(ink, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (11, 11)))
    return np.asarray(color * (1 - solid[..., None]) + 0.02 * solid[..., None], np.float32)


def grained(rng: Generator, color: np.ndarray, texture: np.ndarray) -> np.ndarray:
    """Return the picture on paper or canvas with a faint grain, which is not a line."""
    side = len(color)
    if rng.random() < 0.5:
        noise = rng.normal(0, 1, (side, side)).astype(np.float32)
        grain = cv2.GaussianBlur(noise, (0, 0), rng.uniform(0.6, 2.5))
        grain = grain / (grain.std() + 1e-6) * rng.uniform(0.01, 0.05)
    else:
        luma = cv2.resize(texture, (side, side)).astype(np.float32).mean(2) / 255
        grain = (luma - cv2.GaussianBlur(luma, (0, 0), 4)) * rng.uniform(0.05, 0.2)
    return np.asarray(np.clip(color + grain[..., None], 0, 1), np.float32)


def developed(rng: Generator, color: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the picture with other colours, contrast, blur, grain and JPEG: what files have gone through.

    The second is what is black in it, H×W in [0, 1]: black areas are ink, whatever they show.
    """
    if rng.random() < 0.3:
        color = color[..., rng.permutation(3)]
    if rng.random() < 0.15:
        gray = color @ LUMA
        color = gray[..., None] + (color - gray[..., None]) * np.float32(rng.uniform(0, 1.6))
    if rng.random() < 0.5:
        color = np.clip(color, 0, 1) ** np.float32(np.exp(rng.uniform(-0.5, 0.5)))
    if rng.random() < 0.15:  # night
        color = color * np.float32(rng.uniform(0.15, 0.6))
    elif rng.random() < 0.4:
        low, high = rng.uniform(0, 0.07, 3), rng.uniform(0.8, 1, 3)
        color = low + color * (high - low)
    luma = cv2.GaussianBlur(color.astype(np.float32), (0, 0), 0.8) @ LUMA
    black = np.clip((BLACK - luma) / 0.015, 0, 1)
    if rng.random() < 0.3:
        color = cv2.GaussianBlur(color, (0, 0), rng.uniform(0.3, 1.1))
    if rng.random() < 0.35:
        color = color + rng.normal(0, rng.uniform(0.005, 0.04), color.shape)
    color = np.clip(color, 0, 1).astype(np.float32)
    if rng.random() < 0.35:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(35, 95))]
        _, data = cv2.imencode(".jpg", (color * 255).astype(np.uint8), quality)
        color = to_unit(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR)))
    return color, black.astype(np.float32)


def loss_of(logits: Tensor, ink: Tensor, hand: Tensor) -> dict[str, Tensor]:
    """Return the parts of the loss; ``hand`` (N) says where lines may be off by a little."""
    hand = hand[:, None, None, None]
    reach = 2 * OFF + 1
    near = max_pool2d(ink, 3, 1, 1)
    beside = (near - ink).clamp(0, 1)  # paper next to a line: may be the line where it was drawn by hand
    weight = 1 + 0.5 * ink - beside * (0.1 + 0.5 * hand)
    each = binary_cross_entropy_with_logits(logits, ink, reduction="none")
    entropy = (each * weight).sum((1, 2, 3)) / weight.sum((1, 2, 3))
    drawn = logits.sigmoid()
    allowed = torch.lerp(ink, near, hand.expand_as(ink))
    found = torch.lerp(drawn, max_pool2d(drawn, reach, 1, OFF), hand.expand_as(ink))
    few = 20.0  # pixels; a part that is blank cannot be scored
    precision = ((drawn * allowed).sum((1, 2, 3)) + few) / (drawn.sum((1, 2, 3)) + few)
    recall = ((found * ink).sum((1, 2, 3)) + few) / (ink.sum((1, 2, 3)) + few)
    score = 2 * precision * recall / (precision + recall)
    return {"entropy": entropy.mean(), "score": 1 - score.mean()}


def line_score(drawn: np.ndarray, truth: np.ndarray, off: int = OFF) -> tuple[float, float, float]:
    """Return F-score, precision and recall of ink pixels, H×W of bool, ``off`` pixels off allowed."""
    around = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * off + 1, 2 * off + 1))
    near_truth, near_drawn = (cv2.dilate(lines.astype(np.uint8), around) > 0 for lines in (truth, drawn))
    precision = float(near_truth[drawn].mean()) if drawn.any() else 1.0
    recall = float(near_drawn[truth].mean()) if truth.any() else 1.0
    return 2 * precision * recall / max(1e-9, precision + recall), precision, recall


@torch.no_grad()
def validate(model: nn.Module, drawings: Sequence[Drawing], sheet: Path) -> dict[str, float]:
    """Return the mean F-score of hand-drawn and of exact lines; write a contact sheet."""
    model.eval()
    scores: dict[str, list[float]] = {"hand": [], "exact": []}
    shown: list[Tensor] = []
    for drawing in drawings:
        height, width = (side // 16 * 16 for side in drawing.color.shape[:2])
        color = torch.from_numpy(to_unit(drawing.color[:height, :width]).transpose(2, 0, 1)[None])
        with torch.autocast("cpu", torch.bfloat16):
            drawn = model(color).float().sigmoid()
        kind = "hand" if drawing.source in BY_HAND else "exact"
        assert drawing.line is not None
        truth = drawing.line[:height, :width] < 128
        scores[kind].append(line_score((drawn > 0.5).numpy()[0, 0], truth)[0])
        if len(shown) < 24 and height >= 256 and width >= 256:
            shown.append(torch.cat([color, 1 - drawn.expand(-1, 3, -1, -1)], 3)[:, :, :256, : 2 * width])
    tiles = [torch.cat([row[..., :256], row[..., row.shape[3] // 2 :][..., :256]], 3) for row in shown]
    rows = [torch.cat(tiles[start : start + 4], 3) for start in range(0, len(tiles) - 3, 4)]
    if rows:
        write_picture(sheet, Picture(to_array(torch.cat(rows, 2).clamp(0, 1))))
    return {name: float(np.mean(values)) for name, values in scores.items() if values}


class Run:
    """Network, average, optimizer and counters, and their file."""

    def __init__(self, folder: Path, lr: float) -> None:
        torch.manual_seed(0)
        self.folder, self.lr = folder, lr
        self.model, self.average = (
            Linework(norm=True).to(memory_format=torch.channels_last) for _ in range(2)
        )
        self.average.load_state_dict(self.model.state_dict())
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=lr, weight_decay=0.01)
        self.step = self.images = self.fresh = 0
        self.file = folder / "state.pt"
        if self.file.exists():
            state = torch.load(self.file, map_location="cpu", weights_only=True)
            for name in ("model", "average", "optimizer"):
                getattr(self, name).load_state_dict(state[name])
            self.step, self.images = state["step"], state["images"]
            print(f"going on at step {self.step}, {self.images} image-steps", flush=True)

    def save(self) -> None:
        """Write the state that the next run goes on from."""
        state = {name: getattr(self, name).state_dict() for name in ("model", "average", "optimizer")}
        save_state(self.file, {**state, "step": self.step, "images": self.images})

    def learn(self, batch: Sequence[Tensor], lr: float) -> dict[str, float]:
        """Take one step; return the parts of the loss."""
        self.model.train()
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        color, ink, hand = batch
        with torch.autocast("cpu", torch.bfloat16):
            logits = self.model(color.contiguous(memory_format=torch.channels_last))
        parts = loss_of(logits.float(), ink, hand)
        self.optimizer.zero_grad(set_to_none=True)
        (parts["entropy"] + 0.5 * parts["score"]).backward()  # type: ignore[no-untyped-call]
        check_gradients(self.model, self.step, self.file)
        self.optimizer.step()
        self.step, self.images = self.step + 1, self.images + len(color)
        follow(self.average, self.model, min(AVERAGE, (1 + self.step) / (10 + self.step)))
        return {name: float(value.detach()) for name, value in parts.items()}


def train(run: Run, pairs: Pairs, held_out: Sequence[Drawing], options: argparse.Namespace) -> None:
    """Train for the given minutes, cool down at the end, and write the averaged weights."""

    def report(facts: Mapping[str, float], drawings: Sequence[Drawing] = held_out[::4]) -> None:
        figures = validate(run.average, drawings, run.folder / f"sheet-{run.step:06d}.png")
        log(run.folder, {"step": run.step, "images": run.images, **facts, **figures})

    session = Session(
        run, options.minutes * 60, cooldown=options.cooldown, warm_up=WARM_UP, every=EVERY, report=report
    )
    loader = DataLoader(
        pairs, options.batch, num_workers=options.workers, worker_init_fn=single_threaded,
        prefetch_factor=4 if options.workers else None,
    )  # fmt: skip
    session.learn(loader)
    header = {"licence": LICENCE, "steps": str(run.step), "images": str(run.images)}
    save_file(fused(run.average), run.folder / "linework.safetensors", header)
    report({"minutes": session.elapsed / 60}, held_out)


def fused(model: Linework) -> dict[str, Tensor]:
    """Return the weights in float16, batch normalisation folded into the convolutions, odds put right."""
    plain = Linework()
    with torch.no_grad():
        for name, block in model.named_modules():
            if isinstance(block, nn.Conv2d) and block.bias is not None:
                plain.get_submodule(name).load_state_dict(block.state_dict())
            elif isinstance(block, nn.Sequential) and len(block) == 3:
                convolution, norm, _ = block.eval()
                if not isinstance(convolution, nn.Conv2d) or not isinstance(norm, nn.BatchNorm2d):
                    continue
                folded = nn.utils.fusion.fuse_conv_bn_eval(convolution, norm)
                plain.get_submodule(f"{name}.0").load_state_dict(folded.state_dict())
        assert plain.last.bias is not None
        plain.last.bias += math.log(ODDS)
    return {name: value.half().contiguous() for name, value in plain.state_dict().items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder with train-*.tar and val-*.tar")
    parser.add_argument("run", type=Path, help="folder of the run")
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--size", type=int, default=192, help="side of a part in pixels, a multiple of 16")
    parser.add_argument("--batch", type=int, default=12)
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--cooldown", type=float, default=0.2, help="part of the time in which lr falls to 0")
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    options.run.mkdir(parents=True, exist_ok=True)

    found = [
        drawing
        for drawing in readable(SetDrawings(ShardSet(sorted(options.data.glob("train-*.tar"))), 352))
        if drawing.source not in LEFT_OUT
    ]
    drawings = [drawing for drawing in found if drawing.line is not None]
    held_out = [
        drawing
        for drawing in readable(SetDrawings(ShardSet(sorted(options.data.glob("val-*.tar"))), 352))
        if drawing.line is not None
    ]
    print(
        f"{len(drawings)} pairs, {len(found) - len(drawings)} textures, {len(held_out)} held out", flush=True
    )
    run = Run(options.run, options.lr)
    textures = [drawing for drawing in found if drawing.line is None]
    train(run, Pairs(drawings, textures, options.size, run.images), held_out, options)


if __name__ == "__main__":
    main()

"""Train the matcher of pages and character sheets; every run goes on where the last one stopped.

    python tools/train_matcher.py SHARDS_FOLDER RUN_FOLDER --hours 2

Begins with the weights of the bundled default model, or with ``--begin-with`` of a matcher, such as the
bundled one. RUN_FOLDER keeps ``state.pt`` (network, average, optimizer, step; written every few minutes),
``log.csv``, and at the end ``matcher.safetensors``: the averaged weights after a cool-down, half precision.
The cool-down is not written into ``state.pt``: the next run goes on from before it.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from sources import LICENCE, SOURCE_WEIGHT, readable_drawings, single_threaded
from torch import Tensor
from torch.nn import functional as F  # noqa: N812
from torch.utils.data import DataLoader, Dataset
from training_run import Optimizer, Session, check_gradients, follow, log

from sketchcolor_cli.networks.checkpoint import load_model, save_model
from sketchcolor_cli.networks.hint_unet import HintUNet
from sketchcolor_cli.networks.matcher import Matcher
from sketchcolor_cli.networks.registry import BUNDLED
from sketchcolor_cli.training.files import save_state
from sketchcolor_cli.training.pairs.matches import MatchPair, MatchRecipe, make_match_pair
from sketchcolor_cli.training.pairs.pairs import find_kin

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from sketchcolor_cli.training.pairs.pairs import Drawing

    Batches = list[list[Tensor]]

# Emoji and pictograms are many and alike; stories and portraits teach more.
WEIGHT = SOURCE_WEIGHT | {
    "wesnoth_portraits": 1.2, "robotutor_stories": 3.0, "openclipart_more": 0.7, "openmoji_more": 0.2,
    "mulberry_more": 0.15, "emoji_noto": 0.2, "emoji_fluent": 0.2, "emoji_twemoji": 0.2,
    "emoji_emojione": 0.2, "gen_dicebear_adventurer": 0.8, "gen_dicebear_micah": 0.5,
}  # fmt: skip
HELD_OUT = {"morevna_characters"}
"""Sources that are measured on and never learnt from."""
NO_STORY = {"wesnoth_portraits"}
"""Sources whose groups are of peoples, not of characters."""
PARTS = tuple(MatchPair.__dataclass_fields__)
SHORT_SIDE = 240  # pixels of a drawing in memory
SAME = 10.0  # distance in Lab of colours that are about the same
ON_SHEET = 12.0  # the same, up to which a colour is on the sheet at all
NEAR = 0.035  # distance of places that are about the same, in parts of a drawing's longer side
POSITION = 0.5  # weight of the loss on places beside that on colours
BESIDE = 0.5  # share of the pairs that have a stranger's sheet beside their own
WARM_UP = 100  # steps
AVERAGE = 0.998  # decay of the moving average of the weights, per step
EVERY = 600.0  # seconds between checkpoints


class Pairs(Dataset[tuple[Tensor, ...]]):
    """Pair number n is the same whenever it is asked for: a resumed run sees what an unbroken one would."""

    def __init__(
        self, drawings: Sequence[Drawing], size: int, first: int, seed: int, recipe: MatchRecipe | None = None
    ) -> None:
        self.drawings, self.size, self.first, self.seed = drawings, size, first, seed
        self.recipe = recipe or MatchRecipe()
        weights = np.array([WEIGHT.get(drawing.source, 1.0) for drawing in drawings])
        self.shares = np.cumsum(weights / weights.sum())
        self.kin = find_kin("" if drawing.source in NO_STORY else drawing.group for drawing in drawings)

    def __len__(self) -> int:
        return 10**9

    def __getitem__(self, number: int) -> tuple[Tensor, ...]:
        rng = np.random.default_rng([self.seed, self.first + number])
        index = min(int(np.searchsorted(self.shares, rng.random())), len(self.drawings) - 1)
        pair = make_match_pair(rng, self.drawings, index, self.size, self.recipe, self.kin)
        return tuple(torch.from_numpy(np.asarray(getattr(pair, part))) for part in PARTS)


def match_loss(
    model: Matcher, batch: dict[str, Tensor], rng: np.random.Generator | None = None
) -> tuple[Tensor, dict[str, float]]:
    """Return the loss of a batch, and figures about it.

    −log Σⱼ Aᵢⱼ exp(−dᵢⱼ²/2σ²): attention is to be where the colour is that of the page's place, and where
    both show one picture, where the place is the same. With ``rng`` some pairs get another's sheet beside
    their own.
    """
    count = len(batch["page"])
    lines = torch.cat([batch["page"], batch["sheet"]]).contiguous(memory_format=torch.channels_last)
    with torch.autocast(lines.device.type, torch.bfloat16):
        features = model(lines, torch.cat([torch.zeros_like(batch["colors"]), batch["colors"]]))
        queries, keys = model.queries(features[:count]), model.keys(features[count:])
    colors, places = batch["sheet_lab"], batch["sheet_place"]
    absent = torch.zeros(count, 1, keys.shape[1], device=keys.device)
    if rng is not None:
        alone = torch.from_numpy(rng.random(count) >= BESIDE).to(keys.device)
        keys, colors = (torch.cat([part, part.roll(1, 0)], 1) for part in (keys, colors))
        places = torch.cat([places, torch.full_like(places, -1e3)], 1)
        absent = torch.cat([absent, absent - 1e4 * alone[:, None, None]], 2)
    attention = F.log_softmax(model.logits(queries, keys) + absent, -1)
    unlike, apart = _square(batch["page_lab"], colors), _square(batch["page_place"], places)
    on_sheet = (unlike - absent).amin(-1) < ON_SHEET**2
    weight = batch["weight"] * on_sheet
    by_color = -torch.logsumexp(attention - unlike / (2 * SAME**2), -1)
    by_place = -torch.logsumexp(attention - (apart / (2 * NEAR**2)).clamp(max=60), -1)
    known = (apart.amin(-1) < 0.06**2) * batch["same"][:, None] * batch["weight"].clamp_min(0.1)
    color, place = _mean(by_color.clamp(max=30), weight), _mean(by_place, known)
    with torch.no_grad():
        found = (attention.exp() @ colors - batch["page_lab"]).norm(dim=-1)
        chosen = colors.gather(1, attention.argmax(-1)[..., None].expand(-1, -1, 3))
        off = (chosen - batch["page_lab"]).norm(dim=-1)
        figures = {"color": color, "place": place, "soft_error": _mean(found, weight)}
        figures |= {"error": _mean(off, weight), "within_15": _mean((off < 15).float(), weight)}
    return color + POSITION * place, {name: float(value.detach()) for name, value in figures.items()}


def _square(first: Tensor, second: Tensor) -> Tensor:
    return torch.cdist(first, second, compute_mode="donot_use_mm_for_euclid_dist").square()


def _mean(values: Tensor, weight: Tensor) -> Tensor:
    return (values * weight).sum() / weight.sum().clamp_min(1)


class Run:
    """Network, average, optimizer and counters, and their file."""

    def __init__(self, folder: Path, device: str, lr: float, begin_with: Path | None) -> None:
        torch.manual_seed(0)
        self.folder, self.device, self.lr = folder, device, lr
        self.model, self.average = (
            Matcher().to(device).to(memory_format=torch.channels_last) for _ in range(2)
        )
        self.step = self.images = self.fresh = 0  # fresh: the step at which the optimizer knew nothing yet
        if begin_with is None:
            self.model.begin_with(load_model(BUNDLED / "default.safetensors", HintUNet)[0])
        else:
            model, info = load_model(begin_with, Matcher)
            self.model.load_state_dict(model.state_dict())
            self.step = self.fresh = int(info.provenance["steps"])
            self.images = int(info.provenance["images"])  # counted on, so that the pairs are new ones too
        self.average.load_state_dict(self.model.state_dict())
        # Norms keep the statistics they came with: pages and sheets share them, in every mixture.
        self.model.eval()
        self.average.eval()
        self.optimizer = Optimizer(self.model, lr, outer={"stem", "query", "key"})
        self.file = folder / "state.pt"
        if self.file.exists():
            state = torch.load(self.file, map_location=device, weights_only=True)
            self.model.load_state_dict(state["model"])
            self.average.load_state_dict(state["average"])
            self.step, self.images, self.fresh = state["step"], state["images"], state["fresh"]
            self.optimizer.load(state)
            print(f"going on at step {self.step}, {self.images} pairs", flush=True)

    def save(self) -> None:
        """Write the state that the next run goes on from."""
        state: dict[str, Any] = {"model": self.model.state_dict(), "average": self.average.state_dict()}
        state |= {"step": self.step, "images": self.images, "fresh": self.fresh}
        save_state(self.file, state | self.optimizer.state())

    def learn(self, batch: Sequence[Tensor], lr: float) -> dict[str, float]:
        """Take one step; return the parts of the loss."""
        named = {name: part.to(self.device) for name, part in zip(PARTS, batch, strict=True)}
        loss, figures = match_loss(self.model, named, np.random.default_rng([3, self.step]))
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        check_gradients(self.model, self.step, self.file)
        self.optimizer.step_at(lr)
        self.step, self.images = self.step + 1, self.images + len(batch[0])
        follow(self.average, self.model, min(AVERAGE, (1 + self.step) / (10 + self.step)))
        return figures


@torch.no_grad()
def validate(model: Matcher, sets: Mapping[str, Batches], device: str) -> dict[str, float]:
    """Return the figures of each set of batches."""
    found: dict[str, float] = {}
    for name, batches in sets.items():
        rows = [
            match_loss(model, dict(zip(PARTS, (x.to(device) for x in b), strict=True)))[1] for b in batches
        ]
        found |= {f"{name}_{key}": float(np.mean([row[key] for row in rows])) for key in rows[0]}
    return found


def validation_sets(drawings: Sequence[Drawing]) -> dict[str, Batches]:
    """Return plain pairs of held-out drawings, bent and of one story, and of figures drawn by code."""
    nothing = MatchRecipe(**dict.fromkeys(MatchRecipe.__dataclass_fields__, 0.0))
    recipes = {
        "bent": nothing,
        "story": replace(nothing, kin_share=1.0),
        "drawn": replace(nothing, figure_share=1.0),
    }
    return {
        name: [
            batch for _, batch in zip(range(4), DataLoader(Pairs(drawings, 192, 0, 5, how), 16), strict=False)
        ]
        for name, how in recipes.items()
    }


def train(
    run: Run, drawings: Sequence[Drawing], sets: Mapping[str, Batches], options: argparse.Namespace
) -> None:
    """Train for the given hours, at each size for an equal part of them; cool down at the end."""

    def report(facts: Mapping[str, float]) -> None:
        figures = validate(run.average, sets, run.device)
        log(run.folder, {"step": run.step, "images": run.images, "size": size, **facts, **figures})

    session = Session(
        run, options.hours * 3600, cooldown=options.cooldown, warm_up=WARM_UP, every=EVERY, report=report
    )
    sizes = [int(size) for size in options.sizes.split(",")]
    for phase, size in enumerate(sizes, start=1):
        loader = DataLoader(
            Pairs(drawings, size, run.images, seed=1),
            options.batch,
            num_workers=options.workers,
            worker_init_fn=single_threaded,
            prefetch_factor=8 if options.workers else None,
            pin_memory=run.device == "cuda",
        )
        session.learn(loader, phase / len(sizes))
    session.tell()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder with train-*.tar, perhaps more-*.tar, and val-*.tar")
    parser.add_argument("run", type=Path, help="folder of the run")
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument(
        "--sizes", default="160,192", help="sides in pixels, each for an equal part of the time"
    )
    parser.add_argument("--batch", type=int, default=16, help="pairs in a batch")
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument(
        "--cooldown", type=float, default=0.25, help="part of the time in which lr falls to 0"
    )
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument(
        "--begin-with", type=Path, help="matcher to begin a new run with, such as the bundled"
    )
    options = parser.parse_args()
    options.run.mkdir(parents=True, exist_ok=True)
    learnt = sorted([*options.data.glob("train-*.tar"), *options.data.glob("more-*.tar")])
    drawings = [
        drawing for drawing in readable_drawings(learnt, SHORT_SIDE) if drawing.source not in HELD_OUT
    ]
    held_out = readable_drawings(sorted(options.data.glob("val-*.tar")), SHORT_SIDE)
    print(f"{len(drawings)} drawings, {len(held_out)} held out", flush=True)
    run = Run(options.run, options.device, options.lr, options.begin_with)
    train(run, drawings, validation_sets(held_out), options)
    provenance = {"steps": run.step, "images": run.images, "sizes": options.sizes, "batch": options.batch}
    save_model(
        options.run / "matcher.safetensors",
        run.average.cpu(),
        provenance=provenance,
        licence=LICENCE,
        half=True,
    )


if __name__ == "__main__":
    main()

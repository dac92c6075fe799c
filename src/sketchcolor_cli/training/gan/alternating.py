"""How generator and critic take turns (NoGAN; Antic 2018, DeOldify): callbacks and the optimizers of both."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sketchcolor_cli.training.files import append_row, drop_rows
from sketchcolor_cli.training.gan.early_stopping import EarlyStopping
from sketchcolor_cli.training.loop.fastai import Adam, Callback, CancelFitException, norm_bias_params

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

    from sketchcolor_cli.training.gan.early_stopping import Figures
    from sketchcolor_cli.training.loop.context import Context
    from sketchcolor_cli.training.settings import TrainSettings

GENERATOR, CRITIC = "generator", "critic"


class GanOptimizer:
    """The optimizers of the two players, as one to fastai: only that of the player whose turn it is steps.

    Adam; weight decay spares norms and biases, as fastai has it. Learning rates are fixed.
    """

    def __init__(self, players: dict[str, nn.Module], rates: dict[str, float], decay: float) -> None:
        self.turn = GENERATOR
        self.parts = {}
        for name, player in players.items():
            self.parts[name] = part = Adam(list(player.parameters()), lr=rates[name], wd=decay)
            for parameter in norm_bias_params(player, True):
                part.state[parameter]["do_wd"] = False

    def step(self) -> None:
        """Let the player whose turn it is learn."""
        self.parts[self.turn].step()

    def zero_grad(self) -> None:
        """Forget the gradients of both."""
        for part in self.parts.values():
            part.zero_grad()

    def set_hypers(self, **_given: Any) -> None:
        """Keep the rates; fastai sets its one rate before fitting."""

    @property
    def hypers(self) -> Any:
        """The generator's, which is shown."""
        return self.parts[GENERATOR].hypers

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """Those of the player whose turn it is, as a gradient scaler wants them."""
        return [{"params": [p for group in self.parts[self.turn].param_lists for p in group]}]

    def state_dict(self) -> dict[str, Any]:
        """Return the state of both."""
        return {name: part.state_dict() for name, part in self.parts.items()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        for name, part in self.parts.items():
            part.load_state_dict(state[name])


class AlternatingUpdates(Callback):  # type: ignore[misc]
    """Let the players take turns: each for so many batches, or until its loss falls below a threshold.

    The loss that counts is a running mean over about ten batches of the turn. The player that waits is in
    evaluation mode, and has no gradients.
    """

    order, run_valid = -15, False  # before anything of the batch is computed

    def __init__(self, players: dict[str, nn.Module], config: TrainSettings) -> None:
        super().__init__()
        self.players = players
        self.most, self.enough = config.switch_batches, config.switch_loss
        self.turn, self.count, self.mean = GENERATOR, 0, float("inf")

    def before_batch(self) -> None:
        """Switch when the turn is over."""
        if self.count >= self.most or (self.count and self.mean < self.enough):
            self.turn = CRITIC if self.turn == GENERATOR else GENERATOR
            self.count, self.mean = 0, float("inf")
        self.learn.opt.turn = self.turn
        for name, player in self.players.items():
            player.train(name == self.turn)
            player.requires_grad_(name == self.turn)

    def after_batch(self) -> None:
        """Count the batch; a turn does not end within a step of several batches."""
        if self.learn.checkpoints.completes_step:
            loss = float(self.loss.detach())
            self.mean = loss if self.count == 0 else 0.9 * self.mean + 0.1 * loss
            self.count += 1

    def after_fit(self) -> None:
        """Leave both as they were found."""
        for player in self.players.values():
            player.requires_grad_(True)

    def state_dict(self) -> dict[str, Any]:
        """Return whose turn it is and since when."""
        return {"turn": self.turn, "count": self.count, "mean": self.mean}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what was kept."""
        self.turn, self.count, self.mean = state["turn"], state["count"], state["mean"]


class GeneratorMonitor(Callback):  # type: ignore[misc]
    """Look at the generator before the game and every so many of its steps; keep the best, stop in time.

    Each look is a row of ``watch.csv``. ``measured`` returns the figures of the generator.
    """

    order = 57  # after the epoch's log, before the average gives way and before the state is saved

    def __init__(
        self,
        context: Context,
        turns: AlternatingUpdates,
        measured: Callable[[], Figures],
        generator: nn.Module,
    ) -> None:
        super().__init__()
        config = context.config
        self.context, self.turns, self.measured, self.generator = context, turns, measured, generator
        self.table, self.best = context.run / "watch.csv", context.run / "best.safetensors"
        self.every = config.watch_batches
        self.stopping = EarlyStopping(config.patience, config.slack)
        self.steps = 0
        self.looked = -1

    def before_fit(self) -> None:
        """Look at the generator as it came, unless the game goes on."""
        if self.looked < 0:
            self.table.unlink(missing_ok=True)
            self.look()
        else:
            drop_rows(self.table, "adversarial", self.steps, counter="step")

    def after_batch(self) -> None:
        """Look when it is time."""
        if not self.training or self.turns.turn != GENERATOR or not self.learn.checkpoints.completes_step:
            return
        self.steps += 1
        if self.steps % self.every == 0:
            self.look()

    def look(self) -> None:
        """Measure; stop the stage when the game has turned, with a checkpoint that says so."""
        self.learn.checkpoints.check()
        average = self.learn.average if hasattr(self.learn, "average") else None
        if average is not None:
            average.before_validate()
        figures = self.measured()
        better = self.stopping.look(figures)
        if better:
            self.context.save(self.best, self.generator)
        if average is not None:
            average.after_validate()
        self.looked = self.steps
        row = {"stage": "adversarial", "step": self.steps, **asdict(figures), "best": int(better)}
        append_row(self.table, {k: f"{v:.6g}" if isinstance(v, float) else v for k, v in row.items()})
        self.context.report({"event": "look", **row})
        if self.stopping.over:
            self.learn.checkpoints.save(self.n_epoch, 0)
            raise CancelFitException

    def state_dict(self) -> dict[str, Any]:
        """Return what has been seen so far."""
        return {**self.stopping.state_dict(), "steps": self.steps, "looked": self.looked}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what was kept."""
        self.stopping.load_state_dict(state)
        self.steps, self.looked = state["steps"], state["looked"]

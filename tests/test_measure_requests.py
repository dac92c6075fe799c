"""fid, evaluate and dataset: arguments become one request; the library refuses what the commands refuse."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from sketchcolor_cli import (
    DatasetCheckRequest,
    DatasetPrepareRequest,
    DatasetReviewRequest,
    EvaluateRequest,
    FidRequest,
)
from sketchcolor_cli.cli.app import app
from sketchcolor_cli.data.settings import PrepareSettings, ReviewSettings
from sketchcolor_cli.errors import DataError, UsageError
from sketchcolor_cli.evaluation.settings import (
    Choice,
    Decode,
    EvaluateSettings,
    FidSettings,
    Protocol,
    Resize,
)
from sketchcolor_cli.jobs import dataset, evaluate, fid
from sketchcolor_cli.jobs.dataset import DanbooruRequest

if TYPE_CHECKING:
    from sketchcolor_cli.settings import Settings

A, B, OUT = Path("a"), Path("b"), Path("out")
FUNCTIONS: dict[type[Settings], tuple[Any, str]] = {
    FidRequest: (fid, "fid"),
    EvaluateRequest: (evaluate, "evaluate"),
    DanbooruRequest: (dataset, "filter_danbooru"),
    DatasetPrepareRequest: (dataset, "prepare_dataset"),
    DatasetCheckRequest: (dataset, "check_dataset"),
    DatasetReviewRequest: (dataset, "review_dataset"),
}
PACK_WORDS = (
    "--short-side 64 --min-side 8 --min-colorfulness 0 --shard-size 5 --lines b --exclude e --licence CC0 "
    "--attribution c"
)
EVALUATE_WORDS = (
    "--protocol none --protocol points --limit 4 --points 3 --short-side 99 --stability 0 --seed 2 "
    "--sketches b -m gray"
)
PACKED = PrepareSettings(short_side=64, min_side=8, min_colorfulness=0, shard_size=5)
EVALUATED = EvaluateSettings(
    chosen=(Choice.NONE, Choice.POINTS), limit=4, points=3, short_side=99, stability_limit=0, seed=2
)


@pytest.mark.parametrize(
    ("words", "request_"),
    [
        ("fid a b", FidRequest(A, B)),
        (
            (
                "fid a b --dims 64 --batch-size 2 --mode clean --decode picture --device cpu "
                "--backend onnx --no-cache"
            ),
            FidRequest(
                A,
                B,
                FidSettings(64, 2, Resize.CLEAN, Decode.PICTURE),
                "cpu",
                "onnx",
                no_cache=True,
            ),
        ),
        (
            "fid a --model m --sketches b --reference truth --save-stats s.npz",
            FidRequest(A, model="m", sketches=B, reference="truth", save_stats=Path("s.npz")),
        ),
        ("evaluate --data a -o out", EvaluateRequest("a", OUT)),
        (
            (
                f"evaluate --data a -o out --model m --compare n --compare o {EVALUATE_WORDS} --no-fid "
                "--backend torch --workers 5 --ray head:6379"
            ),
            EvaluateRequest(
                "a",
                OUT,
                "m",
                ("n", "o"),
                EVALUATED,
                B,
                "gray",
                fid=False,
                backend="torch",
                workers=5,
                ray="head:6379",
            ),
        ),
        ("dataset filter-danbooru a b -o out --rules r", DanbooruRequest((A, B), OUT, Path("r"))),
        ("dataset prepare a b -o out", DatasetPrepareRequest((A, B), OUT)),
        (
            f"dataset prepare a -o out {PACK_WORDS} --workers 3 --resume --ray local",
            DatasetPrepareRequest(
                (A,), OUT, PACKED, B, Path("e"), "CC0", Path("c"), 3, resume=True, ray="local"
            ),
        ),
        ("dataset check a -o out", DatasetCheckRequest("a", OUT)),
        (
            "dataset review a -o out --model m -m gray --shown 5 --device cpu",
            DatasetReviewRequest("a", OUT, "m", "gray", ReviewSettings(shown=5), "cpu"),
        ),
    ],
)
def test_arguments_become_one_request(
    monkeypatch: pytest.MonkeyPatch, words: str, request_: Settings
) -> None:
    module, name = FUNCTIONS[type(request_)]
    heard: list[Settings] = []

    def stop(request: Settings, _progress: Any) -> None:
        heard.append(request)
        raise DataError("that will do")

    monkeypatch.setattr(module, name, stop)
    ran = CliRunner().invoke(app, words.split())
    assert (ran.exit_code, ran.stderr) == (1, "error: that will do\n")
    assert heard == [request_]


@pytest.mark.parametrize(
    ("kind", "values", "message"),
    [
        (FidSettings, {"dims": 3}, "--dims 3: must be one of 64, 192, 768, 2048"),
        (FidSettings, {"batch_size": 0}, "--batch-size 0: must be at least 1"),
        (
            FidSettings,
            {"mode": "cleaner"},
            "--mode cleaner: must be one of pytorch, clean; did you mean clean?",
        ),
        (EvaluateSettings, {"limit": 0}, "--limit 0: must be at least 1"),
        (EvaluateSettings, {"points": 0}, "--points 0: must be at least 1"),
        (EvaluateSettings, {"short_side": 31}, "--short-side 31: must be at least 32"),
        (EvaluateSettings, {"stability_limit": -1}, "--stability -1: must be at least 0"),
        (
            EvaluateSettings,
            {"chosen": ("some",)},
            "--protocol some: must be one of reference, points, none, other, all",
        ),
        (PrepareSettings, {"shard_size": 0}, "--shard-size 0: must be at least 1"),
        (PrepareSettings, {"min_colorfulness": -0.1}, "--min-colorfulness -0.1: must be at least 0"),
        (PrepareSettings, {"min_side": float("nan")}, "--min-side nan: must be a whole number, at least 1"),
        (ReviewSettings, {"shown": 0}, "--shown 0: must be at least 1"),
    ],
)
def test_what_makes_no_sense_cannot_be_constructed(
    kind: type[Settings], values: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        kind(**values)
    assert str(caught.value) == message


def test_protocols_come_in_their_own_order_and_once() -> None:
    assert EvaluateSettings().protocols == tuple(Protocol)
    chosen = EvaluateSettings(chosen=(Choice.OTHER, Choice.REFERENCE, Choice.OTHER))
    assert chosen.protocols == (Protocol.REFERENCE, Protocol.OTHER)


def test_where_weights_lie_is_not_taken_for_the_file_of_the_fid_network(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    heard: list[FidRequest] = []

    def stop(request: FidRequest, _progress: Any) -> None:
        heard.append(request)
        raise DataError("that will do")

    monkeypatch.setattr(fid, "fid", stop)
    environ = {"SKETCHCOLOR_WEIGHTS": str(tmp_path), "SKETCHCOLOR_CACHE": str(tmp_path)}
    assert CliRunner(env=environ).invoke(app, ["fid", "a", "b"]).exit_code == 1
    assert heard == [FidRequest(A, B)]

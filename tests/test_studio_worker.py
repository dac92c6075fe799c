"""The studio's worker: frames, turns, pages at hand, stages, and what becomes of a worker that dies."""

from __future__ import annotations

import asyncio
import threading
import time
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from sketchcolor_cli.compute import precision
from sketchcolor_cli.studio import engine as engines
from sketchcolor_cli.studio.engine import Engine, ReplacedError, ThreadHost
from sketchcolor_cli.studio.frames import packed, unpacked
from sketchcolor_cli.studio.known import SMALL
from sketchcolor_cli.studio.live import Desk
from sketchcolor_cli.studio.look import Look, PageFiles, PaintRequest
from sketchcolor_cli.studio.problems import ProblemError
from sketchcolor_cli.studio.turns import ASKED, LIVE, CancelledError, Turns, Wish
from sketchcolor_cli.studio.worker import Worker
from studio_server import STROKE, draw, save_small_model
from tiny_model import BACKEND, MODEL

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_small_model(tmp_path_factory.mktemp("model") / "small.safetensors")


@pytest.fixture
def page(tmp_path: Path) -> PageFiles:
    return PageFiles(draw(tmp_path / "page.png"))


@pytest.fixture
def look(model: Path) -> Look:
    return Look(str(model))


def shown(data: bytes) -> np.ndarray:
    with Image.open(BytesIO(data)) as image:
        return np.asarray(image.convert("RGBA"))


def stages(desk: Desk, page: PageFiles, look: Look, marks: list[Any], **more: Any) -> dict[str, Any]:
    names = ["spread", "quick", "final"]
    request = PaintRequest(page, look, marks, 80, **more)
    return {picture.stage: picture for picture in desk.stages(request, names)}


def test_a_frame_is_a_header_and_bytes() -> None:
    frame = packed({"a": "é"}, b"\x00\xff")
    assert frame[:4] == len(rb'{"a":"\u00e9"}').to_bytes(4)
    assert unpacked(frame) == ({"a": "é"}, b"\x00\xff")


def test_only_answers_that_are_soon_replaced_are_less_exact(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precision, "choose", lambda _device: "bfloat16")
    small = Look(str(model), settings=(("base_size", SMALL), ("work_size", SMALL)))  # as a user may set it
    desk = Desk()
    assert desk.colorizers.get(small).painter.precision == "float32"
    assert desk.colorizers.get(small, work_size=SMALL, base_size=SMALL).painter.precision == "bfloat16"


def test_turns_go_by_urgency_and_then_by_order() -> None:
    turns, done = Turns(), []
    with turns.turn(LIVE):
        threads = []
        for name, urgency in (("later", 2), ("first", ASKED), ("second", ASKED), ("live", LIVE)):

            def work(name: str = name, urgency: int = urgency) -> None:
                with turns.turn(urgency):
                    done.append(name)

            threads.append(threading.Thread(target=work))
            threads[-1].start()
            time.sleep(0.02)
    for thread in threads:
        thread.join(5)
    assert done == ["live", "first", "second", "later"]


def test_who_takes_a_wish_back_does_not_wait_on() -> None:
    turns, wish = Turns(), Wish()
    with turns.turn(LIVE):
        threading.Timer(0.05, wish.cancel).start()
        with pytest.raises(CancelledError), turns.turn(LIVE, wish):
            pytest.fail("it had its turn")
    with turns.turn(LIVE):  # and is in nobody's way
        pass


def test_each_stage_is_a_picture_and_a_stroke_is_seen_where_it_was_painted(
    page: PageFiles, look: Look
) -> None:
    found = stages(Desk(), page, look, [STROKE])
    assert list(found) == ["spread", "quick", "final"]
    spread = shown(found["spread"].data)
    middle = spread[spread.shape[0] // 2, spread.shape[1] // 2]
    assert middle[3] == 255
    assert middle[0] > 180
    assert middle[1] < 90
    assert spread[0, 0, 3] < 60  # outside the frame it does not reach
    for name in ("quick", "final"):
        assert found[name].size == (80, 107)
        assert shown(found[name].data).shape == (107, 80, 4)


def test_a_page_on_which_nothing_is_drawn_stays_until_somebody_paints(tmp_path: Path, look: Look) -> None:
    Image.new("L", (90, 120), 255).save(tmp_path / "blank.png")
    desk, blank = Desk(), PageFiles(tmp_path / "blank.png")
    found = stages(desk, blank, look, [])
    assert list(found) == ["final"]
    assert (shown(found["final"].data) == 255).all()
    assert list(stages(desk, blank, look, [STROKE])) == ["spread", "quick", "final"]


def test_a_stamp_in_colour_keeps_its_colour(tmp_path: Path, look: Look) -> None:
    page = Image.open(draw(tmp_path / "stamp.png", (300, 400))).convert("RGB")
    page.paste((200, 30, 40), (200, 300, 240, 340))
    page.save(tmp_path / "stamp.png")
    final = stages(Desk(), PageFiles(tmp_path / "stamp.png"), look, [])["final"]
    assert np.abs(shown(final.data)[85, 58, :3].astype(int) - (200, 30, 40)).max() < 40


def test_without_strokes_nothing_spreads_and_the_page_is_painted(page: PageFiles, look: Look) -> None:
    assert list(stages(Desk(), page, look, [])) == ["quick", "final"]


def test_a_seed_gives_a_page_other_colours_and_the_same_again(page: PageFiles, look: Look) -> None:
    desk = Desk()
    draw(page.path, (100, 400))

    def final(seed: int) -> bytes:
        [picture] = desk.stages(PaintRequest(page, look, [], 80, seed=seed), ["final"])
        return picture.data

    first = final(1)
    assert final(1) == first
    assert any(final(seed) != first for seed in range(2, 40))


def test_a_mask_protects_and_a_rough_layer_paints(tmp_path: Path, page: PageFiles, look: Look) -> None:
    Image.new("RGBA", (8, 8), (255, 255, 255, 255)).save(tmp_path / "mask.png")
    Image.new("RGBA", (8, 8), (20, 40, 220, 255)).save(tmp_path / "rough.png")
    desk = Desk()
    paper = stages(desk, PageFiles(page.path, mask=tmp_path / "mask.png"), look, [STROKE])
    assert (shown(paper["final"].data)[54, 40, :3] > 240).all()
    assert not shown(paper["spread"].data)[..., 3].any()
    plain = stages(desk, page, look, [])["final"].data
    assert stages(desk, PageFiles(page.path, rough=tmp_path / "rough.png"), look, [])["final"].data != plain


def test_few_pages_are_kept_and_a_changed_one_is_read_anew(tmp_path: Path, look: Look) -> None:
    desk = Desk()
    for number in range(12):
        desk.open(PageFiles(draw(tmp_path / f"{number}.png")), look)
    assert len(desk._known) == 4
    assert not desk._preparing
    first = desk.open(PageFiles(tmp_path / "11.png"), look)
    assert desk.open(PageFiles(tmp_path / "11.png"), look) is first
    draw(tmp_path / "11.png", (60, 60))
    assert desk.open(PageFiles(tmp_path / "11.png"), look).size == (60, 60)


def test_a_pass_of_the_network_ends_when_nobody_wants_it(page: PageFiles, look: Look) -> None:
    desk, wish = Desk(), Wish()
    network = desk.colorizers.get(look).painter.model.network
    network.norm.register_forward_pre_hook(lambda *_: wish.cancel())
    reached: list[str] = []
    network.register_forward_hook(lambda *_: reached.append("end"))
    with pytest.raises(CancelledError):
        list(desk.stages(PaintRequest(page, look, [STROKE], 80, wish), ["final"]))
    assert not reached or len(reached) < 2


def test_the_final_pass_follows_the_quick_one_and_a_page_without_strokes_is_looked_at_once(
    page: PageFiles, look: Look
) -> None:
    desk, passes = Desk(), []
    network = desk.colorizers.get(look).painter.model.network
    network.register_forward_pre_hook(lambda _net, given: passes.append(given[0].shape[-1]))
    stages(desk, page, look, [STROKE])
    quick, final = passes
    assert quick <= final
    passes.clear()
    stages(desk, page, look, [])
    assert len(passes) == 3


class Answers:
    """What a worker sends."""

    def __init__(self) -> None:
        self.frames: list[tuple[dict[str, Any], bytes]] = []
        self.changed = threading.Condition()

    def __call__(self, frame: bytes) -> None:
        with self.changed:
            self.frames.append(unpacked(frame))
            self.changed.notify_all()

    def last_of(self, number: int) -> dict[str, Any]:
        """Wait for the last answer to a request."""
        ends = ("done", "error", "cancelled")

        def found() -> dict[str, Any] | None:
            mine = [header for header, _ in self.frames if header["id"] == number]
            return next((header for header in mine if header["event"] in ends), None)

        with self.changed:
            assert self.changed.wait_for(lambda: found() is not None, 30)
            last = found()
        assert last is not None
        return last


def asked(number: int, page: PageFiles, model: Path, **more: Any) -> bytes:
    request = {
        "page": {"path": str(page.path)},
        "look": {"model": str(model)},
        "marks": [STROKE],
        "width": 64,
    }
    return packed({"id": number, "kind": "paint", "stages": ["final"], **request, **more})


def test_a_newer_request_of_a_lane_replaces_the_older(page: PageFiles, model: Path) -> None:
    heard = Answers()
    worker = Worker(heard)
    with worker.desk.turns.turn(LIVE):  # somebody else computes, so that both wait
        worker.take(asked(1, page, model, lane="a"))
        worker.take(asked(2, page, model, lane="a"))
        worker.take(asked(3, page, model, lane="b"))
        assert heard.last_of(1)["event"] == "cancelled"
    assert heard.last_of(2)["event"] == "done"
    assert heard.last_of(3)["event"] == "done"


def test_what_cannot_be_done_is_a_problem_and_the_worker_goes_on(page: PageFiles, model: Path) -> None:
    heard = Answers()
    worker = Worker(heard)
    worker.take(asked(1, PageFiles(page.path.with_name("gone.png")), model))
    worker.take(asked(2, page, model, marks=[{"x": 0.5}]))
    worker.take(asked(3, page, model, marks=5))
    worker.take(asked(4, page, model))
    assert heard.last_of(1)["problem"]["status"] in (404, 422)
    assert heard.last_of(2)["problem"]["status"] == 422
    assert "needs x, y and color" in heard.last_of(2)["problem"]["detail"]
    assert heard.last_of(3)["problem"]["status"] == 500
    assert "Traceback" in heard.last_of(3)["bug"]
    assert heard.last_of(4)["event"] == "done"


class MortalHost(ThreadHost):
    """A worker that dies when it is told to, as by the system for want of memory."""

    def start(self, heard: engines.Heard) -> None:
        self.heard = heard
        super().start(heard)

    def send(self, frame: bytes) -> None:
        if unpacked(frame)[0]["kind"] == "paint" and self.dies:
            self.dies = False
            self.heard(None)
            return
        super().send(frame)

    dies = True


def test_a_worker_that_dies_is_started_again_and_who_waits_is_told(
    page: PageFiles, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "_PAUSE", 0.01)
    states: list[str] = []

    async def run() -> None:
        engine = Engine(MortalHost(), lambda state, _detail: states.append(state))
        await engine.start({"model": str(model)})
        request = {"page": {"path": str(page.path)}, "look": {"model": str(model)}, "marks": [], "width": 64}
        with pytest.raises(ProblemError) as told:
            await engine.ask_once("paint", stages=["final"], **request)
        assert told.value.status == 503
        for _ in range(500):
            if engine.state == "ready":
                break
            await asyncio.sleep(0.02)
        header, data = await engine.ask_once("paint", stages=["final"], **request)
        assert header["stage"] == "final"
        assert data[:2] == b"\xff\xd8"
        await engine.stop()

    asyncio.run(run())
    assert states[-2:] == ["restarting", "restarted"]


def test_who_is_replaced_is_told_so(page: PageFiles, model: Path) -> None:
    async def run() -> None:
        host = ThreadHost()
        engine = Engine(host)
        await engine.start({"model": str(model)})
        request = {"page": {"path": str(page.path)}, "look": {"model": str(model)}, "marks": [], "width": 64}
        assert host._worker is not None
        with host._worker.desk.turns.turn(LIVE):
            older = asyncio.create_task(engine.ask_once("paint", stages=["final"], lane="a", **request))
            await asyncio.sleep(0.1)
            newer = asyncio.create_task(engine.ask_once("paint", stages=["final"], lane="a", **request))
            with pytest.raises(ReplacedError):
                await older
        assert (await newer)[0]["stage"] == "final"
        await engine.stop()

    asyncio.run(run())


def test_a_process_of_its_own_answers_and_may_be_killed(page: PageFiles) -> None:
    async def run() -> None:
        host, another = engines.ProcessHost(), asyncio.Event()
        engine = Engine(host, lambda state, _detail: another.set() if state == "restarted" else None)
        look = {"model": str(MODEL), "backend": BACKEND}
        await engine.start(look)
        request = {"page": {"path": str(page.path)}, "look": look, "marks": [], "width": 64}
        assert (await engine.ask_once("paint", stages=["quick"], **request))[0]["stage"] == "quick"
        waiting = asyncio.create_task(engine.ask_once("open", **request))
        host._process.kill()
        with pytest.raises(ProblemError, match="started again"):
            await asyncio.gather(waiting, engine.ask_once("masks", **request))
        await another.wait()  # the state is that of before until the end of the process is heard of
        assert (await engine.ask_once("paint", stages=["quick"], **request))[0]["stage"] == "quick"
        await engine.stop()

    asyncio.run(run())

import errno
import os

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sketchcolor_cli.errors import TrainingError
from sketchcolor_cli.training import files
from sketchcolor_cli.training.files import STATE, append_row, drop_rows, load_state, save_state, write_text


def a_state(**parts):
    state = dict.fromkeys(STATE) | {"model": {"w": torch.arange(6.0).view(2, 3)}, "epoch": 1, "best": 0.5}
    return state | parts


def test_a_state_comes_back_as_it_was_and_without_unpickling_code(tmp_path):
    path = tmp_path / "run" / "checkpoint.pt"
    save_state(path, a_state(optimizer=[{"step": 3}, torch.tensor(True)], batch=7))
    loaded = load_state(path)
    assert torch.equal(loaded["model"]["w"], torch.arange(6.0).view(2, 3))
    assert (loaded["epoch"], loaded["batch"], loaded["best"]) == (1, 7, 0.5)
    assert loaded["optimizer"] == [{"step": 3}, torch.tensor(True)]
    assert [entry.name for entry in path.parent.iterdir()] == ["checkpoint.pt"]


def test_without_a_checkpoint_there_is_nothing_to_resume(tmp_path):
    with pytest.raises(TrainingError, match="nothing to resume from; start without --resume"):
        load_state(tmp_path / "checkpoint.pt")


def test_a_checkpoint_that_was_cut_short_anywhere_is_damaged(tmp_path):
    path = tmp_path / "checkpoint.pt"
    save_state(path, a_state())
    whole = path.read_bytes()
    for length in range(0, len(whole), 97):
        path.write_bytes(whole[:length])
        with pytest.raises(TrainingError, match=r"checkpoint\.pt: the checkpoint is damaged"):
            load_state(path)


def test_a_checkpoint_with_a_changed_weight_is_damaged(tmp_path):
    path = tmp_path / "checkpoint.pt"
    save_state(path, a_state())
    data = path.read_bytes()
    where = data.index(torch.arange(6.0).numpy().tobytes())
    for place in range(where, where + 24):
        path.write_bytes(data[:place] + bytes([data[place] ^ 16]) + data[place + 1 :])
        with pytest.raises(TrainingError, match="damaged"):
            load_state(path)


@given(st.binary(max_size=200))
def test_any_bytes_are_no_checkpoint(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("files") / "checkpoint.pt"
    path.write_bytes(data)
    with pytest.raises(TrainingError, match=r"checkpoint\.pt: (the checkpoint is damaged|not a checkpoint)"):
        load_state(path)


@pytest.mark.parametrize("foreign", [[1, 2], {"w": torch.ones(2)}, {"model": {}, "epoch": 3}, torch.ones(2)])
def test_what_others_saved_is_no_checkpoint(tmp_path, foreign):
    torch.save(foreign, tmp_path / "checkpoint.pt")
    with pytest.raises(TrainingError, match="not a checkpoint of this program"):
        load_state(tmp_path / "checkpoint.pt")


class Intruder:
    def __reduce__(self):
        return os.mkdir, ("owned",)


def test_code_in_a_checkpoint_is_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save(a_state(model=Intruder()), "checkpoint.pt")
    with pytest.raises(TrainingError, match="damaged"):
        load_state(tmp_path / "checkpoint.pt")
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize(
    "problem",
    [OSError(errno.ENOSPC, "No space left on device"), RuntimeError("file write failed\nC++ trace")],
)
def test_a_full_disk_leaves_the_last_checkpoint_and_nothing_else(tmp_path, monkeypatch, problem):
    path = tmp_path / "checkpoint.pt"
    save_state(path, a_state())
    before = path.read_bytes()

    def save(_state, file):
        file.write_bytes(b"half")
        raise problem

    monkeypatch.setattr(files.torch, "save", save)
    with pytest.raises(TrainingError, match=r"checkpoint\.pt: cannot be written \(.*\); make room") as raised:
        save_state(path, a_state(epoch=2))
    assert "\n" not in str(raised.value)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["checkpoint.pt"]  # noqa: PTH208


def test_a_checkpoint_takes_the_place_of_the_last_one_at_once(tmp_path):
    path = tmp_path / "checkpoint.pt"
    save_state(path, a_state())
    before = path.read_bytes()
    os.link(path, tmp_path / "link")  # what was there before keeps its bytes: none were written over
    save_state(path, a_state(epoch=2))
    assert (tmp_path / "link").read_bytes() == before
    assert load_state(path)["epoch"] == 2


def test_a_folder_that_is_a_file_cannot_be_written_into(tmp_path):
    (tmp_path / "run").write_text("a file")
    with pytest.raises(TrainingError, match=r"config\.json: cannot be written"):
        write_text(tmp_path / "run" / "config.json", "{}")


def row(stage, epoch, **more):
    return {"stage": stage, "epoch": epoch, "loss": "0.5", **more}


def test_the_first_row_brings_the_header(tmp_path):
    append_row(tmp_path / "metrics.csv", row("pixel", 1))
    append_row(tmp_path / "metrics.csv", row("pixel", 2, loss='a "b", c'))
    assert (tmp_path / "metrics.csv").read_bytes() == (
        b'stage,epoch,loss\npixel,1,0.5\npixel,2,"a ""b"", c"\n'
    )
    assert len(list(tmp_path.iterdir())) == 1


@given(st.lists(st.tuples(st.sampled_from(["pixel", "critic"]), st.integers(1, 5))), st.integers(0, 5))
def test_rows_after_an_epoch_go_and_all_others_stay_in_order(tmp_path_factory, places, epoch):
    path = tmp_path_factory.mktemp("files") / "metrics.csv"
    for place in places:
        append_row(path, row(*place))
    drop_rows(path, "pixel", epoch)
    left = [f"{stage},{number},0.5" for stage, number in places if stage != "pixel" or number <= epoch]
    assert (path.read_text().splitlines()[1:] if left else []) == left
    assert path.exists() == bool(left)

"""The Inception weights in both published forms, written here with random numbers in their layouts."""

from __future__ import annotations

import zipfile

import pytest
import torch
import torchvision

from sketchcolor_cli.errors import WeightError
from sketchcolor_cli.weights import inception
from sketchcolor_cli.weights.builtin import BUILTIN, FID_INCEPTION
from sketchcolor_cli.weights.convert import convert


@pytest.fixture(scope="module")
def network():
    made = torchvision.models.inception_v3(
        num_classes=1008, weights=None, aux_logits=False, init_weights=False
    )
    for tensor in made.state_dict().values():
        if tensor.is_floating_point():
            torch.nn.init.uniform_(tensor)
    return made


def inside(packed):
    return {
        name: torch.frombuffer(bytearray(tensor.numbers), dtype=torch.float32).reshape(tensor.shape)
        for name, tensor in packed.items()
    }


def test_the_layout_is_torchvisions_without_classifier_and_counters(network):
    due = {
        name: tensor.shape
        for name, tensor in network.state_dict().items()
        if not name.startswith("fc.") and not name.endswith("num_batches_tracked")
    }
    assert {name: tensor.shape for name, tensor in inception.layout().items()} == due
    assert len(due) == 470


def test_pytorch_fids_file_is_read_and_fits_strictly(network, tmp_path):
    torch.save(network.state_dict(), tmp_path / "pt_inception.pth")
    found = inside(convert(FID_INCEPTION, tmp_path / "pt_inception.pth"))
    assert found.keys() == inception.layout().keys()
    network.fc = torch.nn.Identity()
    network.load_state_dict(found, strict=True)


def test_the_archive_is_read_without_its_code_or_pickle(network, tmp_path):
    state = network.state_dict()
    kernels = [name.removesuffix(".conv.weight") for name in state if name.endswith(".conv.weight")]
    with zipfile.ZipFile(tmp_path / "default_1.pt", "w") as archive:
        archive.writestr("out_jit_module/data.pkl", b"nothing that can be unpickled")
        for index, name in enumerate(kernels):
            for offset, part in enumerate(("conv.weight", "bn.bias", "bn.running_mean", "bn.running_var")):
                archive.writestr(
                    f"out_jit_module/data/{4 * index + offset}", state[f"{name}.{part}"].numpy().tobytes()
                )
    found = inside(convert(FID_INCEPTION, tmp_path / "default_1.pt", FID_INCEPTION.sources[1]))
    assert found.keys() == inception.layout().keys()
    for name, tensor in found.items():
        due = torch.ones_like(tensor) if name.endswith("bn.weight") else state[name]
        assert torch.equal(tensor, due), name


def test_another_archive_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.pt", "w") as archive:
        archive.writestr("out_jit_module/data/0", b"short")
    with zipfile.ZipFile(tmp_path / "b.pt", "w") as archive:
        archive.writestr("other", b"")
    (tmp_path / "c.pt").write_bytes(b"no archive")
    for name in ("a.pt", "b.pt", "c.pt", "gone.pt"):
        with pytest.raises(WeightError, match="not the Inception archive that is known"):
            inception.read_archive(tmp_path / name)


def test_the_programs_own_weights_have_checksums_and_places():
    for file in {file for files in BUILTIN.values() for file in files}:
        assert all(source.sha256 and source.size for source in file.sources)
        assert file.sources[0].urls

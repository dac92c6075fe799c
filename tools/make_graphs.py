"""Write the graphs, without weights, of the bundled networks, by which they are computed without torch.

python tools/make_graphs.py            # to be run when the code of a network changes; a test says so
"""

from __future__ import annotations

from pathlib import Path

from sketchcolor_cli.networks.checkpoint import load_model
from sketchcolor_cli.networks.export import export_graph, of_network, of_pictures
from sketchcolor_cli.networks.graph_files import GRAPHS, graph_name
from sketchcolor_cli.networks.registry import BUNDLED, MATCHER
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


if __name__ == "__main__":
    main()

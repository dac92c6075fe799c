"""One picture in, one picture out, as the command line does it: what programs ask for over HTTP."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sketchcolor_cli import environment
from sketchcolor_cli.coloring.extras.outputs import Colored, with_extras
from sketchcolor_cli.coloring.guides.points import painted, points_of, read_points
from sketchcolor_cli.coloring.page.line_layer import with_paper
from sketchcolor_cli.coloring.settings import Extras
from sketchcolor_cli.compute import devices
from sketchcolor_cli.extraction.loader import Loader
from sketchcolor_cli.imaging.reading import read_picture
from sketchcolor_cli.imaging.settings import Saving
from sketchcolor_cli.imaging.writing import encode_picture
from sketchcolor_cli.plugin.discovery import find_extractors
from sketchcolor_cli.studio.turns import ASKED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sketchcolor_cli.extraction.drawer import Drawer
    from sketchcolor_cli.imaging.picture import Picture
    from sketchcolor_cli.studio.live import Desk
    from sketchcolor_cli.studio.look import Look
    from sketchcolor_cli.studio.turns import Turns, Wish

    Answer = tuple[dict[str, Any], bytes]


def colorized(desk: Desk, look: Look, request: Mapping[str, Any], wish: Wish) -> Answer:
    """Colour the picture at ``image`` and return it as a file in the format of the name ``target``.

    ``hints``, ``references``, ``points`` and ``masks`` are files that help; ``marks`` is what points files
    hold; ``flats`` asks for flat colours instead.

    Raises:
        SketchcolorError: A file cannot be read, or makes no sense.
    """
    color = desk.colorizers.get(look)
    with desk.reading.turn(ASKED, wish):
        page = read_picture(Path(request["image"]))
        references = [read_picture(path) for path in _files(request, "references")]
        hints = [*_points(request, page), *(read_picture(path) for path in _files(request, "hints"))]
        stays = color.stays(page, guided=bool(references or hints))
        page = page if stays else with_paper(page)
        prepared = None if stays else color.prepare(page)
        for path in _files(request, "masks"):
            if prepared is not None:
                prepared = prepared.corrected(read_picture(path), page.shape)
    extras = Extras(flats=bool(request.get("flats")))
    if prepared is None:
        done = Colored(page, stays=stays)
    else:
        with desk.turns.turn(ASKED, wish):
            painted_page = color.paint(page, references, hints, prepared=prepared)
        done = with_extras(page, painted_page, hints, extras, color.painter.palette)
    wish.check()
    header = {"kept": done.stays is not None, "seed": color.settings.seed}
    source, target = Path(request["image"]), Path(request["target"])
    if done.stays and source.suffix == target.suffix:
        return header, source.read_bytes()
    if done.flats is not None:
        return header, encode_picture(target, done.flats, _saving(request))
    return header, done.encoded(target, _saving(request))


def extracted(request: Mapping[str, Any], turns: Turns) -> Answer:
    """Draw the sketch of the picture at ``image`` with the extractor ``method``.

    Raises:
        SketchcolorError: The picture cannot be read, or there is no such extractor or no weights for it.
    """
    picture = read_picture(Path(request["image"]))
    look = request["look"]
    drawer = _drawer(request["method"], look["device"], look["backend"])
    prepared = drawer.prepare(picture)
    with turns.turn(ASKED):
        [drawn] = drawer.draw([prepared])
    return {"method": request["method"]}, encode_picture(
        Path(request["target"]), drawer.finish(drawn), _saving(request)
    )


@lru_cache(4)
def _drawer(method: str, device: str, backend: str) -> Drawer:
    extractors, store = find_extractors(), environment.weight_store()
    extractors.get(method)
    store.require(extractors.weights(method, ()))
    device = devices.resolve(devices.for_backend(device, backend))
    backends = environment.backends(backend)
    return Loader(extractors, device=device, find_weight=store.find, backends=backends).load(method)


def _points(request: Mapping[str, Any], page: Picture) -> list[Picture]:
    marks = [mark for path in _files(request, "points") for mark in read_points(path)]
    marks += points_of(request.get("marks", []), "points")
    layer = painted(marks, *page.shape) if marks else None
    return [] if layer is None else [layer]


def _saving(request: Mapping[str, Any]) -> Saving:
    return Saving(quality=request.get("quality", Saving.quality))


def _files(request: Mapping[str, Any], name: str) -> list[Path]:
    return [Path(path) for path in request.get(name, ())]

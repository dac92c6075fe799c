"""From page to page: colours of pages that are done for those that are not, and how far colours move."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from sketchcolor_cli.coloring.guides.drift import drift, small
from sketchcolor_cli.coloring.guides.palette import lab_of
from sketchcolor_cli.coloring.guides.palette_files import read_palette
from sketchcolor_cli.coloring.guides.points import parse_color
from sketchcolor_cli.errors import ImageError, SketchcolorError
from sketchcolor_cli.files.atomic import write_bytes
from sketchcolor_cli.imaging.picture import Picture, on_paper
from sketchcolor_cli.imaging.reading import read_picture
from sketchcolor_cli.imaging.writing import write_picture
from sketchcolor_cli.studio.problems import ProblemError
from sketchcolor_cli.studio.series_files import SHEETS, SWATCHES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from sketchcolor_cli.studio.project import Page, Project

CARRIED = "carried.png"
POINTS = "points.json"

_PAGES = 4  # that a sheet shows
_HEIGHT = 720  # of each on the sheet, in pixels
_MORE = 12  # swatches that are added at most
_NEAR = 8.0  # distance in Lab up to which a colour is one that is there already


def carry(project: Project, chosen: Sequence[str] | None) -> None:
    """Make a sheet and swatches of the pages ``chosen``, or of all that are done.

    Raises:
        ProblemError: None of them has been coloured.
    """
    described = {page["id"]: page for page in project.describe_all()}
    wanted = (
        [page_id for page_id, page in described.items() if page["state"] == "done"]
        if chosen is None
        else chosen
    )
    results = {page: page.result for page in project.pages() if page.id in wanted}
    shown = {page: result for page, result in results.items() if result is not None}
    if not shown:
        raise ProblemError(409, "no page is done and coloured yet; colour one, and mark it as done")
    with project.lock:
        folder = project.folder / SHEETS
        folder.mkdir(exist_ok=True)
        write_picture(folder / CARRIED, Picture(_side_by_side(list(shown.values())[-_PAGES:])))
        project.series.list_sheets()
        project.series.put_swatches(_with_painted(project, list(shown)))


def drifts(project: Project) -> list[dict[str, Any]]:
    """Return how far each swatch, or without swatches each common colour, moves across the results."""
    ids, shown = {}, {}
    for page in project.pages():
        result = page.result
        if result is not None:
            ids[page.name] = page.id
            shown[page.name] = small(read_picture(result))
    path = project.folder / SWATCHES
    names = {swatch["color"]: swatch["name"] for swatch in project.series.swatches()}
    palette = read_palette(path) if path.is_file() else None
    known = {} if palette is None else dict(zip(names, lab_of(palette), strict=True))
    found = []
    for moved in drift(shown, palette):
        lab = lab_of(np.array([parse_color(moved.color, "drift")], np.float32))[0]
        nearest = min(known, key=lambda color: float(np.linalg.norm(known[color] - lab)), default=moved.color)
        found.append(
            {
                "color": nearest,
                "name": names.get(nearest, ""),
                "pages": moved.pages,
                "mean": round(moved.mean, 2),
                "worst": round(moved.worst, 2),
                "worst_page": ids.get(moved.worst_page),
            }
        )
    return found


def write_points(project: Project) -> str:
    """Write what is painted on all pages to one points file beside the results, and return its name."""
    listed = [
        json.dumps({"page": page.name, **mark}) for page in project.pages() for mark in project.marks(page)[1]
    ]
    write_bytes(project.output / POINTS, ("[\n" + ",\n".join(listed) + "\n]\n").encode(), ImageError)
    return POINTS


def _side_by_side(pages: Sequence[Path]) -> NDArray[np.float32]:
    shown = []
    for page in pages:
        rgb = on_paper(read_picture(page))
        width = max(1, round(rgb.shape[1] * _HEIGHT / rgb.shape[0]))
        shown.append(cv2.resize(rgb, (width, _HEIGHT), interpolation=cv2.INTER_AREA))
    return np.concatenate(shown, axis=1)


def _with_painted(project: Project, pages: Sequence[Page]) -> list[dict[str, str]]:
    """Return the swatches, and behind them the colours that were painted most on pages."""
    swatches = project.series.swatches()
    counts: Counter[str] = Counter()
    for page in pages:
        try:
            counts.update(
                mark["color"] for mark in project.marks(page)[1] if isinstance(mark.get("color"), str)
            )
        except SketchcolorError:
            continue
    known = [_lab(swatch["color"]) for swatch in swatches]
    most = len(swatches) + _MORE
    for color, _ in counts.most_common():
        lab = _lab(color)
        if len(swatches) < most and all(np.linalg.norm(lab - other) > _NEAR for other in known):
            known.append(lab)
            swatches.append({"name": "", "color": color})
    return swatches


def _lab(color: str) -> NDArray[np.float32]:
    lab: NDArray[np.float32] = lab_of(np.array([parse_color(color, "swatch")], np.float32))[0]
    return lab

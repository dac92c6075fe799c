"""The nodes: Colorize, Flats and Extract, in ComfyUI's V3 schema."""

from __future__ import annotations

import atexit
import threading

from comfy_api.latest import ComfyExtension, io

from .pictures import from_png, to_png
from .sketchcolor_client import Server

_CATEGORY = "sketchcolor"
_lock = threading.Lock()
_chosen = []  # the server, once it was asked for


def server() -> Server:
    """Return the server, which is chosen, and if need be started, once; again if it has ended."""
    with _lock:
        if _chosen and _chosen[0].ended:
            atexit.unregister(_chosen.pop().close)
        if not _chosen:
            _chosen.append(Server.chosen())
            atexit.register(_chosen[0].close)
        return _chosen[0]


def _hints(hints, hint_mask):
    """Return the first picture of hints as PNG: opaque where the mask is, or else where it is not white."""
    if hints is None:
        return ()
    mask = hint_mask[0] if hint_mask is not None else (hints[0, ..., :3] < 0.99).any(dim=-1).float()
    return to_png(hints[0], mask)


def _sheets(sheet) -> list:
    return [] if sheet is None else [to_png(picture) for picture in sheet]


def _inputs() -> list:
    return [
        io.Image.Input("page", tooltip="Ink on white paper, of any size."),
        io.Image.Input("hints", optional=True, tooltip="Dots or strokes of colour, of the page's size."),
        io.Mask.Input("hint_mask", optional=True, tooltip="Where hints are; else where they are not white."),
        io.Image.Input("sheet", optional=True, tooltip="Other drawings in the right colours."),
        io.Int.Input("seed", default=0, min=0, max=2**31 - 1, tooltip="Another number, other colours."),
    ]


class Colorize(io.ComfyNode):
    """Colours pages; the ink stays as it is."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """Say what goes in and out."""
        return io.Schema(
            node_id="SketchcolorColorize",
            display_name="Colorize (Sketchcolor)",
            category=_CATEGORY,
            description="Colours sketches and manga pages from strokes and sheets; the ink stays as it is.",
            inputs=[
                *_inputs(),
                io.Image.Input("reference", optional=True, tooltip="A rough colouring of the page."),
                io.Float.Input("saturation", default=1.0, min=0.0, max=3.0, step=0.05),
            ],
            outputs=[io.Image.Output("colored")],
        )

    @classmethod
    def execute(
        cls, page, seed, saturation, hints=None, hint_mask=None, sheet=None, reference=None
    ) -> io.NodeOutput:  # fmt: skip
        """Colour each picture of a batch, (B, H, W, 3) in [0, 1]."""
        guides = {
            "hints": _hints(hints, hint_mask),
            "sheet": _sheets(sheet),
            "reference": () if reference is None else to_png(reference[0]),
        }
        done = [
            server().colorize(to_png(picture), seed=seed, saturation=saturation, **guides) for picture in page
        ]
        return io.NodeOutput(from_png(done))


class Flats(io.ComfyNode):
    """Flat colours of pages, without ink."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """Say what goes in and out."""
        return io.Schema(
            node_id="SketchcolorFlats",
            display_name="Flats (Sketchcolor)",
            category=_CATEGORY,
            description="The colours of a page as flat areas, without its ink, to be painted on.",
            inputs=_inputs(),
            outputs=[io.Image.Output("flats")],
        )

    @classmethod
    def execute(cls, page, seed, hints=None, hint_mask=None, sheet=None) -> io.NodeOutput:
        """Return the flats of each picture of a batch, (B, H, W, 3) in [0, 1]."""
        guides = {"hints": _hints(hints, hint_mask), "sheet": _sheets(sheet)}
        return io.NodeOutput(
            from_png([server().flats(to_png(picture), seed=seed, **guides) for picture in page])
        )


class Extract(io.ComfyNode):
    """Sketches of coloured drawings."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """Say what goes in and out."""
        return io.Schema(
            node_id="SketchcolorExtract",
            display_name="Extract sketch (Sketchcolor)",
            category=_CATEGORY,
            description="Draws the sketch of a coloured drawing: black lines on white paper.",
            inputs=[
                io.Image.Input("drawing"),
                io.Combo.Input("method", options=["linework", "xdog", "gray"], default="linework"),
            ],
            outputs=[io.Image.Output("sketch")],
        )

    @classmethod
    def execute(cls, drawing, method) -> io.NodeOutput:
        """Draw the sketch of each picture of a batch, (B, H, W, 3) in [0, 1]."""
        return io.NodeOutput(
            from_png([server().extract(to_png(picture), method=method) for picture in drawing])
        )


class Sketchcolor(ComfyExtension):
    """What ComfyUI asks for."""

    async def get_node_list(self) -> list:
        """Return the nodes."""
        return [Colorize, Flats, Extract]


async def comfy_entrypoint() -> Sketchcolor:
    """Return the extension."""
    return Sketchcolor()

#!/usr/bin/env python3
"""A plug-in of GIMP 3 that colours the line art of an image from a layer of strokes.

A layer named "hints" holds strokes or dots of colour, a layer named "sheet" another drawing in the right
colours. What comes back is a new layer over the drawing and below the hints.
"""

import sys
import tempfile
from pathlib import Path

import gi

gi.require_version("Gimp", "3.0")
from gi.repository import Gimp, Gio, GLib  # noqa: E402

sys.path.insert(0, str(Path(__file__).resolve().parent))
from sketchcolor_client import Server, SketchcolorError  # noqa: E402

HINTS, SHEET = "hints", "sheet"
WORK = {
    "plug-in-sketchcolor-colorize": ("colorize", "Sketchcolor", "_Colour from hints"),
    "plug-in-sketchcolor-flats": ("flats", "Flats", "_Flat colours from hints"),
}
OURS = {HINTS, SHEET, *(layer.lower() for _kind, layer, _label in WORK.values())}
"""Names of layers that are not the drawing, in lower case."""


class Sketchcolor(Gimp.PlugIn):
    """Two entries in Filters, Sketchcolor."""

    def do_set_i18n(self, _name):
        """Say that there are no translations."""
        return False

    def do_query_procedures(self):
        """Return the names of what there is."""
        return list(WORK)

    def do_create_procedure(self, name):
        """Describe one of them."""
        procedure = Gimp.ImageProcedure.new(self, name, Gimp.PDBProcType.PLUGIN, self.run, None)
        procedure.set_image_types("*")
        procedure.set_menu_label(WORK[name][2])
        procedure.add_menu_path("<Image>/Filters/Sketchcolor")
        procedure.set_documentation(
            "Colours line art from a layer of strokes",
            'Put strokes of colour on a layer "hints", and another drawing in the right colours on "sheet".',
            name,
        )
        procedure.set_attribution("The Sketchcolor developers", "Apache-2.0", "2026")
        return procedure

    def run(self, procedure, _mode, image, _drawables, _config, _data):
        """Colour an image."""
        kind, name, _label = WORK[procedure.get_name()]
        Gimp.progress_init("Sketchcolor is colouring …")
        try:
            page, hints, sheets = read(image)
            with Server.chosen() as there:
                png = getattr(there, kind)(page, hints=hints, sheet=sheets)
            put(image, name, png, Gimp.LayerMode.NORMAL if kind == "colorize" else Gimp.LayerMode.MULTIPLY)
        except SketchcolorError as problem:
            error = GLib.Error.new_literal(Gimp.PlugIn.error_quark(), str(problem), 0)
            return procedure.new_return_values(Gimp.PDBStatusType.EXECUTION_ERROR, error)
        Gimp.displays_flush()
        return procedure.new_return_values(Gimp.PDBStatusType.SUCCESS, GLib.Error())


def read(image):
    """Return the page, its hints and its sheets as PNG files; the image itself is not changed."""
    names = [layer.get_name().lower() for layer in image.get_layers()]
    if not set(names) - OURS:
        raise SketchcolorError(f"there is no drawing; put the lines on a layer, and strokes on '{HINTS}'")
    page = seen(image, lambda layer: layer.get_name().lower() not in OURS and layer.get_visible())
    hints = [seen(image, lambda layer: layer.get_name().lower() == HINTS)] if HINTS in names else []
    sheets = [seen(image, lambda layer: layer.get_name().lower() == SHEET)] if SHEET in names else []
    return page, hints, sheets


def seen(image, wanted):
    """Return what the wanted layers of an image show together, as PNG."""
    copy = image.duplicate()
    try:
        if copy.get_base_type() != Gimp.ImageBaseType.RGB:
            copy.convert_rgb()
        for layer in copy.get_layers():
            layer.set_visible(wanted(layer))
        copy.merge_visible_layers(Gimp.MergeType.CLIP_TO_IMAGE)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "picture.png")
            Gimp.file_save(Gimp.RunMode.NONINTERACTIVE, copy, Gio.File.new_for_path(str(path)), None)
            return path.read_bytes()
    finally:
        copy.delete()


def put(image, name, png, mode):
    """Put a picture over the drawing in place of an older one of this name; a grey image becomes RGB."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "picture.png")
        path.write_bytes(png)
        image.undo_group_start()
        try:
            if image.get_base_type() != Gimp.ImageBaseType.RGB:
                image.convert_rgb()
            file = Gio.File.new_for_path(str(path))
            layer = Gimp.file_load_layer(Gimp.RunMode.NONINTERACTIVE, image, file)
            layer.set_mode(mode)
            old = image.get_layer_by_name(name)
            if old is None:
                image.insert_layer(layer, None, over_drawing(image))
            else:
                image.insert_layer(layer, old.get_parent(), image.get_item_position(old))
                image.remove_layer(old)
            layer.set_name(name)
        finally:
            image.undo_group_end()


def over_drawing(image):
    """Return the place of a layer right over the drawing, counted from the top."""
    layers = [layer.get_name().lower() for layer in image.get_layers()]
    return next(place for place, name in enumerate(layers) if name not in OURS)


Gimp.main(Sketchcolor.__gtype__, sys.argv)

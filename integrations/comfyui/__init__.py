"""Nodes of ComfyUI that colour pages, take their flat colours, and draw sketches, by sketchcolor."""

from .nodes import comfy_entrypoint

__all__ = ["comfy_entrypoint"]

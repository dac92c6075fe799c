"""The one hook that plugins implement."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sketchcolor_cli.plugin.contract import Extractor

PROJECT = "sketchcolor"
"""The name under which pluggy knows our hooks."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def sketchcolor_extractors() -> Iterable[Extractor]:
    """Declare sketch extractors.

    A module that an entry point in the group ``sketchcolor.extractors`` names implements it::

        @hookimpl
        def sketchcolor_extractors():
            return [Extractor("edges", "Lines where the brightness changes.", load=make_sketcher)]

    Called once per run, without arguments, before any picture is read, and also when the user only wants to
    see what is installed. It must be quick and print nothing: torch and weights wait until an extractor's
    ``load`` is called, which happens only when the user asks for that extractor.

    Returns:
        The extractors. The order does not matter. A name that another plugin gives too cannot be used until
        the user has uninstalled one of the two; the message names both distributions.

    What goes wrong stays with its plugin: when the module cannot be imported, the hook raises or returns
    something else, or a function under ``hookimpl`` has another name than this one, ``sketchcolor plugins``
    lists the plugin as broken, with the reason, and the others work.
    """
    raise NotImplementedError  # a specification, never called

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

    Called once per run, before any picture is read, and also when the user only wants to see what is
    installed. It must be quick: torch and weights wait until an extractor's ``load`` is called.

    Returns:
        The extractors. A name that another plugin gives too cannot be used until the user has uninstalled one
        of the two. When the hook raises, its plugin is listed as broken and the others work.
    """
    raise NotImplementedError  # a specification, never called

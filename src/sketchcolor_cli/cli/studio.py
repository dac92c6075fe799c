"""``sketchcolor studio``: paint in the browser, see pages coloured, finish the book."""

from __future__ import annotations

import webbrowser

from sketchcolor_cli.cli import options, printing
from sketchcolor_cli.cli.request import requested
from sketchcolor_cli.studio.settings import StudioRequest


@options.with_exit_code
@requested(request=StudioRequest)
def studio(request: StudioRequest) -> int:
    """Colour pages in the browser: paint a few strokes, see the page coloured, export the book.

    Everything stays on this computer. What is painted is kept in files beside the pages, which `colorize`
    reads as well. Ctrl-C ends it; nothing is lost.

    Example: `sketchcolor studio pages/`
    """
    with printing.leaving_at_once():
        from sketchcolor_cli.studio import opening

        project = None if request.target is None else opening.project_of(request.target)
        ready = opening.ready(request.server, project, with_page=True, note=printing.note)
    address = f"{ready.address}#{ready.token}"

    def begun() -> None:
        printing.emit(address)
        printing.note("Ctrl-C ends it")
        if request.browser:
            webbrowser.open(address)

    ready.run(begun)
    return 0

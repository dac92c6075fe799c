"""``sketchcolor serve``: colour pages for other programs, over HTTP."""

from __future__ import annotations

from sketchcolor_cli.cli import options, printing
from sketchcolor_cli.cli.request import requested
from sketchcolor_cli.studio.settings import ServeRequest


@options.with_exit_code
@requested(request=ServeRequest)
def serve(request: ServeRequest) -> int:
    """Colour pages for other programs over HTTP, as colorize does it; Ctrl-C ends it.

    Requests name the token that is printed. The server describes itself at /openapi.json.

    Example: `sketchcolor serve --port 8765`
    """
    with printing.leaving_at_once():
        from sketchcolor_cli.studio import opening

        ready = opening.ready(request.server, None, with_page=False, doors=request.doors, note=printing.note)

    def begun() -> None:
        printing.emit(ready.address)
        printing.emit(f"token: {ready.token}")
        printing.note("Ctrl-C ends it")

    ready.run(begun)
    return 0

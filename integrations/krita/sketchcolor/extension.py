"""The entries of the menu, and the work behind them; Krita stays usable meanwhile."""

from __future__ import annotations

import threading

from krita import Extension, Krita

from .document import RefusalError, active, put, read
from .sketchcolor_client import Server, SketchcolorError

try:
    from PyQt6.QtCore import QCoreApplication, QTimer
    from PyQt6.QtWidgets import QMessageBox
except ImportError:
    from PyQt5.QtCore import QCoreApplication, QTimer
    from PyQt5.QtWidgets import QMessageBox

MENU = "tools/scripts"
LAYERS = {"colorize": ("Sketchcolor", "normal"), "flats": ("Flats", "multiply")}
"""Name and mode of the layer that comes: the coloured page has its own ink, flats have none."""
POLL = 100  # milliseconds


class SketchcolorExtension(Extension):
    """Two entries in Tools, Scripts."""

    def __init__(self, parent):
        super().__init__(parent)
        self._server = None
        self._timer = None

    def setup(self):
        """End the server with Krita."""
        QCoreApplication.instance().aboutToQuit.connect(self._close)

    def createActions(self, window):
        """Make the entries."""
        for kind, text in (("colorize", "Colour with Sketchcolor"), ("flats", "Flats with Sketchcolor")):
            action = window.createAction(f"sketchcolor_{kind}", text, MENU)
            action.triggered.connect(lambda _checked=False, kind=kind: self.run(kind))

    def run(self, kind):
        """Colour the open document; the layer comes when the server has answered."""
        if self._timer is not None:
            return self._tell("it is still colouring; wait a moment")
        try:
            document = active()
            page, hints, sheets = read(document)
        except RefusalError as problem:
            return self._tell(str(problem))
        answer = {}
        work = threading.Thread(target=self._ask, args=(kind, page, hints, sheets, answer), daemon=True)
        work.start()
        self._timer = QTimer()
        self._timer.timeout.connect(lambda: self._look(work, answer, document, *LAYERS[kind]))
        self._timer.start(POLL)
        self._float("Sketchcolor is colouring …")
        return None

    def _ask(self, kind, page, hints, sheets, answer):
        """Ask the server, which is started the first time, and again if it has ended; runs beside Krita."""
        try:
            if self._server is None or self._server.ended:
                self._server = Server.chosen()
            answer["png"] = getattr(self._server, kind)(page, hints=hints, sheet=sheets)
        except SketchcolorError as problem:
            answer["problem"] = str(problem)
        except Exception as problem:  # whatever it is, the user hears of it and Krita goes on
            answer["problem"] = f"{type(problem).__name__}: {problem}"

    def _look(self, work, answer, document, name, mode):
        """Take the answer once it is there."""
        if work.is_alive():
            return
        self._timer.stop()
        self._timer = None
        if "problem" in answer:
            self._tell(answer["problem"])
        elif document in Krita.instance().documents():
            put(document, name, answer["png"], mode)
            self._float(f"The colours are on the layer {name}.")

    def _close(self):
        if self._server is not None:
            self._server.close()

    @staticmethod
    def _tell(sentence):
        window = Krita.instance().activeWindow()
        QMessageBox.warning(window.qwindow() if window else None, "Sketchcolor", sentence)

    @staticmethod
    def _float(sentence):
        window = Krita.instance().activeWindow()
        view = window.activeView() if window else None
        if view is not None:
            view.showFloatingMessage(sentence, Krita.instance().icon("fill"), 3000, 1)

"""How much a client may ask for; the only place where these numbers stand."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What is refused, so that a strange client costs little.

    Attributes:
        body: Bytes of a request, and of the parts of a form together.
        document: Bytes of a JSON document or of a message on a socket.
        parts: Files in one form.
        silence: Seconds within which each piece of a request has to come.
        request_seconds: Seconds within which all of a request has to come.
        connections: Open at one time; further ones are closed at once.
        sockets: Live sockets open at one time.
        streams: Streams of events open at one time.
        queue: Jobs that wait.
        waiting: Pictures that wait to be coloured over HTTP.
        marks, vertices: On one page.
        pixels: Of a rough layer, a mask or a part of a page that is asked for.
    """

    body: int = 64 * 2**20
    document: int = 8 * 2**20
    parts: int = 64
    silence: float = 20.0
    request_seconds: float = 300.0
    connections: int = 512
    sockets: int = 32
    streams: int = 32
    queue: int = 8
    waiting: int = 64
    marks: int = 2_000
    vertices: int = 200_000
    pixels: int = 4096 * 4096

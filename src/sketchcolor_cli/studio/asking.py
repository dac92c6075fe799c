"""Reading what a request says; what makes no sense is a problem in one sentence."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from python_multipart.exceptions import MultipartParseError
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from sketchcolor_cli.studio.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from starlette.datastructures import FormData
    from starlette.requests import Request

    from sketchcolor_cli.studio.limits import Limits

_END = 64  # bytes of a form's end that are looked at
_CLIENT = 32  # longest name that a window gives itself


async def json_of(request: Request, limits: Limits) -> dict[str, Any]:
    """Return the JSON object of a request.

    Raises:
        ProblemError: It has another type, is too large, or none.
    """
    require_type(request, "application/json")
    body = await body_of(request, limits.document)
    return parsed(body)


def parsed(text: bytes | str) -> dict[str, Any]:
    """Return a JSON object; without NaN and Infinity, which JSON has not.

    Raises:
        ProblemError: It is none.
    """
    try:
        document = json.loads(text, parse_constant=_refused)
    except (ValueError, RecursionError) as error:
        raise ProblemError(422, f"the request is not valid JSON ({error})") from error
    if not isinstance(document, dict):
        raise ProblemError(422, "the request is not a JSON object")
    if not _is_text(document):
        raise ProblemError(422, "the request holds half a character, as no text has it")
    return document


async def body_of(request: Request, most: int) -> bytes:
    """Return the body of a request of at most so many bytes.

    Raises:
        ProblemError: It is larger.
    """
    pieces, size = [], 0
    async for piece in request.stream():
        size += len(piece)
        if size > most:
            raise ProblemError(
                413, f"this takes at most {most // 2**20} MiB", headers={"Connection": "close"}
            )
        pieces.append(piece)
    return b"".join(pieces)


def require_type(request: Request, *types: str) -> str:
    """Return the type of a request's body.

    Raises:
        ProblemError: It is none of these.
    """
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given not in types:
        raise ProblemError(415, f"send {' or '.join(types)}, not {given or 'without a type'}")
    return given


@asynccontextmanager
async def form_of(request: Request, limits: Limits) -> AsyncIterator[FormData]:
    """Read a form with files, which are deleted when the block ends.

    Raises:
        ProblemError: It has another type, is damaged, or has too many parts.
    """
    require_type(request, "multipart/form-data")
    tail = bytearray()
    parser = MultiPartParser(
        request.headers,
        _remembered(request, tail),
        max_files=limits.parts,
        max_fields=limits.parts,
        max_part_size=limits.document,
    )
    try:
        form = await _parsed_form(parser)
        if not bytes(tail).rstrip().endswith(b"--"):
            raise ProblemError(400, "the form did not come to its end; send it again")
        yield form
    finally:
        for file in parser._files_to_close_on_error:  # those of parts that did not come to their end, too
            file.close()


async def _parsed_form(parser: MultiPartParser) -> FormData:
    try:
        return await parser.parse()
    except MultiPartException as error:
        status = 413 if "Too many" in error.message or "exceeded" in error.message else 400
        raise ProblemError(status, f"the form cannot be read ({error.message})") from error
    except (MultipartParseError, ValueError, KeyError) as error:
        raise ProblemError(400, f"the form cannot be read ({error})") from error


async def _remembered(request: Request, tail: bytearray) -> AsyncGenerator[bytes, None]:
    """Give a request's body, of which the end is put into ``tail``."""
    async for piece in request.stream():
        tail += piece[-_END:]
        del tail[:-_END]
        yield piece


def files_in(form: FormData, name: str) -> list[UploadFile]:
    """Return the files of a form that have this name."""
    return [file for file in form.getlist(name) if isinstance(file, UploadFile)]


def some_files(form: FormData) -> list[UploadFile]:
    """Return the files of a form, of which there must be one or more.

    Raises:
        ProblemError: There is none.
    """
    files = files_in(form, "file")
    if not files:
        raise ProblemError(422, "no file was sent; the form's field is called file")
    return files


async def one_picture(form: FormData) -> tuple[str, bytes]:
    """Return name and content of the one picture of a form.

    Raises:
        ProblemError: There is none, or there are several.
    """
    files = files_in(form, "image")
    if len(files) != 1:
        raise ProblemError(422, "send one picture in the form's field image")
    return files[0].filename or "", await files[0].read()


def number(request: Request, name: str, default: float | None, least: float, most: float) -> float:
    """Return a number of the address.

    Raises:
        ProblemError: It is missing, or none between these.
    """
    text = request.query_params.get(name)
    if text is None:
        if default is None:
            raise ProblemError(422, f"{name} is missing")
        return default
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not least <= value <= most:
        raise ProblemError(422, f"{name} must be a number from {least:g} to {most:g}, not {text[:40]!r}")
    return value


def expected_revision(request: Request) -> str:
    """Return the revision that a client has seen.

    Raises:
        ProblemError: It names none.
    """
    text = request.headers.get("if-match")
    if text is None:
        raise ProblemError(428, "name the revision that you have seen: If-Match")
    return text.strip().removeprefix("W/").strip('"')


def client_of(request: Request) -> str | None:
    """Return what a window calls itself, so that it knows what it did."""
    name = request.headers.get("x-client", "")
    return name if name.isalnum() and name.isascii() and len(name) <= _CLIENT else None


def _is_text(document: Any) -> bool:
    try:
        json.dumps(document, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _refused(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")

from __future__ import annotations

import errno
import random
import socket
import time
from pathlib import Path

import pytest

from sketchcolor_cli.errors import WeightError
from sketchcolor_cli.weights import download as module
from sketchcolor_cli.weights.download import DownloadSettings, UnavailableError, discard, download
from web import serving

DATA = random.Random(0).randbytes(300_000)  # noqa: S311 - no secret
LENGTH = len(DATA)
QUICK = DownloadSettings(timeout=20, tries=3, pause=0)


@pytest.fixture
def web(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    with serving() as web:
        yield web


@pytest.fixture
def target(tmp_path):
    return tmp_path / "net.pth"


def get(url, target, *, size=LENGTH, checked=True, settings=QUICK):
    seen = []
    download(
        url,
        target,
        size=size,
        checked=checked,
        settings=settings,
        report=lambda *progress: seen.append(progress),
    )
    return seen


@pytest.mark.parametrize("size", [len(DATA), None])
@pytest.mark.parametrize("length", [True, False])
def test_a_file_comes_whole_and_its_progress_is_told(web, target, size, length):
    seen = get(web.file("/net.pth", DATA, length=length), target, size=size)
    assert target.read_bytes() == DATA
    assert web.asked == [("/net.pth", None)]
    total = len(DATA) if length or size else None
    assert (seen[0], seen[-1]) == ((0, total), (len(DATA), total))
    assert [done for done, _ in seen] == sorted({done for done, _ in seen})
    assert web.headers[0]["User-Agent"].startswith("sketchcolor/")


def test_redirects_are_followed(web, target):
    web.file("/real", DATA)

    def redirect(request):
        request.send_response(302)
        request.send_header("Location", "/real")
        request.end_headers()

    get(web.serve("/net.pth", redirect), target)
    assert target.read_bytes() == DATA


def test_a_redirect_to_another_protocol_is_not_followed(web, target):
    def redirect(request):
        request.send_response(302)
        request.send_header("Location", Path(__file__).as_uri())
        request.end_headers()

    with pytest.raises(UnavailableError, match="302"):
        get(web.serve("/net.pth", redirect), target)
    assert not target.exists()


def test_a_cut_connection_goes_on_where_it_stopped(web, target):
    get(web.file("/net.pth", DATA, cuts=[100_000, 50_000]), target)
    assert target.read_bytes() == DATA
    assert web.asked == [("/net.pth", None), ("/net.pth", "bytes=100000-"), ("/net.pth", "bytes=150000-")]
    assert web.headers[1]["If-Range"] == '"one"'


def test_a_cut_connection_without_a_length_is_known_by_the_size_of_the_file(web, target):
    get(web.file("/net.pth", DATA, cuts=[100_000], length=False), target)
    assert target.read_bytes() == DATA


def test_a_connection_that_is_cut_again_and_again_is_given_up_and_goes_on_the_next_time(web, target):
    url = web.file("/net.pth", DATA, cuts=[70_000, 1, 0])
    with pytest.raises(UnavailableError, match="broke after 70001 of 300000 bytes"):
        get(url, target)
    assert target.read_bytes() == DATA[:70_001]
    web.asked.clear()
    get(url, target)
    assert target.read_bytes() == DATA
    assert web.asked == [("/net.pth", "bytes=70001-")]


def test_many_cuts_are_no_matter_while_much_comes_each_time(web, target, monkeypatch):
    monkeypatch.setattr(module, "_ENOUGH", 40_000)
    get(web.file("/net.pth", DATA, cuts=[40_000] * 7), target)
    assert target.read_bytes() == DATA
    assert len(web.asked) == 8


def test_a_server_that_knows_no_ranges_gives_all_again(web, target):
    get(web.file("/net.pth", DATA, cuts=[100_000], ranges=False), target)
    assert target.read_bytes() == DATA
    assert web.asked == [("/net.pth", None), ("/net.pth", "bytes=100000-")]


def test_a_file_that_changed_in_between_is_begun_again(web, target):
    with pytest.raises(UnavailableError):
        get(web.file("/net.pth", DATA, cuts=[70_000, 0, 0]), target, settings=QUICK)
    newer = DATA[::-1]
    get(web.file("/net.pth", newer, tag='"two"'), target)
    assert target.read_bytes() == newer


def test_what_another_place_gave_is_continued_only_when_a_checksum_will_be_compared(web, target):
    for checked, asked in ((True, "bytes=70000-"), (False, None)):
        with pytest.raises(UnavailableError):
            get(web.file("/first", DATA, cuts=[70_000, 0, 0]), target)
        web.asked.clear()
        get(web.file("/second", DATA), target, checked=checked)
        assert web.asked == [("/second", asked)]
        assert target.read_bytes() == DATA
        discard(target)
        assert list(target.parent.iterdir()) == []


def test_without_checksum_or_validator_a_cut_file_is_begun_again(web, target):
    get(web.file("/net.pth", DATA, cuts=[70_000], tag=None), target, checked=False, size=None)
    assert target.read_bytes() == DATA
    assert web.asked == [("/net.pth", None), ("/net.pth", None)]


def test_a_whole_file_is_not_asked_for_again(web, target):
    target.write_bytes(DATA)
    get(web.file("/net.pth", DATA), target)
    assert web.asked == []


def test_too_much_is_begun_again(web, target):
    target.write_bytes(DATA + b"more")
    get(web.file("/net.pth", DATA), target)
    assert target.read_bytes() == DATA


def test_a_server_without_the_rest_is_asked_for_the_whole(web, target):
    target.write_bytes(DATA[:200_000])
    short = DATA[:150_000]
    with pytest.raises(UnavailableError, match="another file there, of 150000 bytes instead of 300000"):
        get(web.file("/net.pth", short), target)
    assert web.asked == [("/net.pth", "bytes=200000-"), ("/net.pth", None)]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda request: request.send_error(404), "HTTP 404 Not Found"),
        (lambda request: request.send_error(503, "Busy"), "HTTP 503 Busy"),
        (lambda request: request.send_response(204) or request.end_headers(), "HTTP 204"),
        (lambda request: request.wfile.write(b"nonsense\r\n\r\n"), "no connection"),
    ],
)
def test_a_server_that_says_no_is_quoted(web, target, answer, said):
    with pytest.raises(UnavailableError, match=said):
        get(web.serve("/net.pth", answer), target)
    assert not target.exists()


def test_a_web_page_is_not_the_file(web, target):
    with pytest.raises(UnavailableError, match="web page instead of the file"):
        get(web.file("/net.pth", b"<html>Please log in</html>", kind="text/html; charset=utf-8"), target)
    assert not target.exists()


def test_a_file_of_another_size_is_refused_before_it_is_loaded(web, target):
    with pytest.raises(UnavailableError, match="of 300000 bytes instead of 1000"):
        get(web.file("/net.pth", DATA), target, size=1000)
    assert not target.exists()


def test_more_than_was_announced_is_refused(web, target):
    with pytest.raises(UnavailableError, match="sends more than the 1000 bytes"):
        get(web.file("/net.pth", DATA, length=False), target, size=1000)


def test_a_server_that_falls_silent_is_a_cut_connection(web, target):
    def silent(request):
        request.send_response(200)
        request.send_header("Content-Length", str(len(DATA)))
        request.end_headers()
        request.wfile.write(DATA[:1000])
        web.leave.wait(60)

    start = time.monotonic()
    with pytest.raises(UnavailableError, match="timed out"):
        get(web.serve("/net.pth", silent), target, settings=DownloadSettings(timeout=1, tries=1))
    assert time.monotonic() - start < 30
    assert target.read_bytes() == DATA[:1000]


def test_a_server_that_never_answers_is_given_up(web, target):
    with pytest.raises(UnavailableError, match=r"no answer in 0\.2 s"):
        get(
            web.serve("/net.pth", lambda _: web.leave.wait(5)), target, settings=DownloadSettings(timeout=0.2)
        )


def test_a_server_that_drips_is_too_slow(web, target):
    def drip(request):
        request.send_response(200)
        request.send_header("Content-Length", str(len(DATA)))
        request.end_headers()
        for byte in DATA[:1000]:
            request.wfile.write(bytes([byte]))
            if web.leave.wait(0.02):
                return

    with pytest.raises(UnavailableError, match=r"too slow, 0\.\d kB/s"):
        get(web.serve("/net.pth", drip), target, settings=DownloadSettings(timeout=1, slowest=50_000))


def test_no_network_is_one_reason(target, web):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(UnavailableError, match=r"^no connection \(Connection refused\)$"):
        get(f"http://127.0.0.1:{port}/net.pth", target)


def test_a_full_disk_is_one_line_and_what_came_stays(web, target, monkeypatch):
    room = [100_000]
    opened = Path.open

    def limited(path, mode="r", *args, **kwargs):
        file = opened(path, mode, *args, **kwargs)
        if path != target or "r" in mode:
            return file
        write = file.write

        class Limited:
            def __enter__(self):
                return self

            def __exit__(self, *_):
                file.close()

            def write(self, piece):
                if len(piece) > room[0]:
                    raise OSError(errno.ENOSPC, "No space left on device")
                room[0] -= len(piece)
                return write(piece)

        return Limited()

    monkeypatch.setattr(Path, "open", limited)
    url = web.file("/net.pth", DATA)
    with pytest.raises(WeightError, match=r"net\.pth: the disk is full; .*run the command again") as told:
        get(url, target)
    assert not isinstance(told.value, UnavailableError)
    have = target.stat().st_size
    room[0] = 10**9
    get(url, target)
    assert target.read_bytes() == DATA
    assert web.asked[-1] == ("/net.pth", f"bytes={have}-" if have else None)


def test_a_proxy_is_asked_where_the_environment_names_one(web, target, monkeypatch):
    web.file("http://weights.invalid/net.pth", DATA)
    monkeypatch.setenv("http_proxy", web.address)
    monkeypatch.setenv("no_proxy", "")
    get("http://weights.invalid/net.pth", target)
    assert target.read_bytes() == DATA
    assert web.asked == [("http://weights.invalid/net.pth", None)]


def test_a_proxy_that_refuses_is_quoted(web, target, monkeypatch):
    monkeypatch.setenv("https_proxy", web.address)
    monkeypatch.setenv("no_proxy", "")
    with pytest.raises(UnavailableError, match=r"no connection \(Tunnel connection failed: 501"):
        get("https://weights.invalid/net.pth", target)

"""The server of `lull app`: who reaches it, what it refuses, and that nothing that a visitor types is evaluated."""

import asyncio
import http.client
import logging
import os
import re
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import psutil
import pytest
from tornado.websocket import WebSocketClosedError

from sim.app import bound_port
from sim.app.form_settings import load_base
from sim.app.frame import PAGES
from sim.app.server import ServerAddress, ignore_closed_sockets, server_at
from sim.app.workers import WorkerPool
from sim.cli import main
from tests.app.served import Served, serving

FEW = "study.runs=50"
PROBE = "lull-probe-4711"
"""What the home of the server is called: if it comes back in an answer, something was evaluated."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("LULL_PROBE", PROBE)
        with serving(tmp_path_factory.mktemp("served"), FEW) as made:
            yield made
        assert "Traceback" not in made.output()


def listening(process: psutil.Process) -> set[str]:
    """Return the addresses at which a process can be reached."""
    return {one.laddr.ip for one in process.net_connections("inet") if one.status == psutil.CONN_LISTEN}


def answer(served: Served, path: str, headers: dict[str, str] | None = None) -> tuple[int, dict[str, str], str]:
    """Return status, headers and text of an answer; the path is sent as it is."""
    place = urlsplit(served.site)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=60)
    try:
        connection.putrequest("GET", path, skip_host="Host" in (headers or {}))
        for key, value in (headers or {}).items():
            connection.putheader(key, value)
        connection.endheaders()
        found = connection.getresponse()
        # What is upgraded has no end.
        text = "" if found.status == 101 else found.read().decode("utf-8", "replace")
        return found.status, {key.lower(): value for key, value in found.getheaders()}, text
    finally:
        connection.close()


# --- where it can be reached --------------------------------------------------------------------------------


def test_it_listens_on_the_loopback_alone_and_leads_to_the_first_page(served: Served) -> None:
    assert served.site.startswith("http://127.0.0.1:")
    assert listening(psutil.Process(served.process.pid)) == {"127.0.0.1"}
    status, headers, _ = answer(served, "/")
    assert (status, headers["location"]) == (302, "explore")
    for place in PAGES:
        status, _, text = answer(served, f"/{place.name}")
        assert status == 200
        assert place.question in text
        assert "What this page cannot tell" in text
    assert answer(served, "/nowhere")[0] == 404


def test_another_host_is_listened_on_only_when_asked_for() -> None:
    pool = WorkerPool(load_base((FEW,)))
    process = psutil.Process()
    before = listening(process)
    for host, names in (("0.0.0.0", ["*"]), ("127.0.0.1", ["127.0.0.1", "localhost"])):
        address = ServerAddress(host, bound_port(host, 0))
        assert sorted(address.origins) == sorted(f"{name}:{address.port}" for name in names)
        server = server_at(address, pool)
        try:
            assert listening(process) - before == {host}
        finally:
            server.unlisten()
            server.stop()
    pool.close()


def test_a_bracketed_address_is_printed_for_the_newer_protocol() -> None:
    assert ServerAddress("::1", 5006).url == "http://[::1]:5006/"
    assert ServerAddress("::1", 5006).origins == ["[::1]:5006"]
    assert ServerAddress("192.168.0.7", 5006).origins == ["192.168.0.7:5006"]
    assert ServerAddress("0.0.0.0", 80).url == "http://localhost:80/"


def refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """Return the one line with which a command is refused."""
    assert main(["app", FEW, *words]) == 2
    printed = capsys.readouterr()
    assert "Ready" not in printed.out
    assert printed.err.count("\n") == 1
    return printed.err


def test_a_port_in_use_gives_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        line = refused([f"app.port={port}", "app.show=false"], capsys)
    assert line.startswith(f"lull: app.host, app.port = 127.0.0.1:{port}: allowed an address that is free")


@pytest.mark.parametrize(
    ("word", "line"),
    [
        ("app.port=99999", "app.port = 99999: allowed a whole number from 0 to 65535"),
        ("app.port=http", "app.port = http: allowed a whole number"),
        ("app.port=-1", "app.port = -1: allowed a whole number"),
        ("app.host=", "app.host = "),
        ("app.host=a b", "app.host = a b: allowed a name or an address of this machine"),
        ("app.host=..", "app.host, app.port = ..: allowed an address that is free"),
        ("app.host=203.0.113.1", "app.host, app.port = 203.0.113.1: allowed an address that is free"),
        ("app.show=perhaps", "app.show = perhaps: allowed true or false"),
        ("app.prot=1", "app.prot = 1: allowed "),
        ("study.runs=1000000", "study.runs = 1000000: allowed 1 to 20000 here"),
        ("study.draws=7", "study.draws = 7: allowed "),
        ("scenario=nonsense", "scenario = nonsense: allowed "),
        ("nonsense=1", "nonsense"),
    ],
)
def test_a_bad_key_gives_one_line(word: str, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = [word] if word.startswith("app.port") else [word, "app.port=0"]
    if not word.startswith("app.show"):
        words.append("app.show=false")
    assert refused(words, capsys).startswith(f"lull: {line}")


def test_ctrl_c_ends_it_without_a_word_too_many(tmp_path: Path) -> None:
    with serving(tmp_path, FEW) as one:
        assert answer(one, "/explore")[0] == 200
        assert one.end(signal.SIGINT) == 0
        ready, *rest = one.output().splitlines()
        assert ready.startswith("Ready at ")
        assert rest == ["Ended."]


def test_a_visitor_who_leaves_is_no_error_but_errors_are(caplog: pytest.LogCaptureFixture) -> None:
    async def fail() -> None:
        loop = asyncio.get_running_loop()
        ignore_closed_sockets(loop)
        for mistake in (WebSocketClosedError(), ValueError("a defect")):
            loop.call_exception_handler({"message": "never retrieved", "exception": mistake})
        for name in ("bokeh.server.views.ws", "panel.io.document"):
            logging.getLogger(name).warning("Failed sending message as connection was closed")
        logging.getLogger("bokeh.server.views.ws").error("Refusing websocket connection")

    asyncio.run(fail())
    printed = [one.getMessage() + str(one.exc_info) for one in caplog.records]
    assert len(printed) == 2
    assert "a defect" in printed[0]
    assert printed[1].startswith("Refusing")


# --- other sites --------------------------------------------------------------------------------------------


def handshake(served: Served, origin: str, host: str) -> int:
    """Return the status with which a socket is opened or refused to a page of some origin."""
    token = re.search(r'"token": ?"([^"]+)"', answer(served, "/explore")[2])
    assert token, "the page has no token"
    status, _, _ = answer(
        served, "/explore/ws",
        {
            "Host": host, "Origin": origin, "Upgrade": "websocket", "Connection": "Upgrade",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Protocol": f"bokeh, {token[1]}",
        },
    )  # fmt: skip
    return status


def test_the_page_of_another_site_may_not_talk_to_it(served: Served) -> None:
    own = urlsplit(served.site).netloc
    port = urlsplit(served.site).port
    assert handshake(served, served.site, own) == 101
    assert handshake(served, f"http://localhost:{port}", f"localhost:{port}") == 101
    for origin in ("http://example.org", f"http://example.org:{port}", f"http://127.0.0.1:{port + 1}"):  # type: ignore[operator]
        assert handshake(served, origin, own) == 403
    # A name of elsewhere that is made to lead here is another site as well.
    assert handshake(served, f"http://example.org:{port}", f"example.org:{port}") == 403
    for path in ("/explore", "/files/config.yaml", "/", "/nowhere"):
        assert answer(served, path, {"Host": f"example.org:{port}"})[0] == 403
        assert answer(served, path, {"Host": f"127.0.0.1.example.org:{port}"})[0] == 403
        assert answer(served, path, {"Host": f"localhost:{port}"})[0] == {"/": 302, "/nowhere": 404}.get(path, 200)


def test_no_page_of_another_site_may_read_an_answer(served: Served) -> None:
    for path in ("/explore", "/files/scenario.yaml"):
        _, headers, _ = answer(served, path, {"Origin": "http://example.org"})
        assert headers.get("access-control-allow-origin", "") == ""


# --- what a visitor types -----------------------------------------------------------------------------------

TYPED = (
    "__import__('os').system('touch hit')",
    "${oc.env:LULL_PROBE}",
    "${oc.env:HOME}",
    "!!python/object/apply:os.system ['touch hit']",
    "$(touch hit)",
    "; touch hit",
    "{{ 6 * 7 }}",
    "<script>alert(1)</script>",
    "../../../../etc/passwd",
    "1+1",
    "\x00",
    "9" * 5000,
)


@pytest.mark.parametrize(
    "key", ["patron.control", "scenario", "history", "history.free_from", "seed", "mechanisms.fear"]
)
def test_nothing_typed_is_evaluated(served: Served, key: str) -> None:
    for text in TYPED:
        if (key, text) == ("seed", TYPED[-1]):
            text = "-1"
        for name in (key, f"b.{key}"):
            status, headers, printed = answer(served, f"/files/outcomes.csv?{name}={quote(text)}")
            assert status == 400, (name, text)
            assert headers["content-type"].startswith("text/plain")
            assert headers["x-content-type-options"] == "nosniff"
            assert printed.count("\n") == 1
            assert len(printed) < 1000
            assert PROBE not in printed
            assert os.environ["HOME"] + " " not in printed
            assert "42" not in printed.replace(text, "")
    assert not list(served.log.parent.glob("hit*"))


def test_a_good_setting_is_answered_with_the_file(served: Served) -> None:
    status, headers, printed = answer(served, "/files/scenario.yaml?patron.control=0.5")
    assert (status, headers["content-disposition"]) == (200, 'attachment; filename="lull-scenario.yaml"')
    assert "control: 0.5" in printed


@pytest.mark.parametrize(
    "path",
    [
        "/files/../../../../etc/passwd", "/files/..%2f..%2f..%2fetc%2fpasswd", "/files/%2e%2e/pyproject.toml",
        "/files//etc/passwd", "/files/", "/static/../../../../../../etc/passwd", "/static/..%2f..%2f..%2fetc%2fpasswd",
        "/files/outcomes.csv%00.png", "/explore/../../etc/passwd",
    ],
)  # fmt: skip
def test_no_file_of_the_machine_is_reached(served: Served, path: str) -> None:
    status, _, printed = answer(served, path)
    assert status in (400, 403, 404)
    assert "root:" not in printed
    assert "[project]" not in printed


def test_what_is_typed_into_an_address_is_not_part_of_the_page(served: Served) -> None:
    for path in ("/explore", "/play", "/learn"):
        printed = answer(served, f"{path}?x={quote('<script>alert(4711)</script>')}")[2]
        assert "alert(4711)" not in printed

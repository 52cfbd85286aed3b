"""The page served as a user starts it, with what the server says."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

READY = re.compile(r"Ready at (http://\S+)/ ")
PATIENCE = 120.0
"""Seconds that a slow machine gets to begin."""


@dataclass(frozen=True)
class Served:
    """A server that runs: its address without the last slash, its process and what it has said."""

    site: str
    process: "subprocess.Popen[bytes]"
    log: Path

    def output(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def end(self, sign: int = signal.SIGTERM) -> int:
        """End it and return its exit code."""
        self.process.send_signal(sign)
        return self.process.wait(30)


@contextmanager
def serving(folder: Path, *words: str) -> Iterator[Served]:
    """Start `lull app` with more words, at any free port and without opening a browser; end it at the end."""
    command = [sys.executable, "-c", "import sys; from sim.cli import main; sys.exit(main())", "app"]
    command += [*words, "app.port=0", "app.show=false"]
    log = folder / "served.log"
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "NO_COLOR": "1", "COLUMNS": "200"}
    with log.open("wb") as file:
        process = subprocess.Popen(command, cwd=folder, stdout=file, stderr=subprocess.STDOUT, env=environment)
    try:
        yield Served(_site(process, log), process, log)
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(30)


def _site(process: "subprocess.Popen[bytes]", log: Path) -> str:
    """Wait until the server says where it is."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        if place := READY.search(log.read_text(encoding="utf-8")):
            return place[1]
        time.sleep(0.05)
    raise AssertionError(f"the server did not begin: {log.read_text(encoding='utf-8')}")

"""The questions of docs/questions.md: each command gives the sentence that stands below it."""

import re
import shlex
from pathlib import Path

import pytest

from sim.cli import main

TEXT = (Path(__file__).parents[1] / "docs" / "questions.md").read_text(encoding="utf-8")
ASKED = re.findall(r"```sh\n(lull [^\n]*)\n```\n\n> ([^\n]*(?:\n> [^\n]*)*)", TEXT)
FILES = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


def plain(text: str) -> str:
    return " ".join(text.replace("\n> ", " ").split())


def test_every_question_has_a_command_and_an_answer() -> None:
    headings = re.findall(r"^## (.*\?)$", TEXT, re.MULTILINE)
    assert len(headings) == 7
    assert len(ASKED) == TEXT.count("```sh") == len(headings) + 1  # one is asked of two kinds of winters
    assert all(plain(answer).endswith(".") and len(answer) > 60 for _, answer in ASKED)


@pytest.mark.docs
@pytest.mark.parametrize("place", range(len(ASKED)))
def test_the_command_gives_the_answer(
    place: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    for code in FILES:
        exec(compile(code, "docs/questions.md", "exec"), {})
    command, answer = ASKED[place]
    assert main(shlex.split(command)[1:]) == 0
    printed = plain(capsys.readouterr().out)
    assert plain(answer) in printed
    assert re.sub(r"\d", lambda digit: str(9 - int(digit[0])), plain(answer)) not in printed

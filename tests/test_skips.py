"""Where nothing may be left out, a skip turns the whole run red, however it comes about."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import NO_SKIPS

CONFTEST = Path(__file__).with_name("conftest.py")
GOOD = "def test_good():\n    assert True\n"
EXPECTED = "import pytest\n@pytest.mark.xfail(strict=True)\ndef test_known():\n    assert False\n"
SKIPS = {
    "a mark": "import pytest\n@pytest.mark.skipif(True, reason='no')\ndef test_it():\n    pass\n",
    "a fixture": "import pytest\n@pytest.fixture\ndef no():\n    pytest.skip('no')\ndef test_it(no):\n    pass\n",
    "a module": "import pytest\npytest.importorskip('no_such_library')\n",
    "a doctest": '"""\n>>> 1 / 0  # doctest: +SKIP\n"""\n',
}


def outcome(folder: Path, source: str, *, no_skips: bool, workers: int = 0) -> subprocess.CompletedProcess[str]:
    """Run a file of tests beside a good test, in a folder of its own."""
    shutil.copy(CONFTEST, folder)
    (folder / "test_good.py").write_text(GOOD, encoding="utf-8")
    (folder / "test_it.py").write_text(source, encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", NO_SKIPS))}
    environment |= {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"} | ({NO_SKIPS: "1"} if no_skips else {})
    spread = ["-p", "xdist.plugin", f"-n{workers}"] if workers else []
    command = [sys.executable, "-m", "pytest", "-c", os.devnull, "--rootdir=.", "--doctest-modules", *spread, "."]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("source", SKIPS.values(), ids=SKIPS)
def test_a_skip_is_a_failure_where_it_is_said_so(source, tmp_path):
    run = outcome(tmp_path, source, no_skips=True)
    assert run.returncode == pytest.ExitCode.TESTS_FAILED, run.stdout
    assert " skipped, and LULL_NO_SKIPS is set" in run.stdout


def test_a_skip_in_a_worker_is_heard_too(tmp_path):
    source = SKIPS["a mark"] + SKIPS["a fixture"].replace("test_it", "test_too")
    run = outcome(tmp_path, source, no_skips=True, workers=2)
    assert run.returncode == pytest.ExitCode.TESTS_FAILED, run.stdout
    assert "2 skipped" in run.stdout


def test_elsewhere_a_skip_passes_and_what_is_expected_to_fail_is_no_skip(tmp_path):
    assert outcome(tmp_path, SKIPS["a mark"], no_skips=False).returncode == pytest.ExitCode.OK
    assert outcome(tmp_path, EXPECTED, no_skips=True).returncode == pytest.ExitCode.OK

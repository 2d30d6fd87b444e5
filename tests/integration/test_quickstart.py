"""./quickstart --check walks through everything a newcomer is shown, by itself, with the installed broker."""
import os
import pathlib
import re
import subprocess
import tempfile

import pytest

from daemon import free_port
from patience import PATIENCE

QUICKSTART = pathlib.Path(__file__).parents[2] / "quickstart"


@pytest.fixture
def folder():
    """As root the broker runs as Debian's user mosquitto, which cannot reach pytest's own folders."""
    with tempfile.TemporaryDirectory(prefix="aduana-", dir="/var/tmp") as made:
        pathlib.Path(made).chmod(0o755)
        yield pathlib.Path(made)


def test_quickstart(folder, sanitized):
    if sanitized:
        pytest.skip("it builds and runs the release")
    environment = {**os.environ, "ADUANA_QUICKSTART_DIR": str(folder / "quickstart"), "ADUANA_QUICKSTART_PORT": str(free_port())}
    done = subprocess.run([QUICKSTART, "--check"], env=environment, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=600)
    try:
        assert done.returncode == 0, done.stdout[-8000:]
        passed = re.fullmatch(r"quickstart: (\d+) checks passed", done.stdout.splitlines()[-1])
        assert passed and int(passed[1]) >= 8, done.stdout[-8000:]
    finally:
        subprocess.run([QUICKSTART, "--stop"], env=environment, stdin=subprocess.DEVNULL, timeout=PATIENCE)

"""The command in a process of its own: Ctrl-C at odd moments, a terminal, a closed pipe."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("PIL")
SOURCE = str(Path(__file__).parents[1] / "src")
COMMAND = [sys.executable, "-W", "error", "-c", "import sys; from rushlight.cli import main; sys.exit(main())"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": SOURCE, "TERM": "xterm-256color", "COLUMNS": "100"}


def start(*arguments, **more):
    return subprocess.Popen([*COMMAND, *arguments], env=ENVIRONMENT, text=True, start_new_session=True, **more)


@pytest.mark.parametrize("workers", ["0", "2"])
def test_ctrl_c_for_the_whole_process_group_saves_and_ends_quietly(tmp_path, workers):
    arguments = ["train", "--epochs", "500", "--out", str(tmp_path), "--workers", workers]
    process = start(*arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    for line in process.stdout:
        if line.startswith("epoch 2/"):
            break
    time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: the workers get it too
    out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (130, "")
    assert re.search(r"stopped after epoch \d+(, step \d+)?; go on with: rushlight train --resume --out ", out)
    assert (tmp_path / "last.pt").exists()
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)  # nobody is left


def test_on_a_terminal_a_bar_shows_how_it_goes(tmp_path):
    pytest.importorskip("rich")
    ours, theirs = pty.openpty()
    process = start("train", "--epochs", "4", "--out", str(tmp_path), stdout=theirs, stderr=theirs, stdin=theirs)
    os.close(theirs)
    shown = b""
    while True:
        if not select.select([ours], [], [], 30)[0]:
            break
        try:
            shown += os.read(ours, 65536)
        except OSError:  # how Linux tells that the other side has closed
            break
    os.close(ours)
    assert process.wait(timeout=30) == 0
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode())
    assert re.search(r"epoch \d/4 [━╸╺ ]+ loss \d\.\d{4}  accuracy \d+\.\d %  [\d,]+ examples/s  \d+:\d\d left", text)
    assert re.search(r"epoch 4/4  loss \d\.\d{4}  accuracy \d+\.\d %  validation \d\.\d{4}  \d+\.\d %  [\d,]+/s", text)
    assert text.rstrip().splitlines()[-1].startswith("test accuracy ")


def test_a_reader_that_leaves_is_no_error(tmp_path):
    process = start("train", "--epochs", "50", "--out", str(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(timeout=30) == 141
    assert process.stderr.read() == ""
    process.stderr.close()

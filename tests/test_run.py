"""`python -m rushlight`: programs that import torch run with rushlight, as `python` would run them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rushlight.run import install, ours

SOURCE = str(Path(__file__).parents[1] / "src")


def start(*arguments, cwd):
    environment = {**os.environ, "PYTHONPATH": SOURCE, "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, "-W", "error", *arguments],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


def rushlight(*arguments, cwd):
    return start("-m", "rushlight", *arguments, cwd=cwd)


def test_a_script_sees_rushlight_under_every_name(tmp_path):
    (tmp_path / "helper.py").write_text("import torch\nONES = torch.ones(2)\n")
    (tmp_path / "script.py").write_text(
        "import sys, torch\n"
        "import torch.utils.data as data\n"
        "from torch.utils.data import Dataset\n"
        "from torch.serialization import load\n"
        "from helper import ONES\n"
        "assert torch.load is load and data.Dataset is Dataset and torch.__spec__.name == 'rushlight'\n"
        "assert sys.modules['__main__'].__dict__ is globals() and __name__ == '__main__'\n"
        "print(torch.__name__, ONES.tolist(), sys.argv[1:], __file__)\n"
    )
    done = rushlight("script.py", "--epochs", "3", cwd=tmp_path)
    assert done.stderr == ""
    assert done.stdout == f"rushlight [1.0, 1.0] ['--epochs', '3'] {tmp_path / 'script.py'}\n"


@pytest.mark.parametrize(
    "program", ["import sys\ndef f(): 1 / 0\nprint(sys.argv, __file__, sys.path[0])\nf()", "x = = 1", "exit(7)"]
)
@pytest.mark.parametrize("form", ["script", "module"])
def test_output_traceback_and_exit_status_are_pythons(tmp_path, program, form):
    (tmp_path / "program.py").write_text(program)
    arguments = ["program.py", "a"] if form == "script" else ["-m", "program", "a"]
    plain, done = start(*arguments, cwd=tmp_path), rushlight(*arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (plain.returncode, plain.stdout)
    lines = [line for line in plain.stderr.splitlines() if "runpy" not in line]
    assert [line for line in done.stderr.splitlines() if "runpy" not in line][-4:] == lines[-4:]
    assert "run.py" not in done.stderr


def test_code_on_the_command_line(tmp_path):
    done = rushlight("-c", "import torch, sys; print(sys.argv, torch.zeros(1).tolist()); 1 / 0", "x", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "['-c', 'x'] [0.0]\n")
    assert done.stderr == (
        'Traceback (most recent call last):\n  File "<string>", line 1, in <module>\n'
        "ZeroDivisionError: division by zero\n"
    )


def test_wrong_use_exits_with_2(tmp_path):
    assert rushlight(cwd=tmp_path).returncode == rushlight("-m", cwd=tmp_path).returncode == 2
    missing = rushlight("nothing.py", cwd=tmp_path)
    assert missing.returncode == 2
    assert "can't open file" in missing.stderr


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_child_processes_import_rushlight_too(tmp_path, method):
    (tmp_path / "script.py").write_text(
        "import multiprocessing, torch\n"
        "def work(queue, x):\n"
        "    queue.put((torch.__name__, (x + 1).tolist()))\n"
        "if __name__ == '__main__':\n"
        f"    context = multiprocessing.get_context('{method}')\n"
        "    queue = context.Queue()\n"
        "    process = context.Process(target=work, args=(queue, torch.ones(2)))\n"
        "    process.start()\n"
        "    print(queue.get(timeout=30))\n"
        "    process.join()\n"
    )
    done = rushlight("script.py", cwd=tmp_path)
    assert (done.stdout, done.stderr) == ("('rushlight', [2.0, 2.0])\n", "")


def test_what_is_missing_is_named():
    with install():
        import torch

        with pytest.raises(ModuleNotFoundError, match=r"'torch.nowhere': rushlight has no module") as caught:
            import torch.nowhere.inside
        assert caught.value.name == "torch.nowhere"
        with pytest.raises(AttributeError, match=r"rushlight.*nothing"):
            _ = torch.nothing
        import importlib.util

        assert importlib.util.find_spec("torch.nowhere") is None


def test_install_puts_a_real_torch_aside():
    before = {name: module for name, module in sys.modules.items() if ours(name)}
    with install():
        import torch

        assert torch.__name__ == "rushlight"
        import torch.utils.data

        assert torch.utils.data.__name__ == "rushlight.utils.data"
    assert {name: module for name, module in sys.modules.items() if ours(name)} == before
    import rushlight

    assert rushlight.__spec__.name == "rushlight"


TRAINING = """
import torch, torch.nn as nn, torch.nn.functional as F, torch.optim as optim
from torch.utils.data import DataLoader, Dataset, random_split

class Blobs(Dataset):
    def __init__(self, n=120):
        self.x = torch.randn(n, 1, 8, 8, generator=torch.Generator().manual_seed(0))
        self.y = (self.x.sum((1, 2, 3)) > 0).long()

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        return self.x[i], self.y[i]

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.linear, self.dropout = nn.Conv2d(1, 4, 3), nn.Linear(144, 2), nn.Dropout(0.1)

    def forward(self, x):
        return F.log_softmax(self.linear(self.dropout(torch.flatten(F.relu(self.conv(x)), 1))), 1)

if __name__ == "__main__":
    torch.manual_seed(1)
    train, test = random_split(Blobs(), [100, 20])
    net = Net()
    optimizer = optim.Adam(net.parameters(), lr=1e-2)
    for epoch in range(2):
        total = 0
        for x, y in DataLoader(train, 25, shuffle=True, num_workers=2):
            optimizer.zero_grad()
            loss = F.nll_loss(net.train()(x), y)
            loss.backward()
            optimizer.step()
            total += loss.item()
        torch.save(net.state_dict(), "net.pt")
        net.eval().load_state_dict(torch.load("net.pt"))
        with torch.no_grad():
            print(f"{total:.4f}", sum((net(x).argmax(1) == y).sum().item() for x, y in DataLoader(test, 7)))
"""


@pytest.mark.oracle
def test_a_training_program_prints_what_it_prints_with_pytorch(tmp_path):
    pytest.importorskip("torch")
    (tmp_path / "train.py").write_text(TRAINING)
    theirs, ours = start("train.py", cwd=tmp_path), rushlight("train.py", cwd=tmp_path)
    assert ours.stderr == ""
    assert ours.stdout == theirs.stdout
    assert len(ours.stdout.split()) == 4

"""`rushlight train`, `predict` and `info`: what they print, what they leave behind, and what they refuse."""

import csv
import os
import pickle
import re
import shlex
import signal
import sys

import numpy as np
import pytest

import rushlight as torch
from rushlight.cli import main, pictures, report
from rushlight.cli.progress import Progress

Image = pytest.importorskip("PIL.Image")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Red, green and blue pictures of two shapes: 24 to train and 6 to test."""
    top = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(0)
    for part, count in (("train", 8), ("test", 2)):
        for channel, name in enumerate(("red", "green", "blue & <long>")):
            (top / part / name).mkdir(parents=True)
            for i in range(count):
                a = rng.integers(0, 80, (20 + 4 * (i % 2), 20, 3), dtype=np.uint8)
                a[..., channel] += 150
                Image.fromarray(a).save(top / part / name / f"{i}.png")
    return top


def train(out, *arguments):
    return main(["train", "--out", str(out), *map(str, arguments)])


def state(out, name):
    return torch.load(out / name)


def rows(out):
    with open(out / "metrics.csv") as file:
        return [{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(file)]


def assert_same(x, y):
    if torch.is_tensor(x):
        assert torch.equal(x, y)
    elif isinstance(x, dict):
        assert x.keys() == y.keys()
        for k in x:
            if k != "seconds":
                assert_same(x[k], y[k])
    elif isinstance(x, (list, tuple)):
        assert len(x) == len(y)
        for a, b in zip(x, y, strict=True):
            assert_same(a, b)
    else:
        assert x == y


def interrupt_at(monkeypatch, moments):
    """Press Ctrl-C when the run's step count, or an epoch's end, reaches one of these."""
    counted = {"step": 0, "end": 0}

    def pressing(name):
        original = getattr(Progress, name)

        def method(self, *arguments):
            original(self, *arguments)
            counted[name] += 1
            if (name, counted[name]) in moments:
                os.kill(os.getpid(), signal.SIGINT)

        return method

    for name in counted:
        monkeypatch.setattr(Progress, name, pressing(name))


def test_digits_are_learned(tmp_path, capsys):
    assert train(tmp_path, "--epochs", 12, "--seed", 3) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("on digits: 1,298 pictures to train, 144 to validate, 355 to test")
    assert len(lines) == 15
    found = re.fullmatch(r"test accuracy (\d+\.\d) %", lines[-1])
    assert float(found[1]) > 90
    page = (tmp_path / "report.html").read_text()
    assert f"{found[1]} %" in page
    assert page.count("<svg") == 2
    assert "data:image/png;base64," in page
    assert not re.search(r"""(src|href)=["']?(?!["']?data:)|@import|url\(""", page)
    assert [row["epoch"] for row in rows(tmp_path)] == [str(i + 1) for i in range(12)]
    assert sorted(os.listdir(tmp_path)) == ["best.pt", "last.pt", "metrics.csv", "report.html"]
    # The figures are what an independent count over the same network gives.
    from rushlight.cli.predict import load

    network, classes, description = load(tmp_path / "best.pt")
    test = pictures.load("digits", "", None, 3).test
    with torch.no_grad():
        scores = network(torch.stack([test[i][0] for i in range(len(test))])).numpy()
    right = np.mean(scores.argmax(1) == np.array([test[i][1] for i in range(len(test))]))
    assert f"{100 * right:.1f}" == found[1]
    assert classes == list("0123456789")
    assert description["size"] == 8


@pytest.mark.parametrize(
    ("options", "moments"),
    [
        ("--optimizer adamw", {("step", 3)}),
        ("--optimizer adam --workers 2", {("step", 2), ("step", 7)}),
        ("--optimizer sgd", {("step", 4), ("step", 5)}),  # at the last step of an epoch, and at the first
        ("--optimizer rmsprop --model mlp", {("step", 5), ("end", 2)}),  # while validating
        ("--model resnet18 --epochs 2 --image-size 8", {("step", 6)}),
    ],
)
def test_an_interrupted_run_ends_as_an_uninterrupted_one(tmp_path, folder, monkeypatch, capsys, options, moments):
    settings = [*"--epochs 3 --batch-size 6 --image-size 16 --seed 5 --data".split(), folder, *options.split()]
    whole, parts = tmp_path / "whole", tmp_path / "the parts"
    assert train(whole, *settings) == 0
    expected = capsys.readouterr().out.splitlines()[-1]
    with monkeypatch.context() as patch:
        interrupt_at(patch, moments)
        assert train(parts, *settings) == 130
        for _ in moments - {min(moments)}:
            assert train(parts, "--resume") == 130
            last = capsys.readouterr().out.splitlines()[-1]
            assert re.match(r"stopped after epoch \d", last)
            assert shlex.split(last)[-1] == str(parts)
        assert train(parts, "--resume", "--workers", 0) == 0
    assert capsys.readouterr().out.splitlines()[-1] == expected
    for name in ("best.pt", "last.pt"):
        assert_same(state(whole, name), state(parts, name))
    assert rows(whole) == rows(parts)


def test_workers_do_not_change_the_result_and_a_seed_does(tmp_path, folder):
    settings = ["--data", folder, "--epochs", 1, "--batch-size", 8, "--image-size", 16]
    for name, more in (("none", ()), ("two", ("--workers", 2)), ("other", ("--seed", 1))):
        assert train(tmp_path / name, *settings, *more) == 0
    none, two, other = (state(tmp_path / name, "last.pt")["model"] for name in ("none", "two", "other"))
    assert_same(none, two)
    assert not torch.equal(none["conv1.weight"], other["conv1.weight"])


def test_augmentation_depends_on_the_seed_the_epoch_and_the_picture_alone(folder):
    data = pictures.load(str(folder), "", 16, 0).train
    first, again = data[0][0], data[0][0]
    assert torch.equal(first, again)
    data.epoch = 1
    assert not torch.equal(first, data[0][0])
    assert torch.equal(pickle.loads(pickle.dumps(data))[3][0], data[3][0])  # as a spawned worker gets it


def test_a_finished_run_can_be_resumed(tmp_path, capsys):
    assert train(tmp_path, "--epochs", 1, "--model", "mlp") == 0
    last = capsys.readouterr().out.splitlines()[-1]
    before = (tmp_path / "last.pt").read_bytes()
    assert train(tmp_path, "--resume") == 0
    assert capsys.readouterr().out.splitlines()[-1] == last
    assert (tmp_path / "last.pt").read_bytes() == before


def test_predict(tmp_path, folder, capsys):
    assert train(tmp_path, "--data", folder, "--epochs", 8, "--batch-size", 4, "--image-size", 16, "--lr", 0.003) == 0
    images = [folder / "test" / name / "0.png" for name in ("red", "blue & <long>")]
    capsys.readouterr()
    assert main(["predict", str(tmp_path / "best.pt"), *map(str, images), "--top", "2"]) == 0
    red, blue = capsys.readouterr().out.splitlines()
    assert re.search(r"0\.png +red \d+\.\d %  \w", red)
    assert re.search(r"0\.png +blue & <long> \d+\.\d %  \w", blue)


def test_a_folder_without_test_pictures_is_split_in_three(folder):
    data = pictures.load(str(folder / "train"), "", 16, 0)
    held = [set(data.test.pictures.indices)]
    assert (len(data.train), len(data.validation), len(data.test)) == (19, 2, 3)
    assert len(held[0]) == 3


def test_info(capsys):
    assert main(["info"]) == 0
    out = capsys.readouterr().out
    assert f"rushlight {torch.__version__}" in out
    assert np.__version__ in out
    assert re.search(r"kernels +(native, \w+|NumPy only)", out)
    assert re.search(r"threads +\d+", out)


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("train --model nosuch", "--model nosuch: known are lenet, mlp"),
        ("train --data nosuch", "--data nosuch: neither one of digits"),
        ("train --data {tmp}", "Couldn't find any class folder"),
        ("train --lr 0", "--lr 0: must be a number above 0"),
        ("train --lr nan", "--lr nan: must be a number above 0"),
        ("train --epochs 0", "--epochs 0: must be at least 1"),
        ("train --batch-size 0", "--batch-size 0: must be at least 1"),
        ("train --seed -1", "--seed -1: must be from 0"),
        ("train --workers -1", "--workers -1: must be at least 0"),
        ("train --out {tmp}/text", "--out {tmp}/text: File exists"),
        ("train --model vgg11", "cannot take 8x8 pictures"),
        ("train --model resnet18 --batch-size 1", "cannot learn from batches of a single picture"),
        ("train --lr 1e30 --optimizer sgd --model mlp", "try a smaller --lr"),
        ("train --resume", "there is no checkpoint {tmp}/last.pt"),
        ("train --data {tmp}/bad --workers 2 --batch-size 2", "cannot read a picture: cannot identify image file"),
        ("train --data mnist --root {tmp}/x", "--data mnist: Error downloading train-images-idx3-ubyte.gz"),
        ("predict {tmp}/nosuch.pt x.png", "there is no checkpoint"),
        ("predict {tmp}/text x.png", "text is damaged, or not a checkpoint"),
        ("predict {tmp}/tensor x.png", "tensor is not a checkpoint"),
    ],
)
def test_what_cannot_be_done_gets_one_line(tmp_path, monkeypatch, capsys, command, message):
    monkeypatch.setenv("RUSHLIGHT_MIRROR_MNIST", (tmp_path / "nowhere").as_uri())
    (tmp_path / "text").write_text("text")
    torch.save(torch.ones(1), tmp_path / "tensor")
    if "bad" in command:
        for name in ("a", "b"):
            (tmp_path / "bad" / name).mkdir(parents=True)
            for i in range(4):
                (tmp_path / "bad" / name / f"{i}.png").write_text("no picture")
    arguments = [part.format(tmp=tmp_path) for part in command.split()]
    if arguments[0] == "train" and "--out" not in arguments:
        arguments += ["--out", str(tmp_path)]
    assert main(arguments) == 2
    error = capsys.readouterr().err.splitlines()
    assert len(error) == 1
    assert error[0].startswith("rushlight: ")
    assert message.format(tmp=tmp_path) in error[0]


def test_other_settings_are_refused_when_resuming(tmp_path, capsys):
    assert train(tmp_path, "--epochs", 1, "--model", "mlp") == 0
    assert train(tmp_path, "--resume", "--epochs", 2, "--model", "lenet") == 2
    assert capsys.readouterr().err == "rushlight: --resume: that run had other settings: --model mlp, --epochs 1\n"


@pytest.mark.parametrize("picture", ["text", "missing.png"])
def test_unreadable_pictures_are_named(tmp_path, capsys, picture):
    assert train(tmp_path, "--epochs", 1, "--model", "mlp") == 0
    (tmp_path / "text").write_text("text")
    assert main(["predict", str(tmp_path / "best.pt"), str(tmp_path / picture)]) == 2
    assert capsys.readouterr().err.startswith(f"rushlight: cannot read {tmp_path / picture}: ")


def test_without_pillow_the_line_to_install_it_is_shown(tmp_path, monkeypatch, capsys):
    for name in [name for name in sys.modules if name.split(".")[0] == "PIL"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "PIL", None)
    assert train(tmp_path, "--epochs", 1) == 2
    assert "pip install rushlight[vision]" in capsys.readouterr().err


@pytest.mark.parametrize("n", [2, 40])
def test_the_report_counts_confusions(n):
    labels, guesses = np.array([0, 0, 1, 1, 1]), np.array([0, 1, 1, 0, 0])
    text = report.confusion(labels, guesses, [f"class number {i}" for i in range(n)])
    assert "class number 1" in text
    if n == 2:
        assert re.findall(r">(\d+)</td>", text) == ["1", "1", "2", "1"]
        assert "33.3 %" in text
    else:
        assert "<td>2</td><td>class number 1</td><td>class number 0</td>" in text

"""Downloads against a server on loopback: mirrors, retries, checksums, progress, and nothing half-written."""

from __future__ import annotations

import gzip
import hashlib
import io
import pickle
import struct
import tarfile
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rushlight.vision import datasets
from rushlight.vision.datasets import download
from rushlight.vision.datasets.mnist import Resource

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


class Server:
    """Files by path; the first answers to a path can be given by hand."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.first: dict[str, list[Callable[[BaseHTTPRequestHandler], None]]] = {}
        self.asked: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                if outer.first.get(self.path):
                    outer.first[self.path].pop(0)(self)
                elif self.path in outer.files:
                    body = outer.files[self.path]
                    self.send_response(200)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                else:
                    self.send_error(404)

            def log_message(self, *args: Any) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self.thread.start()

    def address(self, path: str = "") -> str:
        return f"http://127.0.0.1:{self.http.server_port}{path}"

    def close(self) -> None:
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(download, "BACK_OFF", 0.0)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    made = Server()
    yield made
    made.close()


def idx(a: np.ndarray[Any, Any]) -> bytes:
    return b"\0\0\x08" + bytes([a.ndim]) + struct.pack(f">{a.ndim}I", *a.shape) + a.astype(np.uint8).tobytes()


def md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


PICTURES = np.random.default_rng(0).integers(0, 256, (5, 28, 28))
LABELS = np.array([3, 1, 4, 1, 5])
CONTENTS = {
    "train-images-idx3-ubyte": idx(PICTURES),
    "train-labels-idx1-ubyte": idx(LABELS),
    "t10k-images-idx3-ubyte": idx(PICTURES[:2]),
    "t10k-labels-idx1-ubyte": idx(LABELS[:2]),
}


class Tiny(datasets.MNIST):
    """MNIST's layout with five pictures."""

    mirrors = ["http://127.0.0.1:9/nobody-listens-here"]
    resources = [Resource(name, md5(content)) for name, content in CONTENTS.items()]


def serve_tiny(server: Server, folder: str = "/tiny") -> None:
    for name, content in CONTENTS.items():
        server.files[f"{folder}/{name}.gz"] = gzip.compress(content)


def test_a_mirror_replaces_the_built_in_servers(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    serve_tiny(server)
    monkeypatch.setenv("RUSHLIGHT_MIRROR_TINY", server.address("/tiny/"))
    data = Tiny(str(tmp_path), download=True)
    np.testing.assert_array_equal(data.data.numpy(), PICTURES)
    assert data.targets.tolist() == LABELS.tolist()
    assert sorted(path.name for path in (tmp_path / "Tiny" / "raw").iterdir()) == sorted(CONTENTS)
    assert "t10k-labels-idx1-ubyte.gz: 100% of" in capsys.readouterr().err
    asked = len(server.asked)
    Tiny(str(tmp_path), download=True)
    assert len(server.asked) == asked == 4


def test_a_passing_failure_is_asked_again_and_a_lasting_one_is_not(server: Server, tmp_path: Path) -> None:
    server.files["/file"] = b"content"
    server.first["/file"] = [lambda handler: handler.send_error(503), _cut_short]
    got: list[bytes] = []
    download.fetch([server.address("/file")], lambda path: got.append(path.read_bytes()))
    assert got == [b"content"]
    assert server.asked == ["/file"] * 3
    with pytest.raises(RuntimeError, match=r"(?s)^Error downloading gone\n.*404"):
        download.fetch([server.address("/gone")], lambda path: None)
    assert server.asked.count("/gone") == 1


def _cut_short(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "100")
    handler.end_headers()
    handler.wfile.write(b"only this")


def test_a_corrupt_file_is_refused_and_the_next_mirror_tried(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve_tiny(server, "/good")
    serve_tiny(server, "/bad")
    server.files["/bad/t10k-labels-idx1-ubyte.gz"] = gzip.compress(b"something else")
    server.files["/bad/t10k-images-idx3-ubyte.gz"] = b"not gzip at all"
    monkeypatch.setenv("RUSHLIGHT_MIRROR_TINY", server.address("/bad"))
    with pytest.raises(RuntimeError, match=r"(?s)Error downloading t10k-images.*File not found or corrupted\."):
        Tiny(str(tmp_path), download=True)
    assert sorted(path.name for path in (tmp_path / "Tiny" / "raw").iterdir()) == sorted(CONTENTS)[2:]
    monkeypatch.setenv("RUSHLIGHT_MIRROR_TINY", f"{server.address('/bad')} {server.address('/good')}")
    assert len(Tiny(str(tmp_path), train=False, download=True)) == 2


def test_a_failed_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(download.os, "replace", broken)
    with pytest.raises(OSError, match=r"disk full"):
        download.write_atomically(tmp_path / "file", b"content")
    assert list(tmp_path.iterdir()) == []


def test_absent_files_are_reported(tmp_path: Path) -> None:
    message = r"^Dataset not found. You can use download=True to download it$"
    with pytest.raises(RuntimeError, match=message):
        datasets.MNIST(str(tmp_path))
    with pytest.raises(RuntimeError, match=r"^Dataset not found or corrupted."):
        datasets.CIFAR10(str(tmp_path))


def test_progress_is_a_bar_on_a_terminal_and_lines_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for stream in (io.StringIO(), Terminal()):
        now = [0.0]
        monkeypatch.setattr(download.time, "monotonic", lambda now=now: now[0])
        progress = download.Progress("file", 3_000_000, stream)
        progress.advance(1_500_000)
        now[0] = 5.0
        progress.advance(1_500_000)
        progress.close()
        line = "file: 100% of 3.0 MB, 0.6 MB/s"
        shown = f"\r{line} [{'#' * 24}]\x1b[K"
        assert stream.getvalue() == (shown + shown + "\n" if stream.isatty() else line + "\n")


def cifar_archive(batches: dict[str, Any], folder: str) -> bytes:
    memory = io.BytesIO()
    with tarfile.open(fileobj=memory, mode="w:gz") as tar:
        for name, batch in batches.items():
            content = pickle.dumps(batch)
            info = tarfile.TarInfo(f"{folder}/{name}")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return memory.getvalue()


def test_cifar_archives_are_checked_file_by_file(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = np.random.default_rng(1).integers(0, 256, (4, 3072)).astype(np.uint8)
    batches = {
        "one": {"data": rows[:2], "labels": [0, 1]},
        "two": {"data": rows[2:3], "labels": [1]},
        "exam": {"data": rows[3:], "labels": [0]},
        "names": {"label_names": ["cat", "dog"]},
    }

    class Small(datasets.CIFAR10):
        train_list = [(name, md5(pickle.dumps(batches[name]))) for name in ("one", "two")]
        test_list = [("exam", md5(pickle.dumps(batches["exam"])))]
        meta = ("names", md5(pickle.dumps(batches["names"])))

    server.files["/cifar-10-python.tar.gz"] = cifar_archive(batches, Small.base_folder)
    monkeypatch.setenv("RUSHLIGHT_MIRROR_SMALL", server.address())
    data = Small(tmp_path, download=True)
    assert (data.targets, data.classes, data.class_to_idx) == ([0, 1, 1], ["cat", "dog"], {"cat": 0, "dog": 1})
    # The file holds the red plane, then the green, then the blue, each by rows.
    np.testing.assert_array_equal(data.data[1, 5, 7], rows[1, [5 * 32 + 7, 1024 + 5 * 32 + 7, 2048 + 5 * 32 + 7]])
    image, label = data[2]
    assert (image.mode, image.size, label) == ("RGB", (32, 32), 1)
    Small(tmp_path, train=False, download=True)
    assert server.asked == ["/cifar-10-python.tar.gz"]
    # A file of other content is read as it is without download, and replaced with it.
    (tmp_path / Small.base_folder / "exam").write_bytes(pickle.dumps({"data": rows[:2], "labels": [1, 1]}))
    assert Small(tmp_path, train=False).targets == [1, 1]
    assert Small(tmp_path, train=False, download=True).targets == [0]
    batches["exam"]["labels"] = [7]
    server.files["/cifar-10-python.tar.gz"] = cifar_archive(batches, Small.base_folder)
    with pytest.raises(RuntimeError, match=r"exam: its MD5 is"):
        Small(tmp_path / "elsewhere", download=True)
    assert not (tmp_path / "elsewhere" / Small.base_folder).exists()


def test_a_batch_cannot_run_code(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> Any:
            return exec, ("raise SystemExit",)

    path = tmp_path / "batch"
    path.write_bytes(pickle.dumps({"data": Evil()}))
    with pytest.raises(pickle.UnpicklingError, match=r"must not hold builtins\.exec"):
        datasets.cifar.load_batch(path)


needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="../shared/data, the stand-in for the servers, is absent")


@needs_shared
def test_mnist_itself(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in (SHARED / "mnist").iterdir():
        server.files[f"/mnist/{path.name}"] = path.read_bytes()
    monkeypatch.setenv("RUSHLIGHT_MIRROR_MNIST", server.address("/mnist"))
    train = datasets.MNIST(tmp_path, download=True)
    test = datasets.MNIST(tmp_path, train=False)
    assert tuple(train.data.shape) == (60000, 28, 28)
    assert tuple(test.data.shape) == (10000, 28, 28)
    # The published counts of each digit, and the mean that every tutorial normalises by.
    assert np.bincount(train.targets.numpy()).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert abs(train.data.numpy().mean() / 255 - 0.1307) < 1e-4
    assert [test[i][1] for i in range(5)] == [7, 2, 1, 0, 4]


@needs_shared
def test_the_cifar_sample(tmp_path: Path) -> None:
    with tarfile.open(SHARED / "cifar-10-sample.tar.gz") as tar:
        tar.extractall(tmp_path, filter="data")
    train, test = (datasets.CIFAR10(tmp_path, train=part) for part in (True, False))
    assert (len(train), len(test)) == (2500, 500)
    assert train.classes == ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
    assert train[0][0].size == (32, 32)

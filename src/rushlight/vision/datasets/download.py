"""Fetches files of a data set: mirrors, retries with back-off, a progress bar, checksums, atomic writes.

Where a file comes from can be set: the variable `RUSHLIGHT_MIRROR_MNIST` (the class's name in capitals), holding one or
several addresses separated by spaces, replaces the built-in servers of `datasets.MNIST`; likewise for the others.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

ATTEMPTS = 3
BACK_OFF = 0.5  # seconds before the second attempt; doubles each time
TIMEOUT = 30.0
CHUNK = 1 << 16


class Corrupted(RuntimeError):
    """A file came whole, but its content is not the published one."""


def mirrors(dataset: str, defaults: Sequence[str]) -> list[str]:
    """Return the base addresses to fetch `dataset` from, without a closing slash."""
    chosen = os.environ.get(f"RUSHLIGHT_MIRROR_{dataset.upper()}", "").split() or defaults
    return [address.rstrip("/") for address in chosen]


def check_md5(data: bytes, md5: str | None, name: str) -> None:
    """Raise `Corrupted` unless `data` has this MD5; None accepts anything."""
    found = hashlib.md5(data, usedforsecurity=False).hexdigest()
    if md5 is not None and found != md5:
        raise Corrupted(f"File not found or corrupted.\n{name}: its MD5 is {found}, expected {md5}")


def has_md5(path: Path, md5: str) -> bool:
    """Whether the file is there with this content."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest() == md5


def write_atomically(path: Path, data: bytes) -> None:
    """Write the file whole or not at all: into a neighbour first, which then takes its name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.chmod(name, 0o644)  # mkstemp makes private files, and data sets are often shared
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def fetch(addresses: Sequence[str], accept: Callable[[Path], None], stream: IO[str] | None = None) -> None:
    """Give a temporary file with the content of the first good address to `accept`, which keeps what it needs.

    A server that fails for a passing reason is asked `ATTEMPTS` times; the next address follows, also when `accept`
    raises `Corrupted`. `RuntimeError` tells what became of each address when none was good.
    """
    troubles = []
    with tempfile.TemporaryDirectory(prefix="rushlight-") as folder:
        target = Path(folder) / "download"
        for address in addresses:
            try:
                _persist(address, target, stream or sys.stderr)
            except (OSError, http.client.HTTPException, ValueError) as error:
                troubles.append(f"{address}: {error}")
                continue
            try:
                accept(target)
                return
            except Corrupted as error:
                troubles.append(f"{address}: {error}")
    name = addresses[0].rsplit("/", 1)[-1] if addresses else "nothing"
    raise RuntimeError("\n  ".join([f"Error downloading {name}", *troubles]))


def _persist(address: str, target: Path, stream: IO[str]) -> None:
    for attempt in range(ATTEMPTS):
        try:
            return _transfer(address, target, stream)
        except (OSError, http.client.HTTPException) as error:
            if attempt == ATTEMPTS - 1 or not _passing(error):
                raise
        time.sleep(BACK_OFF * 2**attempt)


def _passing(error: Exception) -> bool:
    """Whether asking again may help: not when the address is wrong or the server says so."""
    if isinstance(error, urllib.error.HTTPError):
        return error.code >= 500 or error.code in (408, 429)
    return isinstance(error, (urllib.error.URLError, TimeoutError, ConnectionError, http.client.HTTPException))


def _transfer(address: str, target: Path, stream: IO[str]) -> None:
    request = urllib.request.Request(address, headers={"User-Agent": "rushlight"})
    with urllib.request.urlopen(request, timeout=TIMEOUT) as answer, target.open("wb") as file:
        length = answer.headers.get("Content-Length")
        progress = Progress(address.rsplit("/", 1)[-1], int(length) if length else None, stream)
        while chunk := answer.read(CHUNK):
            file.write(chunk)
            progress.advance(len(chunk))
        if length and progress.done != int(length):
            raise http.client.IncompleteRead(b"", int(length) - progress.done)
        progress.close()


class Progress:
    """A progress bar on a terminal; elsewhere a plain line at the end, and every ten seconds of a long transfer."""

    def __init__(self, label: str, total: int | None, stream: IO[Any]) -> None:
        self.label, self.total, self.stream = label, total, stream
        self.done = 0
        self.live = stream.isatty()
        self.start = time.monotonic()
        self.interval = 0.1 if self.live else 10.0
        self.next = self.start + self.interval

    def advance(self, count: int) -> None:
        """Count further bytes, and show them when it is time."""
        self.done += count
        if time.monotonic() >= self.next:
            self._show("")
            self.next = time.monotonic() + self.interval

    def close(self) -> None:
        """Show the last state and end the line."""
        self._show("\n" if self.live else "")

    def _show(self, end: str) -> None:
        megabytes = self.done / 1e6
        speed = megabytes / max(time.monotonic() - self.start, 1e-9)
        text = f"{self.label}: {megabytes:.1f} MB, {speed:.1f} MB/s"
        if self.total:
            share = self.done / self.total
            text = f"{self.label}: {share:4.0%} of {self.total / 1e6:.1f} MB, {speed:.1f} MB/s"
            if self.live:
                full = round(share * 24)
                text = f"{text} [{'#' * full}{'.' * (24 - full)}]"
        self.stream.write(f"\r{text}\x1b[K{end}" if self.live else f"{text}\n")
        self.stream.flush()

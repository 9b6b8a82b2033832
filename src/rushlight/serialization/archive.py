"""The container of a checkpoint: a zip file of stored records, each starting at a multiple of 64 bytes."""

import struct
import zipfile
import zlib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, BinaryIO

import numpy as np

ALIGNMENT = 64
_UTF8 = 0x800
_BIG = 0xFFFFFFFF
_DATE = 0x21  # 1980-01-01: the same contents give the same file

_DAMAGED = (
    " This is an internal miniz error. If you are seeing this error, there is a high likelihood that your checkpoint "
    "file is corrupted. This can happen if the checkpoint was not saved properly, was transferred incorrectly, or the "
    "file was modified after saving."
)


def write(file: Any, folder: str, records: Iterable[tuple[str, Any]]) -> None:
    """Write (name, bytes-like) records under `folder`; the checksum of each is taken while another is written."""
    entries = [(f"{folder}/{name}".encode(), memoryview(data).cast("B")) for name, data in records]
    directory, at = [], 0
    with ThreadPoolExecutor(1) as pool:
        for (name, data), checksum in zip(entries, pool.map(zlib.crc32, [d for _, d in entries]), strict=True):
            size = len(data)
            wide = struct.pack("<HHQQ", 1, 16, size, size) if size >= _BIG else b""
            # An unknown extra field is the padding, since a reader skips it.
            room = -(at + 30 + len(name) + len(wide) + 4) % ALIGNMENT
            extra = wide + struct.pack("<2sH", b"FB", room) + b"Z" * room
            short = min(size, _BIG)
            common = struct.pack("<HHHHIII", _UTF8, 0, 0, _DATE, checksum, short, short)
            head = b"PK\3\4" + struct.pack("<H", 45 if wide else 20) + common
            file.write(head + struct.pack("<HH", len(name), len(extra)) + name + extra)
            file.write(data)
            directory.append(_directory_entry(name, common, size, at))
            at += 30 + len(name) + len(extra) + size
    body = b"".join(directory)
    file.write(body + _end(len(directory), len(body), at))


def _directory_entry(name: bytes, common: bytes, size: int, at: int) -> bytes:
    wide = b"".join(struct.pack("<Q", n) for n in ([size, size] if size >= _BIG else []) + ([at] if at >= _BIG else []))
    extra = struct.pack("<HH", 1, len(wide)) + wide if wide else b""
    version = 45 if wide else 20
    tail = struct.pack("<HHHHHII", len(name), len(extra), 0, 0, 0, 0, min(at, _BIG))
    return b"PK\1\2" + struct.pack("<HH", version, version) + common + tail + name + extra


def _end(count: int, size: int, at: int) -> bytes:
    wide = b""
    if count >= 0xFFFF or at >= _BIG:
        wide = b"PK\6\6" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, count, count, size, at)
        wide += b"PK\6\7" + struct.pack("<IQI", 0, at + size, 1)
    n = min(count, 0xFFFF)
    return wide + b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, n, n, size, min(at, _BIG), 0)


class Reader:
    """The records of an archive, by the names they have inside its one folder."""

    def __init__(self, file: BinaryIO, path: str | None = None) -> None:
        self.file = file
        self.path = path  # where given, large records may be mapped
        try:
            self.zip = zipfile.ZipFile(file)
        except zipfile.BadZipFile:
            raise RuntimeError(
                "PytorchStreamReader failed reading zip archive: failed finding central directory." + _DAMAGED
            ) from None
        infos = self.zip.infolist()
        self.folder = infos[0].filename.partition("/")[0] if infos else ""
        self.infos = {i.filename.removeprefix(self.folder + "/"): i for i in infos}

    def __contains__(self, name: str) -> bool:
        return name in self.infos

    def _info(self, name: str) -> zipfile.ZipInfo:
        if name not in self.infos:
            raise RuntimeError(f"PytorchStreamReader failed locating file {name}: file not found." + _DAMAGED)
        return self.infos[name]

    def read(self, name: str) -> bytes:
        return self.zip.read(self._info(name))

    def array(self, name: str) -> np.ndarray[Any, Any]:
        """A record as bytes that may be written to: read, or mapped privately where the file's path is known."""
        info = self._info(name)
        if info.compress_type != zipfile.ZIP_STORED or info.file_size == 0:
            return np.frombuffer(bytearray(self.zip.read(info)), np.uint8)
        self.file.seek(info.header_offset + 26)
        name_length, extra_length = struct.unpack("<HH", self.file.read(4))
        start = info.header_offset + 30 + name_length + extra_length
        if self.path is not None:
            return np.asarray(np.memmap(self.path, np.uint8, "c", start, (info.file_size,)))
        out = np.empty(info.file_size, np.uint8)
        self.file.seek(start)
        if not hasattr(self.file, "readinto"):
            out[:] = np.frombuffer(self.file.read(info.file_size), np.uint8)
            return out
        view, done = out.data, 0
        while done < len(view):
            got = self.file.readinto(view[done:])
            if not got:
                raise RuntimeError(f"PytorchStreamReader failed reading file {name}: file read failed." + _DAMAGED)
            done += got
        return out

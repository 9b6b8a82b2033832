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
_DEFLATE_RATIO = 1032  # the most that deflate can gain. https://zlib.net/zlib_tech.html
_INFLATED = 1 << 28, 20  # all compressed records together: bytes that are always allowed, and times the file's length
_DATE = 0x21  # 1980-01-01: the same contents give the same file

_DAMAGED = (
    " This is an internal miniz error. If you are seeing this error, there is a high likelihood that your checkpoint "
    "file is corrupted. This can happen if the checkpoint was not saved properly, was transferred incorrectly, or the "
    "file was modified after saving."
)

# What zipfile and its decompressors raise on damaged bytes.
_MALFORMED = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, UnicodeError, ValueError, OverflowError, IndexError,
    NotImplementedError, RuntimeError, OSError,
)  # fmt: skip


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
            self.length = file.seek(0, 2)
        except _MALFORMED:
            raise RuntimeError(
                "PytorchStreamReader failed reading zip archive: failed finding central directory." + _DAMAGED
            ) from None
        infos = self.zip.infolist()
        self.folder = infos[0].filename.partition("/")[0] if infos else ""
        self.infos = {i.filename.removeprefix(self.folder + "/"): i for i in infos}
        _check_places(infos, self.length)

    def __contains__(self, name: str) -> bool:
        return name in self.infos

    def _info(self, name: str) -> zipfile.ZipInfo:
        if name not in self.infos:
            raise RuntimeError(f"PytorchStreamReader failed locating file {name}: file not found." + _DAMAGED)
        return self.infos[name]

    def read(self, name: str) -> bytes:
        info = self._info(name)
        try:
            return self.zip.read(info)
        except _MALFORMED:
            raise _unread(name) from None

    def array(self, name: str) -> np.ndarray[Any, Any]:
        """A record as bytes that may be written to: read, or mapped privately where the file's path is known."""
        info = self._info(name)
        if info.compress_type != zipfile.ZIP_STORED or info.file_size == 0:
            return np.frombuffer(bytearray(self.read(name)), np.uint8)
        self.file.seek(info.header_offset + 26)
        name_length, extra_length = struct.unpack("<HH", self.file.read(4))
        start = info.header_offset + 30 + name_length + extra_length
        if start + info.file_size > self.length:
            raise _unread(name)
        if self.path is not None:
            return np.asarray(np.memmap(self.path, np.uint8, "c", start, (info.file_size,)))
        out = np.empty(info.file_size, np.uint8)
        self.file.seek(start)
        if not hasattr(self.file, "readinto"):
            data = np.frombuffer(self.file.read(info.file_size), np.uint8)
            if len(data) != len(out):
                raise _unread(name)
            out[:] = data
            return _checked(out, info, name)
        view, done = out.data, 0
        while done < len(view):
            got = self.file.readinto(view[done:])
            if not got:
                raise _unread(name)
            done += got
        return _checked(out, info, name)


def _checked(data: np.ndarray[Any, Any], info: zipfile.ZipInfo, name: str) -> np.ndarray[Any, Any]:
    """The bytes of a record, if their checksum is the one that was written."""
    if zlib.crc32(data.data) != info.CRC:
        raise _unread(name, "bad CRC-32")
    return data


def _unread(name: str, why: str = "file read failed") -> RuntimeError:
    return RuntimeError(f"PytorchStreamReader failed reading file {name}: {why}." + _DAMAGED)


def _check_places(infos: list[zipfile.ZipInfo], length: int) -> None:
    """Refuse records that overlap, lie outside the file, or promise more than their bytes can hold."""
    end = inflated = 0
    bad = len({info.filename for info in infos}) < len(infos)  # readers differ in which of the equals they take
    for info in sorted(infos, key=lambda i: i.header_offset):
        start, size = info.header_offset, info.compress_size
        if info.compress_type == zipfile.ZIP_STORED:
            bad = bad or info.file_size != size
        else:
            inflated += info.file_size
            deflated = info.compress_type == zipfile.ZIP_DEFLATED  # all that PyTorch reads
            bad = bad or not deflated or info.file_size > _DEFLATE_RATIO * (size + 1)
        bad = bad or start < end or size < 0 or start + 30 + size > length or bool(info.flag_bits & 1)
        end = start + 30 + size
    if bad or inflated > max(_INFLATED[0], _INFLATED[1] * length):
        raise RuntimeError(
            "PytorchStreamReader failed reading zip archive: invalid header or archive is corrupted." + _DAMAGED
        )

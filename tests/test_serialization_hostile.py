"""Checkpoints by an attacker: `load` imports nothing that a file names, and takes no memory or time of the file's choosing."""

import io
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

import rushlight
from rushlight import serialization

sys.path.insert(0, str(Path(__file__).parent / "fuzzing"))
import checkpoints as fuzzer

PROTOCOL = b"\x80\x02"


def archive(body, **records):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as target:
        for name, data in {"data.pkl": body, "version": b"3\n", **records}.items():
            target.writestr(f"archive/{name}", data)
    file.seek(0)
    return file


def named(module, name):
    return PROTOCOL + f"c{module}\n{name}\n.".encode()


@pytest.mark.parametrize(
    ("module", "name"),
    [("torch.__main__", "x"), ("torch.cli.main", "main"), ("torchvision.__main__", "x"), ("antigravity", "x")],
)
def test_a_refused_name_imports_nothing(module, name):
    program = (
        "import io, sys, pickle, rushlight.serialization as s\n"
        "try:\n    s.load(io.BytesIO(sys.stdin.buffer.read()))\n"
        "except pickle.UnpicklingError: pass\n"
        "else: raise SystemExit('read')\n"
        "print(sorted(m for m in sys.modules if m.endswith('__main__') or '.cli' in m or m == 'antigravity'))"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], input=archive(named(module, name)).read(), capture_output=True, check=False
    )
    assert found.returncode == 0, found.stderr.decode()
    assert found.stdout.decode().strip() == "['__main__']"


def test_a_program_is_not_run_even_where_anything_may_be():
    with pytest.raises(AttributeError, match=r"no counterpart of torch\.__main__"):
        serialization.load(archive(named("torch.__main__", "main")), weights_only=False)


def test_what_was_added_is_found_under_pytorchs_paths():
    with serialization.safe_globals([rushlight.nn.Linear]):
        for module in ("torch.nn", "torch.nn.modules.linear"):
            assert serialization.load(archive(named(module, "Linear"))) is rushlight.nn.Linear
        with pytest.raises(pickle.UnpicklingError, match="not an allowed global"):
            serialization.load(archive(named("torch.optim", "Linear")))


# One pickle for each opcode of pickletools that stands on its own.
OPCODES = {
    "EMPTY_SET": b"\x8f.", "ADDITEMS": b"\x8f(K\x01\x90.", "FROZENSET": b"(K\x01\x91.", "BINBYTES": b"B\3\0\0\0abc.",
    "BYTEARRAY8": b"\x96\3\0\0\0\0\0\0\0abc.", "SHORT_BINBYTES": b"C\3abc.", "SHORT_BINUNICODE": b"\x8c\3abc.",
    "MEMOIZE": b"]\x94.", "FRAME": b"\x95\2\0\0\0\0\0\0\0].", "INT": b"I1\n.", "LONG4": b"\x8b\1\0\0\0\1.", "LONG1": b"\x8a\1\1.",
    "POP": b"K\1K\x020.", "DUP": b"K\x012.", "STRING": b"S'a'\n.", "LIST": b"(K\1l.", "DICT": b"(K\1K\2d.", "FLOAT": b"F1.0\n.",
    "UNICODE": b"Va\n.", "BINSTRING": b"T\1\0\0\0a.", "GET": b"]q\x000g0\n.", "PUT": b"]p0\n.", "POP_MARK": b"](1.",
    "BINUNICODE8": b"\x8d\1\0\0\0\0\0\0\0a.", "BINBYTES8": b"\x8e\1\0\0\0\0\0\0\0a.", "SHORT_BINSTRING": b"U\1a.",
    "BINUNICODE": b"X\1\0\0\0a.", "TUPLE1": b"K\1\x85.", "TUPLE": b"(K\1K\2t.", "APPENDS": b"](K\1K\2e.", "NEWTRUE": b"\x88.",
    "SETITEMS": b"}(K\1K\2u.", "BINFLOAT": b"G?\xf0\0\0\0\0\0\0.", "BININT2": b"M\1\2.", "BININT": b"J\1\0\0\0.",
    "EXT1": b"\x82\1.", "INST": b"(icollections\nOrderedDict\n.", "NEXT_BUFFER": b"\x97.", "LONG": b"L1L\n.",
}  # fmt: skip


@pytest.mark.oracle
@pytest.mark.parametrize("name", OPCODES)
def test_the_opcodes_are_those_that_pytorch_reads(name):
    torch = pytest.importorskip("torch")

    def outcome(package):
        try:
            return repr(package.load(archive(PROTOCOL + OPCODES[name])))
        except Exception as e:
            return type(e).__name__

    assert outcome(rushlight) == outcome(torch)


HOSTILE = {
    "bytes that are not there": PROTOCOL + b"X\xff\xff\xff\x7fabc.",
    "a bytearray of 2 GB": PROTOCOL + b"c__builtin__\nbytearray\nJ\xff\xff\xff\x7f\x85R.",
    "a tensor of 8 GB": PROTOCOL + b"ctorch\nTensor\nJ\xff\xff\xff\x7f\x85R.",
    "the same without init": PROTOCOL + b"ctorch\nTensor\nJ\xff\xff\xff\x7f\x85\x81.",
    "a codec by name": PROTOCOL + b"c_codecs\nencode\nX\1\0\0\0aX\3\0\0\0hex\x86R.",
    "a key nested a million deep": PROTOCOL + b"})" + b"\x85" * 1_000_000 + b"K\1s.",
    "a key of 2**40 parts": PROTOCOL + b"})" + b"".join(b"q%ch%c\x86" % (i, i) for i in range(40)) + b"K\1s.",
    "such a key in a set": PROTOCOL
    + b"c__builtin__\nset\n])"
    + b"".join(b"q%ch%c\x86" % (i, i) for i in range(40))
    + b"a\x85R.",
    "a storage without parts": PROTOCOL + b"(X\7\0\0\0storaget\x51.",
    "an unknown memo": PROTOCOL + b"h\7.",
    "nothing on the stack": PROTOCOL + b"R.",
    "not UTF-8": PROTOCOL + b"X\2\0\0\0\xff\xfe.",
    "a list as a key": PROTOCOL + b"}]K\1s.",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_pickles_are_refused_at_once(name):
    with pytest.raises((pickle.UnpicklingError, EOFError)):
        serialization.load(archive(HOSTILE[name]))


def flipped(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def test_a_flipped_byte_of_a_stored_tensor_is_noticed():
    x = rushlight.from_numpy(np.arange(100.0))
    file = io.BytesIO()
    serialization.save({"x": x}, file)
    data = file.getvalue()
    at = data.index(np.arange(100.0).tobytes()) + 77
    with pytest.raises(RuntimeError, match=r"failed reading file data/0: bad CRC-32\."):
        serialization.load(io.BytesIO(flipped(data, at)))


def test_a_storage_larger_than_an_old_file():
    file = io.BytesIO()
    place = fuzzer.pickle
    for part in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}):
        place.dump(part, file, 2)
    file.write(
        PROTOCOL
        + b"ctorch._utils\n_rebuild_tensor_v2\n((X\7\0\0\0storagectorch\nFloatStorage\nX\1\0\0\x000X\3\0\0\0cpu"
        b"\x8a\5\xff\xff\xff\xff\x7fNtQK\0)" + b")\x89NtR."
    )
    file.seek(0)
    with pytest.raises(RuntimeError, match="larger than the checkpoint file"):
        serialization.load(file)


def test_the_callers_own_error_in_map_location_passes():
    def place(storage, location):
        raise KeyError("mine")

    file = io.BytesIO()
    serialization.save(rushlight.ones(2), file)
    file.seek(0)
    with pytest.raises(KeyError, match="mine"):
        serialization.load(file, map_location=place)


def test_a_few_thousand_mutants():
    # Under pytest other parts of the process import and open files: only errors, time and modules are judged.
    watch = fuzzer.Watch.__new__(fuzzer.Watch)
    watch.on, watch.seen = False, []
    assert fuzzer.run(3000, 10**7, watch) == []

"""`save` and `load`: checkpoints in PyTorch's own file format, which either package reads.

A checkpoint is a zip archive (`archive`) of a pickle (`writing`, `reading`) and the raw bytes of its storages
(`storage`). https://docs.pytorch.org/docs/stable/notes/serialization.html
"""

import contextlib
import io
import os
import pickle
import struct
import sys
import tempfile
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Any

from rushlight.device import device
from rushlight.errors import unsupported
from rushlight.serialization import archive, legacy, reading, writing
from rushlight.serialization.storage import StorageType, UntypedStorage
from rushlight.settings import warn

__all__ = [
    "add_safe_globals",
    "clear_safe_globals",
    "get_safe_globals",
    "get_unsafe_globals_in_checkpoint",
    "load",
    "safe_globals",
    "save",
]

DEFAULT_PROTOCOL = 2
MAP_LOCATION = Callable[[Any, str], Any] | device | str | dict[str, str] | None
FILE_LIKE = str | os.PathLike[str] | IO[bytes]


# ---- save ------------------------------------------------------------------------------------------------------------


def save(
    obj: Any,
    f: Any,
    pickle_module: Any = pickle,
    pickle_protocol: int = DEFAULT_PROTOCOL,
    _use_new_zipfile_serialization: bool = True,
    _disable_byteorder_record: bool = False,
) -> None:
    """Write an object to a path or a file-like object; tensors that share a storage will share one again.

    A path is written to a file beside it first, which then takes its place: a reader sees the old checkpoint or the
    new one, whole. RuntimeError when two tensors see one storage as different types.

    >>> import io, rushlight as torch
    >>> file = io.BytesIO()
    >>> torch.save({"w": torch.ones(2)}, file)
    >>> _ = file.seek(0)
    >>> torch.load(file)
    {'w': tensor([1., 1.])}
    """
    if pickle_module is not pickle:
        raise unsupported(f"save(pickle_module={getattr(pickle_module, '__name__', pickle_module)})")
    if not _use_new_zipfile_serialization:
        raise unsupported("save(_use_new_zipfile_serialization=False)", "It reads such files, though.")
    if not isinstance(f, (str, os.PathLike)):
        if not hasattr(f, "write"):
            raise AttributeError("expected 'f' to be string, path, or a file-like object with a 'write' attribute")
        archive.write(f, "archive", _records(obj, pickle_protocol, not _disable_byteorder_record))
        return
    path = os.fspath(f)
    parent = os.path.dirname(path) or "."
    if not os.path.isdir(parent):
        raise RuntimeError(f"Parent directory {parent} does not exist.")
    records = _records(obj, pickle_protocol, not _disable_byteorder_record)
    folder = os.path.splitext(os.path.basename(path))[0] or "archive"
    with _replacing(path) as file:
        archive.write(file, folder, records)


@contextlib.contextmanager
def _replacing(path: str) -> Iterator[Any]:
    """A file to write, that is put in the place of `path` once it is complete and on disk."""
    if os.path.exists(path) and not os.path.isfile(path):
        if os.path.isdir(path):
            raise RuntimeError(f"open file failed with strerror: Is a directory: {path}")
        with open(path, "wb") as file:  # a pipe or a device cannot be replaced
            yield file
        return
    target = os.path.realpath(path)  # a link stays a link
    handle, temporary = tempfile.mkstemp(prefix=".saving-", dir=os.path.dirname(target))
    try:
        with os.fdopen(handle, "wb", buffering=0) as raw, io.BufferedWriter(raw, 1 << 16) as file:
            yield file
            file.flush()
            os.fsync(raw.fileno())
        os.chmod(temporary, os.stat(target).st_mode if os.path.exists(target) else 0o666 & ~_umask())
        _replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def _replace(temporary: str, target: str) -> None:
    """`os.replace`, without waiting until the memory of a large old file is free again."""
    if os.name == "posix" and os.path.exists(target) and os.path.getsize(target) > 1 << 24:
        old = os.open(target, os.O_RDONLY)  # the file lives on until this is closed, elsewhere
        os.replace(temporary, target)
        threading.Thread(target=os.close, args=(old,)).start()
    else:
        os.replace(temporary, target)


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def _records(obj: Any, protocol: int, byteorder: bool) -> list[tuple[str, Any]]:
    body = io.BytesIO()
    pickler = writing.Pickler(body, protocol)
    pickler.dump(obj)
    records: list[tuple[str, Any]] = [
        ("data.pkl", body.getbuffer()),
        (".format_version", b"1"),
        (".storage_alignment", str(archive.ALIGNMENT).encode()),
    ]
    if byteorder:
        records.append(("byteorder", sys.byteorder.encode()))
    records += [(f"data/{i}", storage) for i, storage in enumerate(pickler.storages)]
    records.append(("version", b"3\n"))
    named = zlib.crc32("".join(name for name, _ in records).encode())
    records.append((".data/serialization_id", f"{named:020d}{zlib.crc32(body.getbuffer()):020d}".encode()))
    return records


# ---- load ------------------------------------------------------------------------------------------------------------


def load(
    f: Any,
    map_location: MAP_LOCATION = None,
    pickle_module: Any = None,
    *,
    weights_only: bool | None = None,
    mmap: bool | None = None,
    **pickle_load_args: Any,
) -> Any:
    """Read an object that `save`, here or in PyTorch, has written, from a path or a seekable file-like object.

    `weights_only` (the default) admits tensors, containers, numbers and what `add_safe_globals` lists, and raises
    `pickle.UnpicklingError` for anything else; with False the file may run any code. A file that is damaged, or asks for
    what only an attacker would, raises `pickle.UnpicklingError`, `RuntimeError` or `EOFError`, and one with something that
    is not built here `NotImplementedError`. `map_location` says where storages
    go that were elsewhere than on the CPU. `mmap` maps a file instead of reading it (writes stay private).
    https://docs.pytorch.org/docs/stable/generated/torch.load.html
    """
    if weights_only is None and pickle_module is not None:
        weights_only = False
    if weights_only is None:
        weights_only = os.environ.get("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "0").lower() not in ("1", "y", "yes", "true")
    if weights_only and pickle_module is not None:
        raise RuntimeError("Can not safely load weights when explicit pickle_module is specified")
    is_path = isinstance(f, (str, os.PathLike))
    if mmap and not is_path:
        raise ValueError("f must be a file path in order to use the mmap argument")
    if not is_path:
        if not hasattr(f, "seek") or not hasattr(f, "tell"):
            raise AttributeError(
                f"'{type(f).__name__}' object has no attribute 'seek'. You can only torch.load from a file that is "
                "seekable. Please pre-load the data into a buffer like io.BytesIO and try to load from it instead."
            )
        return _load(f, None, map_location, pickle_module, weights_only, pickle_load_args)
    with open(f, "rb") as file:
        return _load(file, os.fspath(f) if mmap else None, map_location, pickle_module, weights_only, pickle_load_args)


def _load(
    file: Any, path: str | None, map_location: MAP_LOCATION, pickle_module: Any, weights_only: bool, options: Any
) -> Any:
    if weights_only and set(options) - {"encoding", "errors", "fix_imports"}:
        warn("pickle_load_args only works if `weights_only=False`.")
        options = {}
    place = _Placer(map_location)

    def unpickler(source: Any, load_storage: Callable[[Any], Any]) -> Any:
        if weights_only:
            made: Any = reading.WeightsUnpickler(source, **{"encoding": "utf-8", **options})
        else:
            base = (pickle_module or pickle).Unpickler
            made = type("Unpickler", (reading.FullUnpickler, base), {})(source, **{"encoding": "utf-8", **options})
        made.load_storage = load_storage
        return made

    start = file.tell()
    head = file.read(4)
    file.seek(start)
    try:
        if head == b"PK\3\4":
            return _load_archive(archive.Reader(file, path), unpickler, place)
        if not head:
            raise EOFError(*([] if weights_only else ["Ran out of input"]))
        if path is not None:
            raise RuntimeError(
                "mmap can only be used with files saved with `torch.save(_use_new_zipfile_serialization=True)`"
            )
        return legacy.load(file, unpickler, place)
    except pickle.UnpicklingError as e:
        if not weights_only:
            raise
        raise pickle.UnpicklingError(_explain(str(e))) from None
    except _DAMAGE as e:
        if not weights_only or e is place.raised:
            raise
        raise pickle.UnpicklingError(_explain(f"the file is damaged ({type(e).__name__}: {str(e)[:200]})")) from e


# What Python and NumPy raise when a file's parts do not fit together.
_DAMAGE = (
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
    ArithmeticError,
    struct.error,
    RecursionError,
    MemoryError,
)


def _load_archive(reader: archive.Reader, unpickler: Any, place: Any) -> Any:
    body = reader.read("data.pkl")
    if "version" not in reader and ".data/version" not in reader:
        raise RuntimeError('Expected hasRecord("version") to be true, but got false.')
    swapped = "byteorder" in reader and reader.read("byteorder").decode() != sys.byteorder
    loaded: dict[str, UntypedStorage] = {}

    def load_storage(pid: Any) -> UntypedStorage:
        _, kind, key, location, _ = pid
        dtype = _dtype_of(kind)
        if key not in loaded:
            array = reader.array(f"data/{key}")
            if swapped:
                if dtype is None:
                    raise unsupported("a checkpoint of the other byte order with storages of no type")
                width = dtype.itemsize // (2 if dtype.is_complex else 1)
                array = array.reshape(-1, width)[:, ::-1].reshape(-1)
            loaded[key] = place(UntypedStorage(array, dtype), location)
        storage = loaded[key]
        return storage if storage.dtype is dtype else UntypedStorage(storage.array, dtype)

    return unpickler(io.BytesIO(body), load_storage).load()


def _dtype_of(kind: Any) -> Any:
    if not isinstance(kind, StorageType):
        raise pickle.UnpicklingError(f"Expected the type of a storage, but got {type(kind)}")
    return kind.dtype


class _Placer:
    """Puts a storage where it belongs: here, or nowhere."""

    def __init__(self, map_location: MAP_LOCATION) -> None:
        self.map_location = map_location
        self.raised: Exception | None = None  # by the caller's own function, so no damage of the file

    def __call__(self, storage: UntypedStorage, location: str) -> UntypedStorage:
        to = self.map_location
        if to is None:
            return _restore(storage, location)
        if isinstance(to, dict):
            return _restore(storage, to.get(location, location))
        if isinstance(to, (str, device)):
            return _restore(storage, str(to))
        try:
            moved = to(storage, location)
        except Exception as e:
            self.raised = e
            raise
        return _restore(storage, location) if moved is None else moved


def _restore(storage: UntypedStorage, location: str) -> UntypedStorage:
    kind = location.partition(":")[0]
    if kind == "cpu":
        return storage
    if kind == "cuda":
        raise RuntimeError(
            "Attempting to deserialize object on a CUDA device but torch.cuda.is_available() is False. If you are "
            "running on a CPU-only machine, please use torch.load with map_location=torch.device('cpu') to map your "
            "storages to the CPU."
        )
    if kind == "meta":
        raise unsupported("loading to the device 'meta'")
    raise RuntimeError(
        f"don't know how to restore data location of torch.storage.UntypedStorage (tagged with {location})"
    )


def _explain(reason: str) -> str:
    listed = "Unsupported global" in reason
    first = "Weights only load failed. " + (
        "This file can still be loaded, to do so you have two options, \033[1mdo those steps only if you trust the "
        "source of the checkpoint\033[0m. "
        if listed
        else "In PyTorch 2.6, we changed the default value of the `weights_only` argument in `torch.load` from `False` "
        "to `True`. Re-running `torch.load` with `weights_only` set to `False` will likely succeed, but it can result "
        "in arbitrary code execution. Do it only if you got the file from a trusted source."
    )
    options = (
        "\n\t(1) weights_only=False, which lets the file run any code;\n\t(2) a list of what else it may use:"
        if listed
        else ""
    )
    return f"{first}{options}\n\tWeightsUnpickler error: {reason}"


# ---- what weights_only admits ----------------------------------------------------------------------------------------


def add_safe_globals(safe_globals: Iterable[Any]) -> None:
    """Let `load(weights_only=True)` use these classes or functions (or pairs of one and its full name) as well."""
    for obj in safe_globals:
        reading.safe_globals[reading.full_name(obj)] = obj


def get_safe_globals() -> list[Any]:
    """What `add_safe_globals` has added."""
    return list(reading.safe_globals.values())


def clear_safe_globals() -> None:
    """Forget what `add_safe_globals` has added."""
    reading.safe_globals.clear()


class safe_globals:
    """`add_safe_globals` for the length of a `with` block.

    >>> with safe_globals([range]):
    ...     range in get_safe_globals()
    True
    >>> range in get_safe_globals()
    False
    """

    def __init__(self, safe_globals: Iterable[Any]) -> None:
        self.added = list(safe_globals)

    def __enter__(self) -> None:
        self.before = dict(reading.safe_globals)
        add_safe_globals(self.added)

    def __exit__(self, *_: object) -> None:
        reading.safe_globals.clear()
        reading.safe_globals.update(self.before)


def get_unsafe_globals_in_checkpoint(f: Any) -> list[str]:
    """The names in a checkpoint that `load(weights_only=True)` would refuse."""
    import pickletools

    with open(f, "rb") if isinstance(f, (str, os.PathLike)) else contextlib.nullcontext(f) as file:
        body = archive.Reader(file).read("data.pkl")
    found: dict[str, None] = {}
    protocol, strings = 0, list[str]()
    for opcode, argument, _ in pickletools.genops(body):
        if opcode.name == "PROTO":
            protocol = int(argument)  # type: ignore[arg-type]
        elif opcode.name in ("GLOBAL", "STACK_GLOBAL"):
            module, name = argument.split(" ") if opcode.name == "GLOBAL" else strings[-2:]  # type: ignore[union-attr]
            module, name = reading.python3_name(module, name, protocol)
            full = f"{module}.{name}"
            if reading.resolve(module, name) is None and full not in reading.safe_globals:
                found[full] = None
        elif isinstance(argument, str):
            strings.append(argument)
    return list(found)

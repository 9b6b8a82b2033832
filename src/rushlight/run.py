"""Run PyTorch programs unchanged: inside, `import torch` means rushlight and `import torchvision` rushlight.vision.

    python -m rushlight script.py --epochs 3

Processes that the program starts through multiprocessing see the same, whatever their start method.
"""

from __future__ import annotations

import importlib
import importlib.util
import io
import os
import signal
import sys
import traceback
import types
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from typing import Any

ALIASES = {"torch": "rushlight", "torchvision": "rushlight.vision"}
ENVIRONMENT = "RUSHLIGHT_RUN"  # tells processes that import this module from the start that they belong to a program
USAGE = "usage: python -m rushlight SCRIPT [ARGS...] | -m MODULE [ARGS...] | -c CODE [ARGS...]"


def ours(name: str) -> str | None:
    """The module of ours that an import of `name` means, None when it is none of our business.

    >>> ours("torch.nn.functional"), ours("torchvision"), ours("torchmetrics")
    ('rushlight.nn.functional', 'rushlight.vision', None)
    """
    top, dot, rest = name.partition(".")
    return ALIASES[top] + dot + rest if top in ALIASES else None


class _AliasLoader(Loader):
    """Gives the import system a module that exists already, under a second name."""

    def __init__(self, module: types.ModuleType) -> None:
        self.module = module
        self.spec = module.__spec__

    def create_module(self, spec: ModuleSpec) -> types.ModuleType:
        return self.module

    def exec_module(self, module: types.ModuleType) -> None:
        module.__spec__ = self.spec  # the import system has just put the alias there
        if not hasattr(module, "__path__"):
            module.__path__ = []  # so that we are asked, and can answer, for what would be inside it


class _Finder(MetaPathFinder):
    """Finds `torch…` and `torchvision…` among our modules."""

    def __init__(self) -> None:
        self.undo: list[Callable[[], None]] = []

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if fullname in _REACH:  # here, rather than by an import, since few programs need multiprocessing
            found = PathFinder.find_spec(fullname, path, target)
            if found is not None and found.loader is not None:
                found.loader = _ReachingLoader(found.loader, self.undo)
            return found
        name = ours(fullname)
        if name is None:
            return None
        module = _module(name)
        if module is None:
            # importlib.util.find_spec only asks, and expects None; an import deserves a better message than its own.
            asker = sys._getframe(1)
            if asker.f_back is not None and asker.f_back.f_globals.get("__name__") == "importlib.util":
                return None
            raise ModuleNotFoundError(f"No module named {fullname!r}: rushlight has no module {name}", name=fullname)
        spec = ModuleSpec(fullname, _AliasLoader(module), is_package=hasattr(module, "__path__"))
        spec.origin = getattr(module, "__file__", None)
        return spec


def _module(name: str) -> types.ModuleType | None:
    """Import a module of ours; a namespace that is an object passes for one, and None stands for a missing one."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as e:
        if e.name is None or not (name + ".").startswith(e.name + "."):
            raise  # ours is there, something that it needs is not
    parent, _, last = name.rpartition(".")
    holder = sys.modules.get(parent)
    found = getattr(holder, last, None)
    if isinstance(found, types.ModuleType):
        return found
    if found is None or callable(found):
        return None
    module = types.ModuleType(name)
    module.__spec__ = ModuleSpec(name, None)
    module.__getattr__ = lambda attribute: getattr(found, attribute)  # type: ignore[method-assign]
    return module


class install:
    """Make `import torch` mean rushlight, in this process and those it starts, until `uninstall` (or a `with` ends).

    A real PyTorch that was imported before is put aside meanwhile.

    >>> with install():
    ...     import torch
    >>> torch.__name__
    'rushlight'
    """

    def __init__(self) -> None:
        self._aside = {name: module for name, module in sys.modules.items() if ours(name) is not None}
        for name in self._aside:
            del sys.modules[name]
        self._finder = _Finder()
        sys.meta_path.insert(0, self._finder)
        self._environment = os.environ.get(ENVIRONMENT)
        os.environ[ENVIRONMENT] = "1"
        for name, reach in _REACH.items():
            if name in sys.modules:
                self._finder.undo.append(reach(sys.modules[name]))

    def uninstall(self) -> None:
        """Undo it; what the program has imported stays what it is."""
        if self._finder not in sys.meta_path:
            return
        sys.meta_path.remove(self._finder)
        for name in [name for name in sys.modules if ours(name) is not None]:
            del sys.modules[name]
        sys.modules.update(self._aside)
        if self._environment is None:
            os.environ.pop(ENVIRONMENT, None)
        for undo in self._finder.undo:
            undo()

    def __enter__(self) -> install:
        return self

    def __exit__(self, *_: object) -> None:
        self.uninstall()


def _reach_spawned(spawn: Any) -> Callable[[], None]:
    """Have spawned processes install the alias before they import the program; returns the undoing."""
    source = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    prelude = f"import sys; sys.path.append({source!r}); import rushlight.run; sys.path.remove({source!r}); "
    original = spawn.get_command_line

    def get_command_line(**options: Any) -> list[str]:
        command: list[str] = original(**options)
        if "-c" in command:
            at = command.index("-c") + 1
            command[at] = prelude + command[at]
        return command

    spawn.get_command_line = get_command_line
    return lambda: setattr(spawn, "get_command_line", original)


def _reach_forked_by_server(forkserver: Any) -> Callable[[], None]:
    """Have the server import this module, and so install the alias, before anything else."""
    server = forkserver._forkserver
    before = list(server._preload_modules)
    server._preload_modules = ["rushlight.run", *(name for name in before if name != "__main__")]
    return lambda: setattr(server, "_preload_modules", before)


_REACH = {"multiprocessing.spawn": _reach_spawned, "multiprocessing.forkserver": _reach_forked_by_server}


class _ReachingLoader(Loader):
    """Loads a module of multiprocessing as ever, then has it reach the processes that it starts."""

    def __init__(self, loader: Any, undo: list[Callable[[], None]]) -> None:
        self.loader = loader
        self.undo = undo

    def create_module(self, spec: ModuleSpec) -> types.ModuleType | None:
        return self.loader.create_module(spec)  # type: ignore[no-any-return]

    def exec_module(self, module: types.ModuleType) -> None:
        module.__loader__ = self.loader
        if module.__spec__ is not None:
            module.__spec__.loader = self.loader
        self.loader.exec_module(module)
        self.undo.append(_REACH[module.__name__](module))


# ---- running a program -----------------------------------------------------------------------------------------------


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a script, module or text as `python` would, with the alias in place."""
    args = list(sys.argv[1:] if arguments is None else arguments)
    if not args or args[0] in ("-h", "--help"):
        print(USAGE, file=sys.stdout if args else sys.stderr)
        sys.exit(0 if args else 2)
    if args[0] in ("-m", "-c") and len(args) < 2:
        print(f"Argument expected for the {args[0]} option\n{USAGE}", file=sys.stderr)
        sys.exit(2)
    install()
    program = types.ModuleType("__main__")
    program.__dict__["__builtins__"] = sys.modules["builtins"]
    before = sys.modules["__main__"]  # kept, since this function's caller lives in it
    sys.modules["__main__"] = program
    try:
        exec(_prepare(args, program), program.__dict__)
    except SystemExit:
        raise
    except BaseException as error:
        _report(error)
    del before


def _prepare(args: list[str], program: types.ModuleType) -> types.CodeType:
    """The code to run; sets what a program may read of how it was started."""
    if args[0] == "-c":
        sys.argv = ["-c", *args[2:]]
        return compile(args[1], "<string>", "exec")
    if args[0] == "-m":
        sys.argv = ["-m", *args[2:]]
        spec = importlib.util.find_spec(args[1])
        if spec is not None and spec.submodule_search_locations is not None:
            spec = importlib.util.find_spec(args[1] + ".__main__")
        get_code = getattr(spec and spec.loader, "get_code", None)
        code = get_code(spec.name) if spec is not None and get_code is not None else None
        if spec is None or code is None:
            print(f"{sys.executable}: No module named {args[1]}", file=sys.stderr)
            sys.exit(1)
        program.__spec__, program.__loader__, program.__package__ = spec, spec.loader, spec.parent
        program.__file__ = sys.argv[0] = str(spec.origin)
        return code  # type: ignore[no-any-return]
    script = args[0]
    if os.path.isdir(script):
        sys.path[0] = script
        script = os.path.join(script, "__main__.py")
    else:
        sys.path[0] = os.path.dirname(os.path.realpath(script))
    sys.argv = list(args)
    program.__file__ = script = os.path.abspath(script)
    try:
        with io.open_code(script) as file:
            source = file.read()
    except OSError as e:
        print(f"{sys.executable}: can't open file {script!r}: [Errno {e.errno}] {e.strerror}",
              file=sys.stderr)  # fmt: skip
        sys.exit(2)
    return compile(source, script, "exec")


def _report(error: BaseException) -> None:
    """End as `python` does after an exception, without our own frames in the traceback."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    if isinstance(error, SyntaxError) and trace is None:
        traceback.print_exception(type(error), error, None)
    else:
        sys.excepthook(type(error), error.with_traceback(trace), trace)
    sys.stdout.flush()
    if isinstance(error, KeyboardInterrupt):
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    sys.exit(1)


if os.environ.get(ENVIRONMENT) and not any(isinstance(f, _Finder) for f in sys.meta_path):
    _belongs = install()  # a process that a program has started

"""What reading a checkpoint may cost: no more work and memory than the file's own length accounts for."""

import _codecs
import pickle
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable
from typing import Any

FREE = 1_000_000  # steps that any file may take: elements hashed, or copied by a call
PER_BYTE = 4  # and those for each byte read; what `save` writes stays below 2
_KEY_DEPTH = 100  # hashing recurses, without bounds of its own
_WIDE = 1000  # steps for a key whose hash its writer can choose: many equal ones make a dictionary quadratic
_ENCODINGS = ("latin1", "latin-1", "utf-8", "utf8", "ascii")  # looking another one up would import its module


class Budget:
    """Counts the steps of one reading and refuses those that the bytes read so far do not pay for."""

    def __init__(self, position: Callable[[], int]) -> None:
        self._position = position
        self._spent = 0

    def spend(self, steps: int) -> None:
        """Note steps that are about to be taken."""
        self._spent += steps
        if self._spent > FREE and self._spent > FREE + PER_BYTE * self._position():
            raise pickle.UnpicklingError("The checkpoint asks for more work than its length accounts for")

    def key(self, key: Any) -> None:
        """Pay for the hash of a key: it walks a tuple whole, and one part may stand in many places."""
        level = [key]
        for _ in range(_KEY_DEPTH):
            level = [part for item in level for part in self._parts(item)]
            if not level:
                return
        raise pickle.UnpicklingError("A key is nested too deeply")

    def _parts(self, item: Any) -> tuple[Any, ...]:
        if isinstance(item, tuple):
            self.spend(len(item))
            return item
        if type(item) is complex or (type(item) is int and item.bit_length() > 64):
            self.spend(_WIDE)
        return ()

    def keys(self, items: Iterable[Any]) -> None:
        """Pay for the hashes of several keys."""
        for item in items:
            if type(item) is not str:
                self.key(item)

    def copied(self, args: tuple[Any, ...]) -> None:
        """Pay for what a call copies: the strings and containers among its arguments, and what these hold."""
        level: list[Any] = [args]
        for _ in range(3):
            level = [x for part in level for x in (part.values() if isinstance(part, dict) else part)]
            level = [x for x in level if isinstance(x, (str, bytes, bytearray, list, tuple, dict, set))]
            self.spend(sum(map(len, level)))
            level = [x for x in level if isinstance(x, (list, tuple, dict))]


def container_is_safe(function: Any, args: tuple[Any, ...], budget: Budget) -> bool:
    """Whether one of Python's own types is called with what a checkpoint needs: no size, no codec by name."""
    if function is bytearray:
        return not args or (len(args) == 1 and isinstance(args[0], bytes)) or _encodes(args)
    if function is _codecs.encode:
        return _encodes(args)
    if function is complex:
        return all(isinstance(x, (int, float, complex)) for x in args)
    if function not in (set, Counter, OrderedDict) or len(args) > 1:
        return False
    for items in args:
        if not isinstance(items, (list, tuple, dict)):
            return False
        if function is OrderedDict and not isinstance(items, dict):
            if not all(isinstance(pair, (list, tuple)) and len(pair) == 2 for pair in items):
                return False
            items = [pair[0] for pair in items]
        budget.keys(items)
    return True


def _encodes(args: tuple[Any, ...]) -> bool:
    return len(args) == 2 and isinstance(args[0], str) and isinstance(args[1], str) and args[1] in _ENCODINGS

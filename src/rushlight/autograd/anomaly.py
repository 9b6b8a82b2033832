"""Anomaly detection: which line of the forward pass made the backward pass fail."""

from __future__ import annotations

from ..settings import warn
from .engine import anomaly


def is_anomaly_enabled() -> bool:
    """Whether operators record where they were called."""
    return anomaly.enabled


class set_detect_anomaly:
    """Switch anomaly detection on or off; as a context manager the old state comes back.

    While it is on, every node remembers the lines that made it, errors of the backward pass name them, and a nan in
    a gradient is an error.
    """

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self._before = (anomaly.enabled, anomaly.check_nan)
        anomaly.enabled, anomaly.check_nan = mode, check_nan

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        anomaly.enabled, anomaly.check_nan = self._before


class detect_anomaly:
    """Anomaly detection for the body of a `with` statement."""

    def __init__(self, check_nan: bool = True) -> None:
        self._check_nan = check_nan
        warn(
            "Anomaly Detection has been enabled. This mode will increase the runtime and should only be enabled for "
            "debugging.",
            UserWarning,
        )

    def __enter__(self) -> None:
        self._before = (anomaly.enabled, anomaly.check_nan)
        anomaly.enabled, anomaly.check_nan = True, self._check_nan

    def __exit__(self, *_: object) -> None:
        anomaly.enabled, anomaly.check_nan = self._before

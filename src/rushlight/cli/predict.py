"""`rushlight predict`: the classes of pictures, by a trained checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from . import UsageError, checkpoint, networks
from .pictures import Prepared


def load(path: str) -> tuple[Any, list[str], dict[str, Any]]:
    """The network of a checkpoint in eval mode, its classes, and how its pictures are prepared."""
    state = checkpoint.read(Path(path))
    network = networks.build(state["settings"]["model"], len(state["classes"]), state["description"])
    network.load_state_dict(state["model"])
    return network.eval(), state["classes"], state["description"]


def predict(options: Any) -> int:
    """Print, for each picture, its most probable classes."""
    from .. import no_grad
    from ..vision.pillow import pillow

    if options.top < 1:
        raise UsageError(f"--top {options.top}: must be at least 1")
    Image = pillow()
    network, classes, description = load(options.checkpoint)
    prepared = Prepared([], description)
    width = max(len(name) for name in options.images)
    for name in options.images:
        try:
            with Image.open(name) as picture:
                x = prepared.tensor(prepared.sized(picture)).unsqueeze(0)
        except (OSError, SyntaxError, ValueError) as error:  # all of which Pillow raises for damaged files
            why = getattr(error, "strerror", None) or str(error)
            raise UsageError(f"cannot read {name}: {why}") from None
        with no_grad():
            probabilities = network(x).softmax(1)[0]
        values, indices = probabilities.topk(min(options.top, len(classes)))
        found = (f"{classes[i]} {100 * p:.1f} %" for p, i in zip(values.tolist(), indices.tolist(), strict=True))
        print(f"{name:<{width}}  {'  '.join(found)}", flush=True)
    return 0

"""`rushlight predict`: the classes of pictures, by a trained checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from . import UsageError, networks, pictures


def load(path: str) -> tuple[Any, list[str], dict[str, Any]]:
    """The network of a checkpoint in eval mode, its classes, and how its pictures are prepared."""
    import rushlight as torch

    if not Path(path).is_file():
        raise UsageError(f"there is no checkpoint {path}")
    state = torch.load(path)
    if not isinstance(state, dict) or "description" not in state:
        raise UsageError(f"{path} is not a checkpoint of `rushlight train`")
    network = networks.build(state["settings"]["model"], len(state["classes"]), state["description"])
    network.load_state_dict(state["model"])
    return network.eval(), state["classes"], state["description"]


def predict(options: Any) -> int:
    """Print, for each picture, its most probable classes."""
    import rushlight as torch

    from ..vision.pillow import pillow

    Image = pillow()
    network, classes, description = load(options.checkpoint)
    prepare = pictures.transform(description)
    width = max(len(name) for name in options.images)
    for name in options.images:
        try:
            with Image.open(name) as picture:
                x = prepare(picture.copy()).unsqueeze(0)
        except (OSError, ValueError) as error:
            raise UsageError(f"cannot read {name}: {error}") from None
        with torch.no_grad():
            probabilities = network(x).softmax(1)[0]
        values, indices = probabilities.topk(min(options.top, len(classes)))
        found = "  ".join(f"{classes[i]} {100 * p:.1f} %" for p, i in zip(values.tolist(), indices.tolist(), strict=True))
        print(f"{name:<{width}}  {found}")
    return 0

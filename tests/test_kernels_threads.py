"""Another thread writes to an argument while a kernel works without the interpreter lock: no crash, whatever the numbers."""

import subprocess
import sys

import pytest

# Each call reads `ids` (or floats `a`) while a second thread keeps writing to the same memory.
CALLS = {
    "argmax": "K.argmax(a, 1)",
    "argmin": "K.argmin(a)",
    "embedding": "K.embedding(a, ids)",
    "embedding_backward": "K.embedding_backward(g, ids, 64)",
    "index_add_": "K.index_add_(a.copy(), 0, ids, g)",
    "nll_forward": "K.nll_forward(g[:, :64].copy(), ids, w, -100, 'none')",
    "cross_entropy_forward": "K.cross_entropy_forward(g[:, :64].copy(), ids, w, -100, 0.0, 'none')",
    "cross_entropy": "t.nn.functional.cross_entropy(x, t.from_numpy(ids), t.from_numpy(w)).backward()",
    "max_pool_backward": "K.max_pool_backward(pooled, places, (8, 64, 32, 32))",
    "gather": "t.gather(t.from_numpy(a), 0, t.from_numpy(ids[:64].reshape(64, 1)))",
    "scatter_add": "t.zeros(64, 1).scatter_add(0, t.from_numpy(ids.reshape(-1, 1)[:64]), t.ones(64, 1))",
    "index_select": "t.index_select(t.from_numpy(a), 0, t.from_numpy(ids))",
}
PROGRAM = """
import threading, time
import numpy as np
import rushlight as t
from rushlight.backend import kernels as K
rng = np.random.default_rng(0)
ids = rng.integers(0, 64, 4096)
a, g, w = (rng.standard_normal(s).astype(np.float32) for s in ((64, 512), (4096, 512), (64,)))
x = t.from_numpy(g[:, :64].copy()).requires_grad_()
pooled = np.ones((8, 64, 16, 16), np.float32)
places = rng.integers(0, 1024, pooled.shape)
stop = time.monotonic() + 0.6
def write():
    far = np.array([2**40, -2**40, 63, 0] * 1024)
    while time.monotonic() < stop:
        ids[...] = far
        places.reshape(-1)[:4096] = far
        a[...] = np.nan
        a[...] = 1
        ids[...] = 1
        places[...] = 1
thread = threading.Thread(target=write)
thread.start()
while time.monotonic() < stop:
    try:
        CALL
    except (IndexError, RuntimeError, ValueError):
        pass
thread.join()
"""


@pytest.mark.parametrize("name", CALLS)
def test_indices_are_used_as_they_were_checked(name):
    found = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM.replace("CALL", CALLS[name])],
        capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert found.returncode == 0, f"{found.returncode}: {found.stderr.decode()[-800:]}"

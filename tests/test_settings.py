"""Switches of the process: what is set can be read back, and wrong values are refused as by PyTorch."""

from __future__ import annotations

import warnings

import pytest

import rushlight as rl


@pytest.fixture(params=["rushlight", "torch"])
def torch(request):
    found = rl if request.param == "rushlight" else pytest.importorskip("torch")
    yield found
    found.use_deterministic_algorithms(False)
    found.set_float32_matmul_precision("highest")
    found.set_default_dtype(found.float32)


def test_determinism(torch):
    torch.use_deterministic_algorithms(True, warn_only=True)
    assert torch.are_deterministic_algorithms_enabled()
    assert torch.is_deterministic_algorithms_warn_only_enabled()
    assert torch.get_deterministic_debug_mode() == 1
    torch.set_deterministic_debug_mode("error")
    assert torch.get_deterministic_debug_mode() == 2
    assert not torch.is_deterministic_algorithms_warn_only_enabled()
    with pytest.raises(TypeError, match="must be bool, not int"):
        torch.use_deterministic_algorithms(1)
    for wrong in ("x", 5):
        with pytest.raises(RuntimeError, match="invalid value of debug_mode, expected"):
            torch.set_deterministic_debug_mode(wrong)


def test_precision(torch):
    assert torch.get_float32_matmul_precision() == "highest"
    torch.set_float32_matmul_precision("high")
    assert torch.get_float32_matmul_precision() == "high"


def test_default_device_and_type(torch):
    torch.set_default_device("cpu")
    assert torch.get_default_device() == torch.device("cpu")
    torch.set_default_device(None)
    torch.set_default_dtype(torch.float64)
    assert torch.ones(1).dtype is torch.float64


def test_an_unknown_precision_changes_nothing():
    with pytest.warns(UserWarning, match="is not one of 'highest'"):
        rl.set_float32_matmul_precision("x")
    assert rl.get_float32_matmul_precision() == "highest"


def test_default_tensor_type_by_its_old_name():
    rl.settings._warned.clear()
    with pytest.warns(UserWarning, match="is deprecated as of PyTorch 2.1"):
        rl.set_default_tensor_type("torch.DoubleTensor")
    assert rl.get_default_dtype() is rl.float64
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rl.set_default_tensor_type("torch.FloatTensor")
    assert rl.get_default_dtype() is rl.float32


def test_other_devices_are_refused():
    with pytest.raises(NotImplementedError, match="meta"):
        rl.set_default_device("meta")


def test_questions_to_a_tensor():
    x = rl.ones(2)
    assert (rl.is_conj(x), rl.is_neg(x), rl.is_inference(x), rl.is_signed(x), rl.get_device(x)) == (
        False,
        False,
        False,
        True,
        -1,
    )
    assert not rl.is_same_size(x, rl.ones(3))

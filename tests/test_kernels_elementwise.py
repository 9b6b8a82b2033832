"""The element-wise kernels against PyTorch: every name, dtype, hard point, layout and way of calling."""

import gc
import itertools
import math
import os
import subprocess
import sys
import threading
import weakref

import ml_dtypes
import numpy as np
import pytest

from rushlight.backend import expression, native
from rushlight.backend import kernels as K
from rushlight.backend.numpy import elementwise as reference

torch = pytest.importorskip("torch")

HARD = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, 2.5, -2.5, 3.0, 1e-8, -1e-8, 1e-40, 90.0, -90.0, 88.5, -103.0, 1e30,
        -1e30, 20000.0, math.inf, -math.inf, math.nan]  # fmt: skip
UNARY = """neg abs sign exp exp2 expm1 log log2 log10 log1p sqrt rsqrt reciprocal square sin cos tan asin acos atan sinh
cosh tanh asinh acosh atanh sigmoid erf erfc erfinv lgamma digamma i0 floor ceil round trunc frac isnan isinf isfinite
signbit relu logical_not angle""".split()
BINARY = """add sub mul div floor_divide remainder fmod pow atan2 maximum minimum fmax fmin copysign hypot nextafter
logaddexp eq ne lt le gt ge logical_and logical_or logical_xor heaviside""".split()
THEIRS = {"div": "true_divide", "neg": "negative", "abs": "absolute"}
needs_native = pytest.mark.skipif(native.library is None, reason="needs the extension")


def theirs(name):
    return getattr(torch, THEIRS.get(name, name))


def units(x, y):
    """The distance between two arrays of one float dtype in units in the last place; infinite where kinds differ."""
    with np.errstate(all="ignore"):
        x, y = np.asarray(x), np.asarray(y)
        gap = np.abs(x.astype(np.float64) - y.astype(np.float64)) / np.spacing(np.abs(y)).astype(np.float64)
        return np.where(
            (x == y) | (np.isnan(x) & np.isnan(y)), 0, np.where(np.isfinite(x) & np.isfinite(y), gap, np.inf)
        )


def assert_close(name, a, expected, args):
    assert a.dtype == expected.dtype, name
    if expected.dtype == bool or expected.dtype.kind in "iu":
        np.testing.assert_array_equal(a, expected, err_msg=name)
        return
    tolerance = {
        "digamma": 1e5 if a.dtype == np.float64 else 60,
        "lgamma": 60,
        "i0": 20,
        "pow": 8,
        "sinh": 8,
        "cosh": 8,
        "erfinv": 16,
    }.get(name, 4)
    # PyTorch's own special functions lose digits in float64, and absolute ones near their zeros.
    absolute = 1e-6 if a.dtype == np.float32 else 1e-12
    far = (units(a, expected) > tolerance) & ~(np.abs(a - expected) <= absolute * np.minimum(1, np.abs(expected) + 1))
    assert not far.any(), (name, [np.broadcast_to(x, a.shape)[far] for x in args], a[far], expected[far])


@pytest.mark.parametrize("kernels", [K, reference], ids=["kernels", "reference"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", UNARY)
@np.errstate(all="ignore")
def test_unary(name, dtype, kernels):
    rng = np.random.default_rng(0)
    a = np.concatenate([HARD, rng.uniform(-1, 1, 300), rng.uniform(-30, 30, 300)]).astype(dtype)
    if name in ("lgamma", "digamma"):
        a = a[~((np.abs(a) > 1e5) | ((a < 0) & (a == np.round(a))))]  # PyTorch's poles differ by element and vector
    if name == "i0":
        a = a[~(np.abs(a) >= 88)]  # PyTorch overflows early
    for b in (a, a[:1], a[:600].reshape(20, 30)[:, ::3]):
        assert_close(name, getattr(kernels, name)(b), theirs(name)(torch.tensor(b)).numpy(), [b])


@pytest.mark.parametrize("kernels", [K, reference], ids=["kernels", "reference"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", BINARY)
@np.errstate(all="ignore")
def test_binary(name, dtype, kernels):
    rng = np.random.default_rng(0)
    a, b = np.array(list(itertools.product(HARD, HARD)), dtype).T
    x = np.concatenate([a, rng.uniform(-3, 3, 200).astype(dtype)])
    y = np.concatenate([b, rng.uniform(-3, 3, 200).astype(dtype)])
    if name == "fmod":
        keep = (np.abs(x) < 1e20) & (np.abs(y) > 1e-30)  # PyTorch's vectorised fmod is off beyond
        x, y = x[keep], y[keep]
    if name in ("floor_divide", "remainder"):
        keep = (np.abs(x) < 1e6) & (np.abs(y) > 1e-6)
        x, y = x[keep], y[keep]
    if name == "logaddexp":
        keep = ~(np.isnan(x) | np.isnan(y))
        x, y = x[keep], y[keep]
    args = torch.tensor(x), torch.tensor(y)
    assert_close(name, getattr(kernels, name)(x, y), theirs(name)(*args).numpy(), [x, y])


@pytest.mark.parametrize("name", ["add", "sub", "mul", "div", "maximum", "gt", "eq", "pow", "copysign", "remainder"])
def test_numbers_are_weak(name):
    for shape in ((), (1,), (5,), (300,), (20, 30)):
        a = np.linspace(0.5, 3, math.prod(shape), dtype=np.float32).reshape(shape)
        for number in (1.1, 2, 0.5, -1, 3.0):
            expected = getattr(reference, name)(a, number)
            out = getattr(K, name)(a, number)
            assert out.__class__ is np.ndarray
            assert out.dtype == (bool if name in ("gt", "eq") else np.float32)
            np.testing.assert_allclose(out, expected, rtol=3e-7)
            if number > 0:
                np.testing.assert_allclose(getattr(K, name)(number, a), getattr(reference, name)(number, a), rtol=3e-7)


SHAPES = [((), (3,)), ((1,), (3, 1)), ((2, 3), (3,)), ((2, 3), (2, 1)), ((4, 1, 3), (2, 1)), ((0, 3), (3,)), ((5,), ())]


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, np.int32, bool, np.complex64])
def test_broadcasting(dtype):
    rng = np.random.default_rng(1)
    for s, t in SHAPES:
        a = np.asarray(rng.integers(0, 5, s)).astype(dtype)
        b = np.asarray(rng.integers(0, 5, t)).astype(dtype)
        for x, y in ((a, b), (b, a)):
            out = K.add(x, y)
            assert out.__class__ is np.ndarray
            np.testing.assert_array_equal(out, np.add(x, y))
            assert out.dtype == dtype
            np.testing.assert_array_equal(K.eq(x, y), np.equal(x, y))


def test_shapes_that_do_not_broadcast():
    with pytest.raises(ValueError, match="broadcast"):
        K.add(np.ones(3, np.float32), np.ones(4, np.float32))


def layouts():
    a = np.arange(2 * 3 * 4 * 5, dtype=np.float32).reshape(2, 3, 4, 5) / 10
    yield from (
        a,
        a.transpose(0, 3, 1, 2),
        a.transpose(3, 1, 0, 2),
        a.T,
        a[:, :, ::2, 1:],
        a[::-1],
        a[:, :1],
        a[..., :1],
    )
    yield np.broadcast_to(a[:, :1], a.shape)


@needs_native
def test_layout_of_the_output_is_pytorchs():
    for a in layouts():
        if any(s < 0 for s in a.strides):
            continue
        x = torch.as_strided(torch.zeros(1000), a.shape, [s // 4 for s in a.strides])
        for b, y in (
            (a, x),
            (np.ones((), np.float32), torch.ones(())),
            (np.ones(a.shape, np.float32), torch.ones(x.shape)),
        ):
            for first, second, expected in ((a, b, x + y), (b, a, y + x)):
                out = K.add(first, second)
                np.testing.assert_array_equal(out, first + second)
                ours = [s // 4 for s, n in zip(out.strides, out.shape, strict=True) if n > 1]
                assert ours == [s for s, n in zip(expected.stride(), expected.shape, strict=True) if n > 1]
                assert out.base is None


def test_out():
    for a in layouts():
        for target in (np.empty(a.shape, np.float32), np.empty(a.shape[::-1], np.float32).T,
                       np.empty((*a.shape, 2), np.float32)[..., 0]):  # fmt: skip
            assert K.mul(a, 2.0, out=target) is target
            np.testing.assert_array_equal(target, a * 2)
            assert K.exp(a, target) is target
            np.testing.assert_allclose(target, np.exp(a.astype(float)), rtol=1e-6)
    a = np.arange(1000.0, dtype=np.float32)
    expected = a[1:] + a[:-1]
    K.add(a[1:], a[:-1], out=a[1:])
    np.testing.assert_array_equal(a[1:], expected)
    a = np.arange(6.0, dtype=np.float32).reshape(2, 3)
    K.sub(a, a[0], out=a)
    np.testing.assert_array_equal(a, [[0, 0, 0], [3, 3, 3]])
    flags = np.empty(3, bool)
    assert K.gt(np.float32([1, 2, 3]), 1.5, out=flags) is flags
    assert flags.tolist() == [False, True, True]


def test_where_and_clamp():
    a = np.float32([1, np.nan, -3, 4])
    keep = np.array([True, False, True, False])
    np.testing.assert_array_equal(K.where(keep, a, 0.0), np.float32([1, 0, -3, 0]))
    np.testing.assert_array_equal(K.where(keep[:, None], 1.5, a), np.where(keep[:, None], np.float32(1.5), a))
    assert K.where(keep, a, 0.0).dtype == np.float32
    np.testing.assert_array_equal(K.clamp(a, -1.0, 2.0), torch.tensor(a).clamp(-1, 2).numpy())
    np.testing.assert_array_equal(K.clamp(a, None, 2.0), torch.tensor(a).clamp(max=2).numpy())
    np.testing.assert_array_equal(K.clamp(a, 3.0), torch.tensor(a).clamp(min=3).numpy())
    np.testing.assert_array_equal(K.clamp(a, 3.0, 1.0), torch.tensor(a).clamp(3, 1).numpy())


@pytest.mark.parametrize("kernels", [K, reference], ids=["kernels", "reference"])
def test_integers(kernels):
    a, b = np.array([7, -7, 7, -7, 0]), np.array([2, 2, -2, -2, 5])
    for name in (
        "floor_divide",
        "remainder",
        "fmod",
        "add",
        "sub",
        "mul",
        "maximum",
        "bitwise_and",
        "bitwise_xor",
        "gcd",
    ):
        assert_close(name, getattr(kernels, name)(a, b), theirs(name)(torch.tensor(a), torch.tensor(b)).numpy(), [a, b])
    for name in ("floor_divide", "remainder", "fmod"):
        with pytest.raises(RuntimeError, match="ZeroDivisionError"):
            getattr(kernels, name)(a, 0)
    top = np.array([2**63 - 1])
    assert kernels.add(top, 1)[0] == -(2**63)
    x = np.array([2, 1, -1, -1, 0, 3])
    y = np.array([-1, -3, -3, -2, -1, 3])
    np.testing.assert_array_equal(kernels.pow(x, y), torch.pow(torch.tensor(x), torch.tensor(y)).numpy())
    assert kernels.mul(np.array([True, False]), np.array([True, True])).dtype == bool
    assert kernels.add(np.array([True, False]), np.array([True, True])).tolist() == [True, True]


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16])
def test_half_computes_in_float32_and_rounds_once(dtype):
    a = np.linspace(-3, 3, 50).astype(dtype)
    wide = torch.float16 if dtype == np.float16 else torch.bfloat16
    x = torch.tensor(a.astype(np.float32)).to(wide)
    for name in ("exp", "sigmoid", "tanh", "erf", "rsqrt", "reciprocal", "frac"):
        out = getattr(K, name)(a)
        assert out.dtype == dtype
        np.testing.assert_allclose(out.astype(float), theirs(name)(x).float().numpy(), rtol=8e-3, atol=1e-6)
    silu = K.fuse(lambda a: a * K.sigmoid(a))
    np.testing.assert_array_equal(silu(a).astype(float), torch.nn.functional.silu(x).double().numpy())
    assert K.gt(a, a).dtype == bool


@needs_native
@np.errstate(all="ignore")
def test_the_vector_functions_are_accurate():
    rng = np.random.default_rng(5)
    exact = {"exp": np.exp, "log": np.log, "tanh": np.tanh, "sin": np.sin, "cos": np.cos, "expm1": np.expm1,
             "log1p": np.log1p, "erf": reference.erf}  # fmt: skip
    for name, scale in itertools.product(exact, (1e-3, 1, 10, 100, 9000)):
        a = rng.uniform(-scale, scale, 20001).astype(np.float32)
        assert units(getattr(K, name)(a), exact[name](a.astype(float)).astype(np.float32)).max() <= 2, (name, scale)


def test_special_functions_reach_double_precision():
    special = pytest.importorskip("scipy.special")
    rng = np.random.default_rng(6)
    a = rng.uniform(-20, 20, 3000)
    np.testing.assert_allclose(K.digamma(a), special.digamma(a), rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(K.i0(a), special.i0(a), rtol=2e-15)
    np.testing.assert_allclose(K.lgamma(a), special.gammaln(a), rtol=1e-12, atol=1e-13)
    y = np.concatenate([rng.uniform(-1, 1, 2000), 1 - 10.0 ** -rng.uniform(1, 15.9, 500), [1e-300, 1, -1, 2]])
    np.testing.assert_allclose(K.erfinv(y), special.erfinv(y), rtol=2e-15)
    np.testing.assert_allclose(K.erfc(a), special.erfc(a), rtol=1e-13)


# ---- fuse -----------------------------------------------------------------------------------------------------------

FORMULAS = {
    "affine": lambda a, b: a * 2.0 + b,
    "gelu": lambda a: 0.5 * a * (1 + K.erf(a * 0.7071067811865476)),
    "mask": lambda a, b: K.where((a > 0) & (b < 1) | ~(a >= b), a, 0.0),
    "powers": lambda a: a**2 + abs(a) ** 0.5 - a**3 + 2.0**a,
    "reversed": lambda a: 1 - 3.0 / (2 + a * a),
    "shared": lambda a: (K.exp(a) + 1) * (K.exp(a) - 1),
    "long": lambda a, b: sum(((a + float(i)) * (b - float(i)) for i in range(12)), start=a),
    "boolean": lambda a, b: K.logical_not(a > b),
    "clamp": lambda a: K.clamp(a, -0.5, 0.5) * K.sign(a) + K.maximum(a, 0.1),
    "rounding": lambda a: K.floor(a) - K.round(a) + a % 0.7 + a // 0.3,
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", FORMULAS)
def test_fuse_equals_step_by_step(name, dtype):
    formula = FORMULAS[name]
    fused = K.fuse(formula)
    n = formula.__code__.co_argcount
    rng = np.random.default_rng(7)
    for shapes in [((), ()), ((7,), (7,)), ((3, 4), (4,)), ((5, 1), (1, 600)), ((70000,), ()), ((0,), (1,))]:
        args = [np.asarray(rng.standard_normal(s)).astype(dtype) for s in shapes[:n]]
        out = fused(*args)
        expected = np.asarray(formula(*args))
        assert out.__class__ is np.ndarray
        assert out.dtype == expected.dtype
        np.testing.assert_allclose(out, expected, rtol=2e-6 if dtype == np.float32 else 1e-14, atol=1e-5)
    if native.library is not None:
        assert [v[1] for v in fused.variants] == [True]


@needs_native
def test_fuse_takes_numbers_and_masks():
    scaled = K.fuse(lambda a, keep, p: K.where(keep, a / p, 0.0))
    a = np.ones((2, 3), np.float32)
    keep = np.array([True, False, True])
    np.testing.assert_array_equal(scaled(a, keep, 0.5), [[2, 0, 2]] * 2)
    np.testing.assert_array_equal(scaled(a, keep, 2), [[0.5, 0, 0.5]] * 2)
    assert scaled.variants == [(3, True, 2)]
    # A number for every value, and numbers alone.
    assert scaled(np.float64(3.0)[...], True, 1.5) == 2
    assert K.fuse(lambda a, b: a + b)(1.5, 2).tolist() == 3.5


def test_fuse_runs_what_it_cannot_trace():
    branching = K.fuse(lambda a: a if a.ndim == 1 else -a)
    assert branching(np.float32([1, 2])).tolist() == [1, 2]
    pair = K.fuse(lambda a: (a + 1, a - 1))
    assert [x.tolist() for x in pair(np.float32([1]))] == [[2], [0]]
    complex_too = K.fuse(lambda a: a * 2.0 + 1)
    assert complex_too(np.complex64([1j])).tolist() == [1 + 2j]
    assert K.fuse(lambda a: a + a)(np.array([True])).tolist() == [True]
    assert K.fuse(lambda a, b: a * b)(np.arange(3), np.arange(3)).tolist() == [0, 1, 4]
    with pytest.raises(ValueError, match="broadcast"):
        K.fuse(lambda a, b: a + b)(np.ones(3, np.float32), np.ones(4, np.float32))
    with pytest.raises(ZeroDivisionError):
        K.fuse(lambda a: a * (1 / 0))(np.ones(3, np.float32))


def test_kernels_give_symbols_for_symbols():
    program = expression.Trace((False, False))
    a, b = expression.Symbol(program, 0), expression.Symbol(program, 1)
    for name, arity in expression.ARITY.items():
        out = getattr(K, name)(*(a, b, 1.0)[:arity])
        assert out.__class__ is expression.Symbol, name
    with pytest.raises(expression.Untraceable):
        bool(a > b)


def test_common_subexpressions_are_traced_once():
    _, code, registers, _ = expression.trace(FORMULAS["shared"], (False,))
    assert [step[0] for step in code] == ["exp", "add", "sub", "mul"]
    assert registers <= 4


def test_formula_is_freed():
    class Big:
        pass

    big = Big()
    freed = []
    weakref.finalize(big, freed.append, True)
    fused = K.fuse(lambda a, big=big: a + 1.0)
    fused(np.ones(2, np.float32))
    del fused, big
    gc.collect()
    assert freed


# ---- the machinery ---------------------------------------------------------------------------------------------------


def test_threads_change_nothing():
    a = np.random.default_rng(8).standard_normal(300_000).astype(np.float32)
    before = K.get_num_threads()
    formula = K.fuse(FORMULAS["gelu"])
    try:
        K.set_num_threads(1)
        one = K.exp(a), formula(a), K.add(a, a[:1])
        K.set_num_threads(3)
        for x, y in zip(one, (K.exp(a), formula(a), K.add(a, a[:1])), strict=True):
            np.testing.assert_array_equal(x, y)
    finally:
        K.set_num_threads(before)
    with pytest.raises(RuntimeError, match="positive"):
        K.set_num_threads(0)


def test_many_callers_at_once():
    a = np.random.default_rng(9).standard_normal(100_000).astype(np.float32)
    expected = K.tanh(a)
    wrong = []

    def work():
        wrong.extend(1 for _ in range(50) if not np.array_equal(K.tanh(a), expected))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


def run_python(code, **environment):
    result = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **environment}, capture_output=True, text=True, timeout=60
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


@needs_native
@pytest.mark.parametrize("isa", ["baseline", "avx2", "avx512"])
def test_every_instruction_set(isa):
    code = """
import numpy as np
from rushlight.backend import kernels as K
a = np.linspace(-20, 20, 1003, dtype=np.float32)
for name in ("exp", "tanh", "sin", "cos", "expm1"):
    exact = getattr(np, name)(a.astype(float))
    unit = np.spacing(np.abs(exact).astype(np.float32))
    assert (np.abs(getattr(K, name)(a) - exact) <= 2.5 * unit + 1e-9).all(), name
assert np.allclose(K.sum(a), a.astype(float).sum(), atol=1e-3)
assert np.array_equal(K.amax(a), a.max()) and np.array_equal(K.add(a, a), a + a)
print(K.info()["isa"])
"""
    assert run_python(code, RUSHLIGHT_ISA=isa) in ("baseline", "avx2", isa)


def test_numpy_alone():
    code = """
import numpy as np
from rushlight.backend import kernels as K
a = np.float32([1, 2])
assert K.fuse(lambda a: a * 2.0)(a).tolist() == [2, 4] and K.add(a, 1.0).tolist() == [2, 3]
print(K.info()["native"], K.memory_stats(), K.get_num_threads())
"""
    assert run_python(code, RUSHLIGHT_NATIVE="0").startswith("False {}")


@needs_native
def test_forked_child_computes():
    code = """
import os, numpy as np
from rushlight.backend import kernels as K
a = np.ones(1_000_000, np.float32)
K.set_num_threads(2)
K.exp(a)
pid = os.fork()
if pid == 0:
    ok = K.get_num_threads() == 1 and K.add(a, a)[0] == 2
    K.set_num_threads(2)
    os._exit(0 if ok and K.exp(a)[5] > 2 else 1)
print(os.waitpid(pid, 0)[1])
"""
    assert run_python(code) == "0"


@needs_native
@pytest.mark.skipif(os.environ.get("RUSHLIGHT_ALLOCATOR") == "0", reason="needs the allocator")
def test_allocator():
    def data(a):
        return a.__array_interface__["data"][0]

    K.empty_cache()
    assert K.memory_stats()["kept"] == 0
    for n in (1, 100, 100_000, 3_000_000):
        assert data(np.empty(n, np.float32)) % 64 == 0
    assert K.memory_stats()["kept"] > 12_000_000
    assert not np.zeros(3_000_000, np.float32).any()
    before = K.memory_stats()
    a = np.empty(3_000_000, np.float32)
    after = K.memory_stats()
    assert after["hits"] > before["hits"]
    assert after["used"] - before["used"] > 12_000_000
    a[:] = 1
    a.resize(4_000_000, refcheck=False)
    assert a[2_999_999] == 1
    assert a[-1] == 0
    del a
    K.empty_cache()
    assert K.memory_stats()["kept"] == 0
    assert K.memory_stats()["used"] < before["used"] + 1_000_000

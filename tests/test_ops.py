"""Every operator, on the samples of `samples*.py`: against PyTorch, NumPy, finite differences, and itself."""

from __future__ import annotations

import operator
import warnings

import numpy as np
import pytest

import rushlight as rl
import samples
from rushlight.autograd import gradcheck, gradgradcheck
from samples import POINTS, Sample

OPERATORS = samples.load()
EVERY = sorted(OPERATORS)


def select(**wanted):
    return [name for name in EVERY if all(bool(getattr(OPERATORS[name], k)) == v for k, v in wanted.items())]


# ---- replaying a sample ---------------------------------------------------------------------------------------------


def tensors(value, package, dtype=None, grad=False, layout=lambda a: a):
    """`value` with its arrays as tensors of a package; floating-point ones in `dtype`."""
    if isinstance(value, np.ndarray):
        a = layout(value)
        if dtype is not None and a.dtype.kind == "f" and dtype != "bfloat16":
            a = a.astype(dtype)
        x = package.from_numpy(a.copy() if layout is plain else a)
        if dtype == "bfloat16" and value.dtype.kind == "f":
            x = x.to(package.bfloat16)
        return x.requires_grad_() if grad and (x.is_floating_point() or x.is_complex()) else x
    if isinstance(value, (list, tuple)):
        return type(value)(tensors(v, package, dtype, grad, layout) for v in value)
    return value


def plain(a):
    return a


def gapped(a):
    """The same numbers with gaps and reversed axes in memory."""
    return np.repeat(a, 2, axis=-1).T.copy().T[..., ::2] if a.ndim else a


def flat(value):
    """The tensors in a result."""
    if hasattr(value, "requires_grad"):
        return [value]
    if isinstance(value, (list, tuple)):
        return [x for v in value for x in flat(v)]
    return []


def array(x):
    return (
        x.detach().to((type(x).__module__ and x).dtype).numpy(force=True)
        if str(x.dtype) != "torch.bfloat16"
        else x.detach().float().numpy(force=True)
    )


def outcome(function, sample, package, dtype=None, grad=False, layout=plain, cotangents=None):
    """(results, gradients, plain values) of a call in a package, or the exception's type name."""
    args = tensors(sample.args, package, dtype, grad, layout)
    kwargs = {k: tensors(v, package, dtype, grad, layout) for k, v in sample.kwargs.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            result = function(*args, **kwargs)
        except Exception as error:
            return type(error).__name__
        results = flat(result)
        gradients = []
        if grad:
            leaves = [x for x in flat([args, list(kwargs.values())]) if x.requires_grad]
            roots = [
                (y, c) for y, c in zip(results, cotangents or [None] * len(results), strict=True) if y.requires_grad
            ]
            if roots and leaves:
                seeds = [package.from_numpy(np.asarray(c)).to(y.dtype) for y, c in roots]
                found = package.autograd.grad([y for y, _ in roots], leaves, seeds, allow_unused=True)
                gradients = [np.zeros(x.shape) if g is None else array(g) for g, x in zip(found, leaves, strict=True)]
    values = [(tuple(y.shape), str(y.dtype), array(y)) for y in results]
    return values, gradients, None if results else result


def seeds(outcome_of_torch):
    rng = np.random.default_rng(7)
    return [
        rng.standard_normal(a.shape) + (1j * rng.standard_normal(a.shape) if a.dtype.kind == "c" else 0)
        for _, _, a in outcome_of_torch[0]
    ]


def compare(mine, theirs, tolerance, sample, what="result"):
    if isinstance(theirs, str) or isinstance(mine, str):
        assert mine == theirs, f"{sample}: {mine} instead of {theirs}"
        return
    assert [v[:2] for v in mine[0]] == [v[:2] for v in theirs[0]], f"{sample}: shape and dtype"
    assert mine[2] == theirs[2], sample
    for (_, _, a), (_, _, b) in zip(mine[0], theirs[0], strict=True):
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance, equal_nan=True, err_msg=f"{sample}: {what}")
    for a, b in zip(mine[1], theirs[1], strict=True):
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance, equal_nan=True, err_msg=f"{sample}: gradient")


TOLERANCE = {"float32": 3e-5, "float16": 2e-3, "bfloat16": 2e-2}


# ---- against PyTorch ------------------------------------------------------------------------------------------------


@pytest.mark.oracle
@pytest.mark.parametrize("name", EVERY)
def test_value_dtype_and_gradient_are_pytorchs(name):
    torch = pytest.importorskip("torch")
    op = OPERATORS[name]
    mine, theirs = op.of(rl), op.of(torch)
    for sample in op.samples():
        for dtype in ("float64", "float32"):
            wanted = outcome(theirs, sample, torch, dtype)
            cotangents = None if isinstance(wanted, str) else seeds(wanted)
            if op.differentiable and cotangents is not None:
                wanted = outcome(theirs, sample, torch, dtype, True, cotangents=cotangents)
            got = outcome(mine, sample, rl, dtype, op.differentiable, cotangents=cotangents)
            if op.random:
                assert [v[:2] for v in got[0]] == [v[:2] for v in wanted[0]]
            else:
                compare(got, wanted, max(op.tolerance, TOLERANCE.get(dtype, 0)), (sample, dtype))


@pytest.mark.oracle
@pytest.mark.parametrize("name", [n for n in EVERY if OPERATORS[n].dtypes and not OPERATORS[n].random])
def test_other_dtypes_are_computed_or_refused_alike(name):
    torch = pytest.importorskip("torch")
    op = OPERATORS[name]
    sample = op.samples()[0]
    for dtype in op.dtypes:
        kind = dtype if dtype == "bfloat16" else np.dtype(dtype)
        typed = sample
        if dtype != "bfloat16":
            typed = Sample(
                *(_cast(v, kind) for v in sample.args), **{k: _cast(v, kind) for k, v in sample.kwargs.items()}
            )
        wanted = outcome(op.of(torch), typed, torch, "bfloat16" if dtype == "bfloat16" else None)
        got = outcome(op.of(rl), typed, rl, "bfloat16" if dtype == "bfloat16" else None)
        compare(got, wanted, max(op.tolerance, TOLERANCE.get(dtype, 1e-5)), (sample, dtype))


def _cast(value, kind):
    if not isinstance(value, np.ndarray) or value.dtype.kind == "b":
        return value
    if kind.kind in "u":
        value = np.abs(value)
    return value.astype(kind) if value.dtype.kind == "f" or kind.kind in "fc" else value


@pytest.mark.oracle
@pytest.mark.parametrize("name", select(elementwise=True))
def test_hard_points_are_pytorchs(name):
    torch = pytest.importorskip("torch")
    op = OPERATORS[name]
    points = POINTS if op.points is None else op.points
    tensors_of_first = [a for a in op.samples()[0].args if isinstance(a, np.ndarray)]
    if len(tensors_of_first) == 2:
        a, b = np.meshgrid(points, points)
        sample = Sample(a, b)
    else:
        sample = Sample(points)
    for dtype in ("float64", "float32"):
        wanted = outcome(op.of(torch), sample, torch, dtype)
        cotangents = None if isinstance(wanted, str) else [np.ones_like(a) for _, _, a in wanted[0]]
        wanted = outcome(op.of(torch), sample, torch, dtype, op.differentiable, cotangents=cotangents)
        got = outcome(op.of(rl), sample, rl, dtype, op.differentiable, cotangents=cotangents)
        compare(got, wanted, max(op.tolerance, TOLERANCE.get(dtype, 0)), (sample, dtype))


@pytest.mark.oracle
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", [n for n in EVERY if OPERATORS[n].out and ":" not in n])
def test_out_takes_the_result_where_pytorch_has_it(name):
    torch = pytest.importorskip("torch")
    op = OPERATORS[name]
    sample = op.samples()[0]
    plain_result = outcome(op.of(torch), sample, torch)
    if isinstance(plain_result, str) or len(plain_result[0]) != 1:
        pytest.skip("no single tensor results")
    try:
        target = torch.empty(0, dtype=getattr(torch, plain_result[0][0][1][6:]))
        op.of(torch)(*tensors(sample.args, torch), **sample.kwargs, out=target)
    except TypeError:
        pytest.skip("PyTorch has no out=")
    out = rl.empty(0, dtype=getattr(rl, plain_result[0][0][1][6:]))
    assert op.of(rl)(*tensors(sample.args, rl), **sample.kwargs, out=out) is out
    if not op.random:
        compare(([(tuple(out.shape), str(out.dtype), array(out))], [], None), plain_result, 1e-6, sample)


BINARY = [
    name
    for name in select(elementwise=True)
    if sum(isinstance(a, np.ndarray) for a in OPERATORS[name].samples()[0].args) == 2
] + ["bitwise_and", "bitwise_left_shift", "bitwise_right_shift", "gcd", "clamp_min"]


def _operands(package):
    """Tensors of several dtypes and ranks, and Python numbers."""
    tensor = package.tensor
    return [
        tensor([1, 2]), tensor([1.5, 2.0]), tensor([True, False]), tensor([1, 2], dtype=package.int8),
        tensor([1.5, 2.0], dtype=package.float64), tensor([2.0, 1.0], dtype=package.bfloat16), tensor(2), tensor(1.5),
        tensor(True), 2, 1.5, True, tensor([1.0 + 1j, 2.0]), 1j,
    ]  # fmt: skip


@pytest.mark.oracle
@pytest.mark.parametrize("name", BINARY)
def test_promotion_of_operands_is_pytorchs(name):
    torch = pytest.importorskip("torch")
    op = OPERATORS[name]
    results = []
    for package in (rl, torch):
        function, operands = op.of(package), _operands(package)
        results.append(
            [
                (i, j, outcome(function, Sample(x, y), package))
                for i, x in enumerate(operands)
                for j, y in enumerate(operands)
            ]
        )
    wrong = []
    for (i, j, mine), (_, _, theirs) in zip(*results, strict=True):
        try:
            compare(mine, theirs, 2e-2, (i, j))
        except AssertionError:
            wrong.append((_operands(rl)[i], _operands(rl)[j], mine, theirs))
    assert not wrong, f"{len(wrong)} pairs, {wrong[:6]}"


SYMBOLS = """add sub mul truediv floordiv mod pow and_ or_ xor lshift rshift eq ne lt le gt ge iadd isub imul itruediv
ifloordiv imod ipow iand ior ixor ilshift irshift neg invert pos abs""".split()


@pytest.mark.oracle
@pytest.mark.parametrize("name", SYMBOLS)
def test_python_operators_are_pytorchs(name):
    torch = pytest.importorskip("torch")
    symbol = getattr(operator, name)
    wrong = []
    for i in range(14):
        for j in range(14 if name not in ("neg", "invert", "pos", "abs") else 1):
            results = []
            for package in (rl, torch):
                operands = _operands(package)
                pair = (
                    Sample(operands[i], operands[j])
                    if name not in ("neg", "invert", "pos", "abs")
                    else Sample(operands[i])
                )
                if not any(hasattr(x, "dtype") for x in pair.args):
                    break
                results.append(outcome(symbol, pair, package))
            else:
                try:
                    compare(*results, 2e-2, pair)
                except AssertionError:
                    wrong.append((_operands(rl)[i], _operands(rl)[j], *results))
    assert not wrong, f"{len(wrong)} pairs, {wrong[:6]}"


# ---- against NumPy and finite differences ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", select(reference=True))
def test_value_is_numpys_in_double_precision(name):
    op = OPERATORS[name]
    for sample in op.samples():
        ((_, _, got),), _, _ = outcome(op.of(rl), sample, rl)
        np.testing.assert_allclose(got, op.reference(*sample.args, **sample.kwargs), rtol=1e-9, atol=1e-12)


def _leaves(value, found):
    """`value` with each floating-point array put into `found`, and a function that puts tensors back in their place."""
    if isinstance(value, np.ndarray) and value.dtype.kind in "fc":
        found.append(tensors(value, rl, None, True))
        i = len(found) - 1
        return lambda given: given[i]
    if isinstance(value, (list, tuple)):
        parts = [_leaves(v, found) for v in value]
        return lambda given: type(value)(part(given) for part in parts)
    constant = tensors(value, rl)
    return lambda given: constant


def _check_gradients(name, check):
    op = OPERATORS[name]
    operator = op.of(rl)
    done = 0
    for sample in op.samples():
        leaves = []
        args, kwargs = _leaves(sample.args, leaves), {k: _leaves(v, leaves) for k, v in sample.kwargs.items()}
        if not leaves or any(x.numel() == 0 or not x.isfinite().all() for x in leaves):
            continue

        def function(*given, args=args, kwargs=kwargs):
            return operator(*args(given), **{k: v(given) for k, v in kwargs.items()})

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            results = [y for y in flat(function(*leaves)) if y.requires_grad]
            if not results or not all(y.isfinite().all() for y in results):
                continue
            assert check(function, tuple(leaves)), sample
        done += 1
        if done == 3:
            break


@pytest.mark.parametrize("name", select(differentiable=True, random=False))
def test_gradients_agree_with_finite_differences(name):
    _check_gradients(name, gradcheck)


@pytest.mark.parametrize("name", select(differentiable=True, random=False, second=True))
def test_second_derivatives_agree_with_finite_differences(name):
    _check_gradients(name, gradgradcheck)


MASKED = {
    "clamp": lambda x: x.clamp(0, 1),
    "relu": lambda x: x.relu(),
    "where": lambda x: rl.where(x > 0, x, 0.0),
    "maximum": lambda x: rl.maximum(x, rl.zeros(2)),
    "hardtanh": lambda x: rl.nn.functional.hardtanh(x, 0.0, 1.0),
}


@pytest.mark.parametrize("name", MASKED)
def test_what_was_masked_gets_no_gradient_from_an_infinite_cotangent(name):
    x = rl.tensor([-2.0, 0.5], requires_grad=True)
    MASKED[name](x).backward(rl.tensor([np.inf, np.inf]))
    assert x.grad.tolist() == [0.0, np.inf]


# ---- against itself -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", select(random=False, layout=True))
def test_memory_layout_does_not_matter(name):
    op = OPERATORS[name]
    for sample in op.samples():
        wanted, got = (outcome(op.of(rl), sample, rl, None, False, layout) for layout in (plain, gapped))
        compare(got, wanted, 1e-12, sample)


@pytest.mark.parametrize("name", [n for n in select(random=False) if hasattr(rl.Tensor, f"{n}_")])
def test_in_place_equals_out_of_place(name):
    op = OPERATORS[name]
    in_place = getattr(rl.Tensor, f"{name}_")
    for sample in op.samples():
        if not isinstance(sample.args[0], np.ndarray):
            continue
        wanted = outcome(op.of(rl), sample, rl)
        if isinstance(wanted, str) or wanted[0][0][0] != sample.args[0].shape:
            continue

        def run(x, *args, **kwargs):
            x = x.clone() if x.requires_grad else x
            version = x._version
            y = in_place(x, *args, **kwargs)
            assert y is x
            assert x._version > version or not op.elementwise
            return y

        differentiable = op.differentiable and wanted[0][0][1] == f"torch.{sample.args[0].dtype}"
        cotangents = seeds(wanted)
        wanted = outcome(op.of(rl), sample, rl, None, differentiable, cotangents=cotangents)
        got = outcome(run, sample, rl, None, differentiable, cotangents=cotangents)
        if wanted[0][0][1] != f"torch.{sample.args[0].dtype}":
            continue  # the result is cast back, or refused
        compare(got, wanted, 1e-12, sample)


# ---- completeness ---------------------------------------------------------------------------------------------------

# What takes the memory of others has no samples but the test below.
ELSEWHERE = {"from_numpy", "from_dlpack", "frombuffer"}


@pytest.mark.parametrize("name", sorted(ELSEWHERE))
def test_memory_of_others_is_shared(name):
    a = np.array([1.0, 2.0], np.float32)
    x = rl.frombuffer(a, dtype=rl.float32) if name == "frombuffer" else getattr(rl, name)(a)
    a[0] = 5
    assert x.dtype is rl.float32
    assert x.tolist() == [5.0, 2.0]


def test_every_operator_has_samples():
    rl.ops.later.load_all()
    covered = {id(OPERATORS[name].of(rl)) for name in EVERY}
    names = {name.split(":")[0] for name in EVERY} | ELSEWHERE
    missing = [
        name
        for name, function in rl.ops.FUNCTIONS.items()
        if callable(function)
        and not name.startswith("_")
        and not isinstance(function, type)
        and not name.endswith(("_", "Tensor"))
        and name not in names
        and id(function) not in covered
    ]
    assert not missing, f"add samples of {sorted(missing)} to tests/samples_*.py"

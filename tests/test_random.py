"""Random streams: for one seed the numbers, layouts, states and errors are PyTorch's, bit for bit."""

import copy
import pickle
import threading
import warnings

import numpy as np
import pytest

import rushlight
from rushlight.backend import kernels, streams
from rushlight.backend.numpy import mt19937
from rushlight.backend.numpy import random as reference
from rushlight.generator import Generator

torch = pytest.importorskip("torch")

BACKENDS = ("numpy", "native")


@pytest.fixture(params=BACKENDS, autouse=True)
def backend(request, monkeypatch):
    """Every test runs on the NumPy kernels, and on the native ones where they are built."""
    if request.param == "numpy":
        for name in reference.__all__:
            monkeypatch.setattr(kernels, name, getattr(reference, name))
    elif kernels.mt_normal_ is reference.mt_normal_:
        pytest.skip("the extension is not built")
    return request.param


def array(x):
    x = x.detach()
    return x.float().numpy() if "bfloat16" in str(x.dtype) else x.numpy()


def outcome(library, code, seed=5):
    """What the code gives in a library, the warnings on the way, and what the default generator draws next."""
    library.manual_seed(seed)
    names = {"torch": library, "gen": library.Generator().manual_seed(9), "np": np}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            value = eval(code, names)
        except Exception as error:
            value = f"{type(error).__name__}: {str(error).splitlines()[0]}"
    after = library.rand(2).tolist() + library.randn(1).tolist()
    return value, [str(w.message)[:60] for w in caught], after


def assert_same(expected, got):
    if isinstance(expected, tuple):
        for one, other in zip(expected, got, strict=True):
            assert_same(one, other)
    elif isinstance(expected, torch.Tensor):
        assert isinstance(got, rushlight.Tensor), got
        assert str(got.dtype) == str(expected.dtype)
        assert tuple(got.shape) == tuple(expected.shape)
        assert got.stride() == expected.stride()
        assert got.requires_grad == expected.requires_grad
        np.testing.assert_array_equal(array(got), array(expected))
    else:
        assert got == expected


def check(code, seed=5, after=True):
    expected, got = outcome(torch, code, seed), outcome(rushlight, code, seed)
    assert_same(expected[0], got[0])
    assert got[1] == expected[1]
    if after:
        assert got[2] == expected[2]


FLOATS = ("float16", "bfloat16", "float32", "float64")
COMPLEXES = ("complex64", "complex128")
INTEGERS = ("uint8", "int8", "int16", "int32", "int64", "bool")
LAYOUTS = (
    "torch.empty({n}, dtype=torch.{d})",
    "torch.empty({n}, 3, dtype=torch.{d}).t()",
    "torch.empty(2, {n}, 4, dtype=torch.{d}).permute(2, 0, 1)",
    "torch.empty({n}, 6, dtype=torch.{d})[:, ::2]",
    "torch.empty(2, 3, {n}, 2, dtype=torch.{d}).to(memory_format=torch.channels_last)",
)


# ---- the engine -----------------------------------------------------------------------------------------------------


def test_the_words_are_the_published_ones():
    mt = np.empty(mt19937.N + 1, np.uint32)
    mt19937.seed_(mt, 5489)
    words = mt19937.mt_words(mt, 10000)
    assert words[0] == 3499211612
    assert words[-1] == 4123659995  # the value that the C++ standard asks of std::mt19937


@pytest.mark.parametrize("counts", [(1, 623, 1, 624), (625, 30000, 7), (19999, 20001)])
def test_long_runs_go_on_where_short_ones_stop(counts):
    a, b = np.empty(625, np.uint32), np.empty(625, np.uint32)
    mt19937.seed_(a, 1), mt19937.seed_(b, 1)
    in_parts = np.concatenate([mt19937.mt_words(a, n) for n in counts])
    singly = np.concatenate([mt19937.mt_words(b, 1) for _ in range(sum(counts))])
    np.testing.assert_array_equal(in_parts, singly)
    np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("seed", [0, 42, 2**32 + 7, 2**63 + 5, -3])
def test_seeds(seed):
    check("torch.rand(777)", seed)
    check("torch.rand(777, dtype=torch.float64)", seed)
    check("torch.initial_seed()", seed)


def test_fused_multiply_adds_round_once():
    from fractions import Fraction

    random = np.random.default_rng(0)
    for fma, kind in ((reference.fma32, np.float32), (reference.fma64, np.float64)):
        a, b = random.standard_normal((2, 2000)).astype(kind)
        c = (-a * b * random.choice([1, 1 + 2.0**-20, 0.3, 1e5, 1e-9], 2000)).astype(kind)
        exact = [Fraction(float(x)) * Fraction(float(y)) + Fraction(float(z)) for x, y, z in zip(a, b, c, strict=True)]
        got = fma(a, b, c)
        neighbours = np.stack([np.nextafter(got, kind(-np.inf)), got, np.nextafter(got, kind(np.inf))])
        for want, below, value, above in zip(exact, *neighbours.tolist(), strict=True):
            distance = abs(Fraction(value) - want)
            assert distance <= min(abs(Fraction(below) - want), abs(Fraction(above) - want))


# ---- fills ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("n", [1, 7, 16, 33])
@pytest.mark.parametrize("d", FLOATS + COMPLEXES)
def test_uniform_and_normal(layout, n, d):
    target = layout.format(n=n, d=d)
    for call in ("uniform_()", "uniform_(-.3, .7)", "normal_()", "normal_(1.7, .3)"):
        check(f"{target}.{call}")


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("d", FLOATS)
def test_continuous_distributions(layout, d):
    target = layout.format(n=19, d=d)
    for call in ("exponential_(1.7)", "cauchy_(.1, 2.)", "log_normal_(.1, .2)", "geometric_(.1)"):
        check(f"{target}.{call}")


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("d", INTEGERS + FLOATS)
def test_whole_numbers(layout, d):
    target = layout.format(n=19, d=d)
    for call in ("bernoulli_(.37)", "bernoulli_(torch.tensor(.37))", "random_()", "random_(2)"):
        check(f"{target}.{call}")


@pytest.mark.parametrize("d", FLOATS + COMPLEXES)
@pytest.mark.parametrize("n", [15, 16, 17, 31, 32, 1003, 70001])
def test_long_fills(n, d):
    check(f"torch.randn({n}, dtype=torch.{d})")
    check(f"torch.empty({n}, dtype=torch.{d}).uniform_(-1, 2)")


def test_a_spare_normal_waits():
    check("(torch.randn(1), torch.rand(2), torch.randn(40), torch.randn(1), torch.randn(3), torch.randn(2))")


@pytest.mark.parametrize("d", FLOATS)
@pytest.mark.parametrize(
    "limits",
    ["0, 2**30", "0, 5000", "2**24, 2**24 + 10", "-2**25 - 1, 3", "3000, 5001", "16777217, 16777219", "257, 300",
     "2**54 + 1, 2**54 + 99", "0, None", "-5, None", "5, None"],
)  # fmt: skip
def test_floats_count_only_so_far(d, limits):
    check(f"torch.empty(100, dtype=torch.{d}).random_({limits})")


CALLS = """
torch.rand(3, 4)
torch.rand((3, 4))
torch.rand([3, 4], generator=gen)
torch.rand(torch.Size([2]), dtype=torch.float64)
torch.rand(size=(2,))
torch.rand(())
torch.rand(2, requires_grad=True)
torch.rand(3, 4, out=torch.empty(4, 3).t())
torch.rand(2, out=torch.empty(3))
torch.randn(3, 40, dtype=torch.bfloat16, generator=gen)
torch.rand_like(torch.ones(3, 4).t())
torch.randn_like(torch.ones(30, 4).t(), generator=gen)
torch.rand_like(torch.ones(2, dtype=torch.int64), dtype=torch.float32)
torch.randint(10, (3, 4), generator=gen)
torch.randint(0, 2**40, (3, 4))
torch.randint(0, 2**28 - 1, (50,))
torch.randint(0, 2**28, (50,))
torch.randint(-2**63, 2**63 - 1, (50,))
torch.randint(low=1, high=5, size=(2,))
torch.randint(high=5, size=(2,))
torch.randint(0, 10, (3,), dtype=torch.uint16)
torch.randint(0, 10, (3,), out=torch.empty(3, dtype=torch.int32))
torch.randint_like(torch.ones(3, 4).t(), 3, 9)
torch.randint_like(torch.ones(2, dtype=torch.int64), 5, dtype=torch.float32)
torch.randperm(1)
torch.randperm(70000)
torch.randperm(100, dtype=torch.int32, generator=gen)
torch.randperm(100, dtype=torch.float64)
torch.randperm(3, out=torch.empty(5, dtype=torch.int32))
torch.normal(0., 1., (20,), dtype=torch.float64, generator=gen)
torch.normal(torch.zeros(4, 5).t(), 2.0)
torch.normal(torch.arange(40.), torch.arange(40.) / 7)
torch.normal(torch.arange(40.), .37)
torch.normal(.37, torch.arange(40.).double() / 7)
torch.normal(torch.arange(40.).double() / 3, torch.arange(40.) / 7)
torch.normal(torch.arange(40.) / 3, torch.arange(40.).double() / 7)
torch.normal(torch.arange(40.)[:, None], torch.arange(3.) / 7)
torch.normal(torch.zeros(20, dtype=torch.complex64), 1.)
torch.normal(torch.zeros(3))
torch.bernoulli(torch.arange(12.).reshape(3, 4).t() / 12)
torch.bernoulli(torch.arange(12).reshape(3, 4).t(), .3)
torch.bernoulli(torch.arange(12.).double() / 12)
torch.zeros(3, 4).t().bernoulli_(torch.rand(3))
torch.zeros(3, 4).t().bernoulli_(torch.rand(4, 1).double())
torch.multinomial(torch.rand(5, 20), 1)
torch.multinomial(torch.rand(5, 20), 4)
torch.multinomial(torch.rand(5, 20), 40, True)
torch.multinomial(torch.rand(20, 5).t(), 4)
torch.multinomial(torch.rand(20).half(), 40, True)
torch.multinomial(torch.rand(20).bfloat16(), 4)
torch.multinomial(torch.rand(20).double(), 40, True, generator=gen)
torch.poisson(torch.arange(400.) / 20)
torch.poisson(torch.arange(400.).double() * 3, gen)
torch.poisson(torch.arange(40.).half())
torch.binomial(torch.full((400,), 20.), torch.rand(400))
torch.binomial(torch.arange(400.).double(), torch.rand(400).double())
torch._standard_gamma(torch.rand(400) * 4)
torch._standard_gamma(torch.rand(400).double() * 4)
torch.binomial(torch.tensor([0., -1., 10., float('inf'), 10.]), torch.tensor([.5, .5, 1.5, .5, float('nan')]))
torch._sample_dirichlet(torch.rand(400, 4) * .1)
torch._standard_gamma(torch.tensor([0., -1., float('inf'), float('nan'), 1e-6]))
torch.dropout(torch.rand(5, 20), .3, True)
torch.dropout(torch.rand(5, 20).t(), .3, True)
torch.dropout(torch.rand(5, 20).half(), .3, True)
torch.dropout(torch.rand(5, 20).bfloat16(), .7, True)
torch.dropout(torch.rand(5, 20).double(), .3, True)
torch.dropout(torch.tensor([float('inf'), float('nan'), 1, 2]), .5, True)
torch.dropout(torch.ones(3), 0., True)
torch.dropout(torch.ones(3), 1., True)
torch.dropout(torch.ones(3), .5, False)
torch.dropout_(torch.rand(5, 20), .3, True)
torch.feature_dropout(torch.rand(5, 20, 3), .3, True)
torch.alpha_dropout(torch.rand(5, 20), .3, True)
torch.feature_alpha_dropout(torch.rand(5, 20, 3), .3, True)
torch.native_dropout(torch.rand(5, 20), .3, True)
torch.native_dropout(torch.ones(3), 0., True)
torch.native_dropout(torch.ones(3), .5, False)
torch.empty(10000).uniform_(1000, 1000.001)
torch.empty(64).normal_(3, 0)
torch.empty(10).random_(-2**63, None)
torch.Tensor.uniform_(torch.zeros(2), **{'from': 3, 'to': 5})
torch.zeros(2).uniform_(torch.tensor(1.), torch.tensor(2.))
torch.zeros(2).random_(to=5)
torch.zeros(2).bernoulli_(generator=gen)
torch.zeros(2).exponential_(lambd=2)
torch.get_rng_state()
torch.Generator().get_state()
torch.Generator().initial_seed()
gen.manual_seed(-3).initial_seed()
"""


@pytest.mark.parametrize("code", CALLS.strip().splitlines())
def test_calls(code):
    check(code)


ERRORS = """
torch.zeros(3).uniform_(2, 1)
torch.zeros(3).uniform_(1.23456789, 1.2)
torch.zeros(3).uniform_(0, float('inf'))
torch.zeros(3).uniform_(-3.4e38, 3.4e38)
torch.zeros(3).uniform_('a')
torch.zeros(3, dtype=torch.float16).uniform_(0, 1e6)
torch.zeros(3, dtype=torch.bfloat16).uniform_(-3e38, 3.5e38)
torch.zeros(3, dtype=torch.int64).uniform_()
torch.zeros(3, dtype=torch.int64).normal_()
torch.zeros(3).normal_(0, -1)
torch.zeros(3).normal_(0, float('nan'))
torch.zeros(3).bernoulli_(1.5)
torch.zeros(3, dtype=torch.complex64).bernoulli_(.5)
torch.zeros(3).bernoulli_(torch.tensor([5, 1, 1]))
torch.bernoulli(torch.tensor([1]))
torch.bernoulli(torch.tensor([1.5]))
torch.bernoulli(torch.tensor([.5, .5]), p=2)
torch.multinomial(torch.tensor([.5, .5]), 3)
torch.multinomial(torch.tensor([.5, -.5]), 1)
torch.multinomial(torch.tensor([0., 0.]), 2, True)
torch.multinomial(torch.tensor([1, 1]), 1)
torch.multinomial(torch.rand(2, 2, 2), 1)
torch.multinomial(torch.rand(2), 0)
torch.multinomial(torch.tensor([.5, float('nan')]), 1)
torch.multinomial(torch.tensor([.5, float('inf')]), 2, True)
torch.multinomial(torch.tensor([.5, -.5]), 2, True)
torch.multinomial(torch.tensor([.5, .5]), 1, out=torch.empty(1))
torch.multinomial(torch.tensor([.1, .2]), num_samples=1.0)
torch.randperm(-1)
torch.randperm(3.0)
torch.randperm(300, dtype=torch.uint8)
torch.randperm(3000, dtype=torch.float16)
torch.randperm(3, dtype=torch.bool)
torch.randint(0, 10)
torch.randint(0, (3,))
torch.randint(5, 3, (3,))
torch.randint(0, 300, (3,), dtype=torch.uint8)
torch.randint(-300, 300, (3,), dtype=torch.int8)
torch.randint(0, 10, 3)
torch.randint(0, 3, (3,), dtype=torch.bool)
torch.randint(0, 10, (3,), dtype=torch.complex64)
torch.randint(1.0, 5, (2,))
torch.randint(3, (2,), requires_grad=True)
torch.zeros(3).random_(0)
torch.zeros(3).random_(2, 2)
torch.zeros(3).random_(2**63)
torch.zeros(3, dtype=torch.uint8).random_(-5, 5)
torch.zeros(3, dtype=torch.uint8).random_(-5, None)
torch.zeros(3, dtype=torch.int32).random_(-2**63, None)
torch.zeros(3, dtype=torch.float16).random_(-2**63, None)
torch.zeros(3, dtype=torch.complex64).random_()
torch.zeros(3, dtype=torch.uint16).random_()
torch.zeros(3).exponential_(0)
torch.zeros(3, dtype=torch.int64).exponential_()
torch.zeros(3).geometric_(1)
torch.zeros(3, dtype=torch.bool).geometric_(.1)
torch.zeros(3).cauchy_(0, 0)
torch.zeros(3, dtype=torch.int64).cauchy_()
torch.zeros(3).log_normal_(0, 0)
torch.zeros(3, dtype=torch.int64).log_normal_()
torch.normal(0., 1.)
torch.normal(0., -1., (3,))
torch.normal(torch.zeros(3), torch.tensor([-1., 1, 1]))
torch.normal(torch.zeros(3), torch.ones(2))
torch.normal(torch.zeros(3, dtype=torch.int64), 1.0)
torch.normal(0., torch.ones(3, dtype=torch.complex64))
torch.poisson(torch.tensor([-1.]))
torch.poisson(torch.tensor([1]))
torch.binomial(torch.tensor([10]), torch.tensor([.5]))
torch.binomial(torch.tensor([10.]), torch.tensor([.5], dtype=torch.float64))
torch.rand(2, dtype=torch.int64)
torch.rand(-1)
torch.rand()
torch.rand(2, out=torch.empty(2), dtype=torch.float64)
torch.rand(2, device='cuda')
torch.randn(2, dtype=torch.int64)
torch.rand_like(torch.ones(2, dtype=torch.int64))
torch.ones(3).expand(2, 3).uniform_()
torch.ones(3, requires_grad=True).uniform_()
torch.dropout(torch.ones(3), 1.5, True)
torch.feature_dropout(torch.ones(3), .5, True)
torch.feature_alpha_dropout(torch.ones(3), .5, True)
torch.dropout(torch.ones(3, dtype=torch.complex64), .5, True)
torch.Generator(device='meta')
torch.Generator().manual_seed(2**64)
torch.Generator().manual_seed(1.5)
torch.Generator().manual_seed(True)
torch.Generator().get_offset()
torch.Generator().graphsafe_get_state()
torch.Generator().set_state(None)
torch.manual_seed('a')
torch.set_rng_state(torch.zeros(5, dtype=torch.uint8))
torch.set_rng_state(torch.zeros(5056, dtype=torch.uint8))
torch.set_rng_state(torch.zeros(5056, dtype=torch.float32))
"""


@pytest.mark.parametrize("code", ERRORS.strip().splitlines())
def test_errors(code):
    expected, got = outcome(torch, code)[0], outcome(rushlight, code)[0]
    assert isinstance(expected, str), "PyTorch raises nothing"
    assert got == expected


def test_a_generator_must_be_one():
    with pytest.raises(TypeError, match=r"argument 'generator' must be torch\.Generator, not int"):
        rushlight.rand(2, generator=5)


def test_cuda_generators_are_refused():
    with pytest.raises(RuntimeError, match="Cannot get CUDA generator without ATen_cuda library"):
        rushlight.Generator("cuda")


# ---- states ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("steps", ["", "rand(1)", "rand(624)", "rand(700)", "randn(3)", "randn(1); rand(623)"])
def test_states_are_pytorchs_bytes_and_go_both_ways(steps):
    for library in (torch, rushlight):
        library.manual_seed(123)
        for step in filter(None, steps.split("; ")):
            eval(f"library.{step}")
    state = torch.get_rng_state().numpy()
    np.testing.assert_array_equal(rushlight.get_rng_state().numpy(), state)
    ours = Generator().set_state(rushlight.tensor(state))
    theirs = torch.Generator().set_state(torch.from_numpy(rushlight.get_rng_state().numpy()))
    for name, n in (("rand", 700), ("randn", 1), ("randn", 40)):
        a, b = getattr(torch, name)(n, generator=theirs), getattr(rushlight, name)(n, generator=ours)
        np.testing.assert_array_equal(b.numpy(), a.numpy())


def test_clones_and_copies_go_on_alike():
    gen = Generator().manual_seed(3)
    rushlight.randn(3, generator=gen)
    twins = [gen.clone_state(), copy.deepcopy(gen), pickle.loads(pickle.dumps(gen))]
    expected = rushlight.randn(5, generator=gen).tolist()
    for twin in twins:
        assert twin.initial_seed() == 3
        assert rushlight.randn(5, generator=twin).tolist() == expected


def test_fork_rng_puts_the_generator_back():
    rushlight.manual_seed(1)
    with rushlight.random.fork_rng():
        first = rushlight.rand(3).tolist()
    with rushlight.random.fork_rng(enabled=False):
        assert rushlight.rand(3).tolist() == first
    assert rushlight.rand(3).tolist() != first


def test_seed_is_new_each_time():
    gen = Generator()
    assert gen.seed() != gen.seed()
    assert gen.initial_seed() >= 0


def test_threads_share_a_generator_without_losing_a_draw():
    gen = Generator().manual_seed(0)
    drawn = []
    workers = [
        threading.Thread(target=lambda: drawn.append(rushlight.rand(40_000, generator=gen).numpy())) for _ in range(4)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    serial = rushlight.rand(160_000, generator=Generator().manual_seed(0)).numpy().reshape(4, -1)
    np.testing.assert_array_equal(np.array(sorted(drawn, key=lambda a: a[0])), serial[serial[:, 0].argsort()])


# ---- gradients ------------------------------------------------------------------------------------------------------

GRADIENTS = """
x.clone().uniform_()
x.clone().normal_()
x.clone().random_()
x.clone().random_(5)
x.clone().random_(2, 5)
x.clone().bernoulli_(.5)
x.clone().bernoulli_(torch.tensor(.5))
x.clone().exponential_()
torch.bernoulli(x)
torch.poisson(x)
torch.normal(x, 1.)
torch.normal(1., x)
torch.normal(x, x[:, :1])
torch.dropout(x, .5, True)
torch.dropout(x, 1., True)
torch.dropout(x, .5, False)
torch.alpha_dropout(x, .5, True)
torch.feature_dropout(x, .5, True)
torch.feature_alpha_dropout(x, .5, True)
torch.native_dropout(x, .5, True)[0]
torch.dropout_(x.clone(), .5, True)
"""


@pytest.mark.parametrize("code", GRADIENTS.strip().splitlines())
def test_gradients(code):
    results = []
    for library in (torch, rushlight):
        library.manual_seed(4)
        x = library.rand(5, 6, requires_grad=True)
        y = eval(code, {"torch": library, "x": x})
        (y * library.arange(30.0).reshape(5, 6)).sum().backward()
        results.append((type(y.grad_fn).__name__, y.detach().numpy(), x.grad.numpy()))
    assert results[1][0] == results[0][0]
    np.testing.assert_array_equal(results[1][1], results[0][1])
    np.testing.assert_allclose(results[1][2], results[0][2], rtol=1e-6)


@pytest.mark.parametrize("code", ["torch.binomial(x * 5, x)", "torch.bernoulli(x, .5)"])
def test_missing_derivatives_say_so(code):
    errors = []
    for library in (torch, rushlight):
        x = library.rand(3, requires_grad=True)
        y = eval(code, {"torch": library, "x": x})
        with pytest.raises(RuntimeError) as error:
            y.sum().backward()
        errors.append(str(error.value))
    assert errors[1] == errors[0]


def test_dropout_keeps_the_mean():
    rushlight.manual_seed(0)
    y = rushlight.dropout(rushlight.ones(200_000), 0.2, True).numpy()
    assert abs(y.mean() - 1) < 0.01
    assert abs((y == 0).mean() - 0.2) < 0.005


# ---- native against the reference -----------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", ["native"], indirect=True)
@pytest.mark.parametrize("n", [16, 623, 624, 1024, 40_000])
@pytest.mark.parametrize(
    ("name", "dtype", "arguments"),
    [
        ("mt_uniform_", "f4", (-0.5, 2.0)), ("mt_uniform_", "f8", (-0.5, 2.0)), ("mt_bernoulli_", "?", (0.3,)),
        ("mt_integers_", "i8", (10, -3, False)), ("mt_integers_", "i8", (2**40 + 1, 5, True)),
        ("mt_integers_", "i8", (1, 5, False)), ("mt_integers_", "i8", (0, 0, True)), ("mt_permutation_", "i8", ()),
        ("mt_normal_", "f4", (0.5, 2.0)), ("mt_normal_", "f8", (0.5, 2.0)), ("mt_exponential_", "f8", (2.0,)),
        ("mt_geometric_", "f8", (0.1,)), ("mt_cauchy_", "f8", (0.1, 2.0)),
    ],
)  # fmt: skip
def test_native_kernels_are_the_reference(backend, name, dtype, arguments, n):
    results = []
    for function in (getattr(reference, name), getattr(kernels, name)):
        mt, out = np.empty(625, np.uint32), np.zeros(n, dtype)
        mt19937.seed_(mt, 7)
        function(mt, out, *arguments)
        results.append((out, mt))
    np.testing.assert_array_equal(results[0][0], results[1][0])
    np.testing.assert_array_equal(results[0][1] % 625, results[1][1] % 625)


def test_streams_fill_views_of_read_write_memory_only_where_they_should():
    base = np.zeros((4, 6), np.float32)
    streams.fill_uniform(Generator().manual_seed(1), base[1:3, ::2])
    assert (base != 0).sum() == 6
    assert (base[1:3, ::2] != 0).all()

"""Module and the containers against PyTorch's: registering, saving, hooks, casts, printing, and what is refused."""

from __future__ import annotations

import copy
import pickle
from collections import OrderedDict

import pytest

import rushlight
from nn_oracle import same

torch = pytest.importorskip("torch")


def net(T):
    class Net(T.nn.Module):
        def __init__(self):
            super().__init__()
            self.first = T.nn.Linear(2, 3)
            self.scale = T.nn.Parameter(T.ones(2))
            self.register_buffer("count", T.zeros(1))
            self.register_buffer("scratch", T.zeros(1), persistent=False)

        def forward(self, x):
            return self.first(x * self.scale)

    return Net()


def bare(T, member):
    class Bare(T.nn.Module):
        def __init__(self):
            member(self)

    return Bare()


WRONG = [
    lambda T: net(T).load_state_dict({"first.weight": T.ones(1, 2), "other": T.ones(1)}),
    lambda T: net(T).load_state_dict({**net(T).state_dict(), "first.bias": 3}),
    lambda T: net(T).load_state_dict({**net(T).state_dict(), "first.bias.deeper": T.ones(1)}),
    lambda T: net(T).load_state_dict(3),
    lambda T: setattr(net(T), "scale", T.ones(2)),
    lambda T: setattr(net(T), "scale", 3),
    lambda T: setattr(net(T), "first", 3),
    lambda T: setattr(net(T), "count", 3),
    lambda T: net(T).missing,
    lambda T: T.nn.Module()(1),
    lambda T: net(T).register_buffer(3, None),
    lambda T: net(T).register_buffer("a.b", None),
    lambda T: net(T).register_buffer("", None),
    lambda T: net(T).register_buffer("first", None),
    lambda T: net(T).register_buffer("d", 4),
    lambda T: net(T).register_parameter(3, None),
    lambda T: net(T).register_parameter("a.b", None),
    lambda T: net(T).register_parameter("", None),
    lambda T: net(T).register_parameter("first", None),
    lambda T: net(T).register_parameter("d", 4),
    lambda T: net(T).register_parameter("d", T.ones(2)),
    lambda T: net(T).register_module("d", 3),
    lambda T: net(T).register_module(3, T.nn.ReLU()),
    lambda T: net(T).register_module("scale", T.nn.ReLU()),
    lambda T: net(T).register_module("x.y", T.nn.ReLU()),
    lambda T: net(T).get_submodule("first.x"),
    lambda T: net(T).get_submodule("scale"),
    lambda T: net(T).get_parameter("first.x"),
    lambda T: net(T).get_parameter("count"),
    lambda T: net(T).get_buffer("scale"),
    lambda T: net(T).set_submodule("", T.nn.ReLU()),
    lambda T: net(T).set_submodule("q.r", T.nn.ReLU()),
    lambda T: net(T).set_submodule("q", T.nn.ReLU(), strict=True),
    lambda T: net(T).set_submodule("first", 3),
    lambda T: net(T).train(3),
    lambda T: net(T).to(T.int32),
    lambda T: net(T).get_extra_state(),
    lambda T: bare(T, lambda m: setattr(m, "a", T.nn.Linear(2, 2))),
    lambda T: bare(T, lambda m: setattr(m, "a", T.nn.Parameter(T.ones(2)))),
    lambda T: bare(T, lambda m: setattr(m, "a", T.nn.Buffer(T.ones(2)))),
    lambda T: bare(T, lambda m: m.register_buffer("a", None)),
    lambda T: bare(T, lambda m: m.register_parameter("a", None)),
    lambda T: T.nn.Module(3),
    lambda T: T.nn.Module(a=3),
    lambda T: T.nn.Sequential(T.nn.ReLU())[1],
    lambda T: T.nn.Sequential(3),
    lambda T: T.nn.Sequential() + 3,
    lambda T: T.nn.Sequential().insert(3, T.nn.ReLU()),
    lambda T: T.nn.ModuleList().extend(3),
    lambda T: T.nn.ModuleList()[0],
    lambda T: T.nn.ModuleDict().update(3),
    lambda T: T.nn.ModuleDict([("a",)]),
    lambda T: T.nn.ParameterList()(1),
    lambda T: T.nn.ParameterDict({3: T.ones(1)}),
]


@pytest.mark.parametrize("number", range(len(WRONG)))
def test_refusals(number):
    ours = same(WRONG[number])
    assert isinstance(ours, tuple), f"case {number} raises nothing"


def test_names_and_order():
    def names(T):
        m = net(T)
        m.tied = m.first
        m.second = T.nn.Sequential(T.nn.Linear(3, 1), T.nn.ReLU())
        m.register_parameter("nothing", None)
        return [
            [name for name, _ in m.named_parameters()],
            [name for name, _ in m.named_parameters(remove_duplicate=False)],
            [name for name, _ in m.named_parameters("prefix", recurse=False)],
            [name for name, _ in m.named_buffers()],
            [name for name, _ in m.named_modules()],
            [name for name, _ in m.named_modules(remove_duplicate=False)],
            [name for name, _ in m.named_children()],
            list(m.state_dict()),
            {key: dict(value) for key, value in m.state_dict()._metadata.items()},
            len(list(m.parameters())),
            repr(m),
            [name for name in dir(m) if name in ("first", "scale", "count", "forward", "training")],
        ]

    same(names)


def test_reassignment_moves_a_name_between_tables():
    def tables(T):
        m = net(T)
        m.scale = None
        m.count = T.ones(3)
        m.scratch = T.nn.Parameter(T.ones(1))
        m.first = None
        found = [list(m._parameters), list(m._buffers), list(m._modules), sorted(m._non_persistent_buffers_set)]
        del m.count, m.first
        m.kept = T.nn.Buffer(T.ones(1))
        m.lost = T.nn.Buffer(T.ones(1), persistent=False)
        return [*found, list(m._buffers), list(m._modules), list(m.state_dict())]

    same(tables)


def test_load_state_dict_outcomes():
    def outcomes(T):
        m = net(T)
        state = m.state_dict()
        changed = {key: value + 1 for key, value in state.items()}
        before = m.first.weight
        answer = repr(m.load_state_dict(changed))
        partly = repr(m.load_state_dict({"scale": T.zeros(2), "other": T.ones(1)}, strict=False))
        return [answer, partly, m.first.weight is before, m.state_dict()]

    same(outcomes)


def test_assign_replaces_parameters():
    def assigned(T):
        m = net(T)
        m.first.weight.requires_grad_(False)
        state = {key: value.double() for key, value in m.state_dict().items()}
        m.load_state_dict(state, assign=True)
        return [[str(x.dtype), x.requires_grad, type(x).__name__] for x in m.parameters()]

    same(assigned)


def test_extra_state():
    def kept(T):
        class Extra(T.nn.Module):
            value = 1

            def get_extra_state(self):
                return {"value": self.value}

            def set_extra_state(self, state):
                self.value = state["value"]

        a, b = T.nn.Sequential(Extra()), T.nn.Sequential(Extra())
        a[0].value = 5
        b.load_state_dict(a.state_dict())
        return [list(a.state_dict()), b[0].value, a.state_dict()["0._extra_state"]]

    same(kept)


def test_state_dict_hooks():
    def log(T):
        m, seen = net(T), []
        m.register_state_dict_pre_hook(lambda module, prefix, keep_vars: seen.append(["before", prefix, keep_vars]))
        m.register_state_dict_post_hook(lambda module, state, prefix, meta: state.pop("scale"))
        handle = m.register_load_state_dict_pre_hook(lambda module, state, *rest: state.setdefault("scale", T.ones(2)))
        m.register_load_state_dict_post_hook(lambda module, keys: keys.missing_keys.clear())
        state = m.state_dict()
        seen.append(list(state))
        seen.append(repr(m.load_state_dict(state)))
        handle.remove()
        seen.append(repr(m.load_state_dict(state, strict=False)))
        return seen

    same(log)


def test_forward_hooks_run_in_order_and_change_arguments_and_results():
    def log(T):
        m, seen = net(T), []
        x = T.ones(1, 2)
        m.register_forward_pre_hook(lambda module, args: seen.append("pre") or (args[0] * 2,))
        m.register_forward_pre_hook(
            lambda module, args, kwargs: seen.append(sorted(kwargs)) or None, with_kwargs=True, prepend=True
        )
        handle = m.register_forward_hook(lambda module, args, out: seen.append("post") or out + 1)
        m.register_forward_hook(lambda module, args, kwargs, out: seen.append("kwargs"), with_kwargs=True)
        y = m(x)
        handle.remove()
        return [y, m(x), seen]

    same(log)


def test_always_called_hook_sees_a_failure():
    def log(T):
        class Broken(T.nn.Module):
            def forward(self, x):
                raise ValueError("broken")

        m, seen = Broken(), []
        m.register_forward_hook(lambda module, args, out: seen.append(out), always_call=True)
        m.register_forward_hook(lambda module, args, out: seen.append("never"))
        try:
            m(1)
        except ValueError as error:
            seen.append(str(error))
        return seen

    same(log)


def test_wrong_pre_hook_result():
    def call(T):
        m = net(T)
        m.register_forward_pre_hook(lambda module, args, kwargs: 3, with_kwargs=True)
        return m(T.ones(1, 2))

    same(call)


def test_full_backward_hooks():
    def log(T):
        m, seen = net(T), []
        x = T.tensor([[1.0, 2.0]], requires_grad=True)
        m.register_full_backward_pre_hook(lambda module, g: seen.append([v.clone() for v in g]) or (g[0] * 2,))
        m.register_full_backward_hook(
            lambda module, gx, gy: seen.append([gx[0].clone(), gy[0].clone()]) or (gx[0] + 1,)
        )
        m(x).sum().backward()
        return [seen, x.grad, m.scale.grad]

    same(log)


def test_full_backward_hook_without_a_gradient_by_the_input():
    def log(T):
        m, seen = net(T), []
        m.register_full_backward_hook(lambda module, gx, gy: seen.append([gx, gy[0].clone()]))
        with pytest.warns(UserWarning, match="no inputs require gradients"):
            m(T.ones(1, 2)).sum().backward()
        return [seen, m.scale.grad]

    same(log)


def test_two_kinds_of_backward_hooks_do_not_mix():
    def mix(T):
        m = net(T)
        m.register_full_backward_hook(lambda *_: None)
        m.register_backward_hook(lambda *_: None)

    same(mix)


def test_global_hooks():
    def log(T):
        seen = []
        hooks = T.nn.modules.module
        handles = [
            hooks.register_module_forward_pre_hook(lambda m, args: seen.append("pre " + type(m).__name__)),
            hooks.register_module_forward_hook(lambda m, args, out: seen.append("post " + type(m).__name__)),
            hooks.register_module_module_registration_hook(lambda m, name, child: seen.append(name)),
        ]
        try:
            T.nn.Sequential(T.nn.ReLU())(T.ones(1))
        finally:
            for handle in handles:
                handle.remove()
        T.nn.Sequential(T.nn.ReLU())(T.ones(1))
        return seen

    same(log)


def test_casting_keeps_parameters_and_casts_gradients():
    def cast(T):
        m = net(T)
        weight = m.first.weight
        m(T.ones(1, 2)).sum().backward()
        m.double()
        found = [str(weight.dtype), str(weight.grad.dtype), str(m.count.dtype), m.first.weight is weight]
        m.to(T.float16)
        found += [str(x.dtype) for x in [*m.parameters(), *m.buffers()]]
        m.bfloat16().float().to(T.zeros(1, dtype=T.float64)).to("cpu", T.float32)
        return found + [str(x.dtype) for x in m.parameters()]

    same(cast)


def test_modes_gradients_and_apply():
    def used(T):
        m = T.nn.Sequential(T.nn.Linear(2, 2), T.nn.Sequential(T.nn.Dropout()))
        seen = []
        m.apply(lambda module: seen.append(type(module).__name__))
        m.eval()
        modes = [module.training for module in m.modules()]
        m.train().requires_grad_(False)
        flags = [x.requires_grad for x in m.parameters()]
        m.requires_grad_()
        m(T.ones(1, 2)).sum().backward()
        m.zero_grad(set_to_none=False)
        zeros = [x.grad for x in m.parameters()]
        m.zero_grad()
        return [seen, modes, flags, zeros, [x.grad is None for x in m.parameters()]]

    same(used)


def test_deepcopy_shares_nothing_and_keeps_ties():
    def copied(T):
        m = T.nn.ModuleList([T.nn.Linear(2, 2)])
        m.append(m[0])
        m.other = m[0].weight
        c = copy.deepcopy(m)
        return [
            c[0] is c[1],
            c.other is c[0].weight,
            c[0].weight is m[0].weight,
            type(c.other).__name__,
            c.state_dict(),
        ]

    same(copied)


def test_pickle_round_trip():
    m = rushlight.nn.Sequential(rushlight.nn.Linear(2, 3), rushlight.nn.BatchNorm1d(3))
    again = pickle.loads(pickle.dumps(m))
    assert repr(again) == repr(m)
    for a, b in zip(m.state_dict().values(), again.state_dict().values(), strict=True):
        assert bool((a == b).all())
    assert isinstance(again[0].weight, rushlight.nn.Parameter)


def test_containers():
    def used(T):
        nn = T.nn
        found = [repr(nn.Sequential(OrderedDict([("a", nn.Linear(2, 2)), ("b", nn.ReLU())])))]
        s = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
        s.append(nn.Tanh()).insert(1, nn.Sigmoid())
        found += [repr(s), repr(s[1:]), len(s), repr(s[-1])]
        del s[0]
        s[0] = nn.ReLU()
        found += [repr(s), repr(s.pop(0)), repr(s + nn.Sequential(nn.ReLU())), repr(s * 2), list(s._modules)]
        items = nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 2), nn.ReLU()])
        items.insert(1, nn.Tanh())
        items += [nn.ReLU(), nn.ReLU()]
        found += [repr(items), repr(items[::2]), repr(items.pop(-1)), len(items + items)]
        table = nn.ModuleDict({"a": nn.ReLU()})
        table.update([("b", nn.Tanh())])
        found += [repr(table), list(table), "a" in table, repr(table.pop("a")), list(table.keys())]
        values = nn.ParameterList([T.ones(2), 3, nn.Parameter(T.ones(1, 2))])
        values[0] = T.zeros(3)
        found += [repr(values), len(values), repr(values[1:]), [name for name, _ in values.named_parameters()]]
        named = nn.ParameterDict({"b": T.ones(2), "a": 4})
        named["c"] = T.zeros(1, 1)
        found += [repr(named), list(named), "a" in named, named.get("x", 7), repr(named | {"d": T.ones(1)})]
        found += [named.pop("a"), named.popitem()[0], list(named.copy().keys()), named.setdefault("z", 1)]
        return found

    same(used)


def test_parameter_shares_memory_with_its_data():
    data = rushlight.zeros(2)
    x = rushlight.nn.Parameter(data)
    data[0] = 5
    assert x[0].item() == 5
    assert x.is_leaf
    assert x.requires_grad
    assert isinstance(rushlight.nn.Buffer(data), rushlight.nn.Buffer)
    assert not isinstance(data, rushlight.nn.Buffer)


def test_pytorch_module_paths():
    nn = rushlight.nn
    assert nn.modules.module.Module is nn.Module
    assert nn.modules.batchnorm._BatchNorm in nn.BatchNorm2d.__mro__
    assert nn.modules.utils._pair(3) == (3, 3)
    assert nn.modules.Linear is nn.Linear

"""Samples of products of vectors and matrices."""

from __future__ import annotations

from samples import Sample, operator


def shapes(name, *calls, **properties):
    """An operator of tensors alone: each sample is a tuple of their shapes."""

    def generate(make):
        for call in calls:
            yield tuple(make(*shape) for shape in call)

    operator(name, dtypes=("float32", "int64", "complex128", "bfloat16"), **properties)(generate)


shapes(
    "matmul", ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((2, 3), (3, 4)), ((5, 2, 3), (3, 4)), ((2, 1, 2, 3), (4, 3, 2)),
    ((5, 2, 3), (3,)), ((0, 3), (3, 2)), ((2, 0), (0, 2)),
)  # fmt: skip
shapes("mm", ((2, 3), (3, 4)))
shapes("bmm", ((5, 2, 3), (5, 3, 4)))
shapes("mv", ((2, 3), (3,)))
shapes("dot", ((3,), (3,)))
shapes("vdot", ((3,), (3,)))
shapes("inner", ((2, 3), (4, 3)), ((3,), (3,)), ((), (3,)))
for _name in ("outer", "ger"):
    shapes(_name, ((2,), (3,)))
shapes("kron", ((2, 3), (2, 2)), ((2,), (3, 1)))
shapes("chain_matmul", ((2, 3), (3, 4), (4, 2)))


def added(name, *shapes_of_three):
    """`beta * input + alpha * product`."""

    def generate(make):
        for keywords in ({}, {"beta": 0.5, "alpha": -2.0}, {"beta": 0}):
            yield Sample(*(make(*shape) for shape in shapes_of_three), **keywords)

    operator(name)(generate)


added("addmm", (2, 4), (2, 3), (3, 4))
added("addmv", (2,), (2, 3), (3,))
added("addr", (2, 3), (2,), (3,))
added("addbmm", (2, 4), (5, 2, 3), (5, 3, 4))
added("baddbmm", (5, 2, 4), (5, 2, 3), (5, 3, 4))


@operator("tensordot")
def _tensordot(make):
    yield make(2, 3, 4), make(3, 4, 5), 2
    yield make(2, 3, 4), make(4, 3, 5), ([1, 2], [1, 0])


@operator("einsum")
def _einsum(make):
    yield "ij,jk->ik", make(2, 3), make(3, 4)
    yield "bij,bjk,k->b", make(2, 3, 4), make(2, 4, 5), make(5)
    yield "ii->i", make(3, 3)
    yield "...ij,j->...i", make(2, 3, 4), make(4)


@operator("nn.functional.linear", out=False)
def _linear(make):
    yield make(2, 3), make(4, 3), make(4)
    yield make(5, 2, 3), make(4, 3)
    yield make(3), make(4, 3), make(4)

"""Samples of the operators that rearrange, join, split and view."""

from __future__ import annotations

from samples import Sample, operator


def simple(name, *calls, **properties):
    """An operator whose samples are `(shape, *arguments)` or `(shape, *arguments, keywords)`."""

    def generate(make):
        for shape, *arguments in calls:
            keywords = arguments.pop() if arguments and isinstance(arguments[-1], dict) else {}
            yield Sample(make(*shape), *arguments, **keywords)

    operator(name, **properties)(generate)


S = (2, 3, 4)
simple("reshape", (S, (6, 4)), (S, (-1,)), (S, (4, -1, 2)), ((0, 3), (3, 0)), ((), (1, 1)))
simple("flatten", (S,), (S, 1), (S, 0, 1), ((),), (S, {"start_dim": -2}))
simple("unflatten", ((2, 6), 1, (2, 3)), ((2, 6), 1, (-1, 2)))
simple("ravel", (S,), ((),))
simple("squeeze", ((1, 3, 1),), ((1, 3, 1), 0), ((1, 3, 1), 1), ((1, 3, 1), (0, 2)), ((), 0))
simple("squeeze_copy", ((1, 3, 1),), ((1, 3, 1), 0))
for _name in ("unsqueeze", "unsqueeze_copy"):
    simple(_name, (S, 0), (S, -1), ((), 0))
for _name in ("transpose", "transpose_copy", "swapaxes", "swapdims"):
    simple(_name, (S, 0, 2), (S, -1, 1))
for _name in ("permute", "permute_copy"):
    simple(_name, (S, (2, 0, 1)), (S, (-1, 0, 1)))
for _name in ("movedim", "moveaxis"):
    simple(_name, (S, 0, 2), (S, (0, 1), (2, 0)))
for _name in ("t", "t_copy", "adjoint"):
    simple(_name, ((2, 3),), *([((3,),)] if _name != "adjoint" else []))
for _name in ("narrow", "narrow_copy"):
    simple(_name, (S, 1, 0, 2), (S, -1, 1, 2), (S, 0, 1, 0))
for _name in ("select", "select_copy"):
    simple(_name, (S, 1, 0), (S, -1, -1))
simple("slice_copy", (S, 1, 0, 2), (S, 2, 1, 4, 2))
for _name in ("diagonal", "diagonal_copy"):
    simple(_name, ((3, 4),), ((3, 4), 1), ((3, 4), -1), (S, 0, 1, 2))
simple("diag", ((3,),), ((3, 4),), ((3,), 1), ((3, 4), -1))
simple("diag_embed", ((2, 3),), ((2, 3), 1), ((2, 3), 0, 0, 2))
simple("diagflat", ((2, 3),), ((3,), -1))
simple("tril", ((3, 4),), ((3, 4), 1), (S, -1))
simple("triu", ((3, 4),), ((3, 4), 1), (S, -1))
simple("flip", (S, (0, 2)), (S, (-1,)))
simple("fliplr", ((2, 3),))
simple("flipud", ((2, 3),))
simple("roll", (S, 1), (S, (1, -2), (0, 2)))
simple("rot90", ((2, 3),), (S, 3, (0, 2)))
simple("tile", ((2, 3), (2,)), ((2, 3), (2, 1, 2)))
simple("repeat_interleave", ((2, 3), 2), ((2, 3), 2, 1))
simple("unfold_copy", ((3, 7), 1, 3, 2))
for _name in ("chunk", "unsafe_chunk"):
    simple(_name, ((5, 3), 2), ((5, 4), 3, 1))
for _name in ("split", "unsafe_split", "split_copy"):
    simple(_name, ((5, 3), 2), ((5, 4), 3, 1))
for _name in ("split_with_sizes", "split_with_sizes_copy", "unsafe_split_with_sizes"):
    simple(_name, ((5, 3), (2, 3)), ((3, 4), (1, 0, 3), 1))
simple("tensor_split", ((5, 3), 2), ((5, 3), (1, 3)), ((5, 3), 2, 1))
simple("hsplit", ((4, 4), 2), ((4,), (1, 3)))
simple("vsplit", ((4, 3), 2))
simple("dsplit", ((2, 3, 4), 2))
for _name in ("unbind", "unbind_copy"):
    simple(_name, (S,), (S, 1))
for _name in ("atleast_1d", "atleast_2d", "atleast_3d"):
    simple(_name, ((),), ((3,),), ((2, 3),))
for _name in ("broadcast_to", "expand_copy"):
    simple(_name, ((3, 1), (2, 3, 4)), ((), (2,)))
simple("as_strided", ((12,), (2, 3), (4, 1)), ((12,), (3, 3), (2, 1), 1), layout=False)
simple("as_strided_copy", ((12,), (2, 3), (4, 1)), layout=False)
for _name in ("clone", "alias_copy", "resolve_conj", "resolve_neg"):
    simple(_name, (S,), ((),))
for _name in ("detach", "detach_copy"):
    simple(_name, (S,), differentiable=False, out=False)
simple("view_copy", (S, (6, 4)), layout=False)
simple("real", (S,))
simple("trace", ((3, 4),))
# PyTorch cannot go backward through its own in-place steps here.
simple("vander", ((3,),), ((3,), 4), ((3,), 4, True), differentiable=False)
simple("diff", ((3, 5),), ((3, 5), 2), ((3, 5), 1, 0))
simple("combinations", ((4,),), ((4,), 3), ((3,), 2, True))
simple("view_as_complex", ((3, 2),), ((2, 3, 2),), layout=False)


@operator("complex")
def _complex(make):
    yield make(2, 3), make(2, 3)


@operator("imag")
def _imag(make):
    yield make.complex(2, 3)


@operator("view_as_real")
def _view_as_real(make):
    yield make.complex(2, 3)
    yield make.complex()


def several(name, *lists, **properties):
    """An operator of a list of tensors."""

    def generate(make):
        for shapes, *arguments in lists:
            keywords = arguments.pop() if arguments and isinstance(arguments[-1], dict) else {}
            yield Sample([make(*shape) for shape in shapes], *arguments, **keywords)

    operator(name, **properties)(generate)


for _name in ("cat", "concat", "concatenate"):
    several(_name, ([(2, 3), (1, 3)],), ([(2, 3), (2, 1)], 1), ([(2, 3), (2, 0)], -1), ([(0,), (2, 3)],))
several("stack", ([(2, 3), (2, 3)],), ([(2, 3), (2, 3)], -1), ([(), ()],))
for _name in ("hstack", "vstack", "dstack", "column_stack", "row_stack"):
    several(_name, ([(2, 3), (2, 3)],), ([(3,), (3,)],), ([(), ()],))


@operator("block_diag")
def _block_diag(make):
    yield make(2, 3), make(1, 2), make(3)


@operator("broadcast_tensors")
def _broadcast_tensors(make):
    yield make(3, 1), make(2, 1, 4)


@operator("meshgrid")
def _meshgrid(make):
    yield Sample(make(3), make(2), indexing="ij")
    yield Sample(make(3), make(2), indexing="xy")


@operator("cartesian_prod")
def _cartesian_prod(make):
    yield make(3), make(2)
    yield (make(3),)


@operator("diagonal_scatter")
def _diagonal_scatter(make):
    yield make(3, 3), make(3)
    yield make(3, 4), make(3), 1


@operator("select_scatter")
def _select_scatter(make):
    yield make(3, 4), make(4), 0, 1


@operator("slice_scatter")
def _slice_scatter(make):
    yield make(3, 4), make(3, 2), 1, 0, 4, 2


@operator("as_strided_scatter", differentiable=False, layout=False)  # PyTorch's gradient goes to the replaced elements
def _as_strided_scatter(make):
    yield make(3, 4), make(2, 2), (2, 2), (4, 1), 1


@operator("fill")
def _fill(make):
    yield make(2, 3), 2.0
    yield make(2, 3), make()


@operator("broadcast_shapes", differentiable=False)
def _broadcast_shapes(make):
    yield (2, 1), (3,)


@operator("gradient")
def _gradient(make):
    yield (make(5),)
    yield Sample(make(4, 5), spacing=0.5)
    yield Sample(make(4, 5), dim=1)


for _name in ("tril_indices", "triu_indices"):

    @operator(_name, differentiable=False)
    def _indices(make):
        yield 3, 4
        yield 4, 3, 1

"""Lazy layers: they learn the number of their inputs from the first one, and then become the ordinary layer."""

from __future__ import annotations

from typing import Any

from .conv import Conv1d, Conv2d, Conv3d, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from .linear import Linear
from .norm import BatchNorm1d, BatchNorm2d, BatchNorm3d, InstanceNorm1d, InstanceNorm2d, InstanceNorm3d
from .parameter import UninitializedBuffer, UninitializedParameter, is_lazy


class LazyModuleMixin:
    """Mixed into a layer, delays its parameters until `initialize_parameters` sees the first input."""

    cls_to_become: Any = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        module: Any = self
        self._load_hook = module._register_load_state_dict_pre_hook(self._lazy_load_hook)
        self._initialize_hook = module.register_forward_pre_hook(self._infer_parameters, with_kwargs=True)

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        module: Any = self
        for name, x in {**module._parameters, **module._buffers}.items():
            if x is not None and name not in module._non_persistent_buffers_set:
                destination[prefix + name] = x if is_lazy(x) or keep_vars else x.detach()

    def _lazy_load_hook(self, state_dict: Any, prefix: str, *_: Any) -> None:
        """Take the shapes of a state that is being loaded into parameters that have none."""
        module: Any = self
        for name, x in {**module._parameters, **module._buffers}.items():
            value = state_dict.get(prefix + name)
            if x is not None and value is not None and is_lazy(x) and not is_lazy(value):
                x.materialize(value.shape)

    def initialize_parameters(self, *args: Any, **kwargs: Any) -> None:
        """Give the parameters their shapes, from the arguments of the first call; override it."""
        raise NotImplementedError(f"initialize_parameters is not implemented for {self.__class__.__name__}")

    def has_uninitialized_params(self) -> bool:
        """Whether a parameter or buffer still has no shape."""
        module: Any = self
        return any(is_lazy(x) for x in (*module._parameters.values(), *module._buffers.values()))

    def _infer_parameters(self, module: Any, args: Any, kwargs: Any) -> None:
        module.initialize_parameters(*args, **(kwargs or {}))
        if module.has_uninitialized_params():
            raise RuntimeError(f"module {self._get_name()} has not been fully initialized")  # type: ignore[attr-defined]
        module._initialize_hook.remove()
        module._load_hook.remove()
        del module._initialize_hook, module._load_hook
        if module.cls_to_become is not None:
            module.__class__ = module.cls_to_become


def _no_reset(layer: Any, base: Any) -> None:
    """`reset_parameters` of `base`, once there is something to reset."""
    if not layer.has_uninitialized_params() and getattr(layer, layer._size_name) != 0:
        base.reset_parameters(layer)


class LazyLinear(LazyModuleMixin, Linear):
    """A `Linear` that takes `in_features` from its first input."""

    cls_to_become = Linear
    _size_name = "in_features"

    def __init__(self, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None) -> None:
        super().__init__(0, 0, False)
        self.weight = UninitializedParameter(device=device, dtype=dtype)
        self.out_features = out_features
        if bias:
            self.bias = UninitializedParameter(device=device, dtype=dtype)

    def reset_parameters(self) -> None:
        """Draw the parameters, once they exist."""
        _no_reset(self, Linear)

    def initialize_parameters(self, input: Any) -> None:
        """Take the size of the last dimension."""
        if self.has_uninitialized_params():
            self.in_features = input.shape[-1]
            self.weight.materialize((self.out_features, self.in_features))
            if self.bias is not None:
                self.bias.materialize((self.out_features,))
            self.reset_parameters()


class _LazyConv(LazyModuleMixin):
    """What lazy convolutions share: `in_channels` comes from the first input."""

    _size_name = "in_channels"

    def __init__(self, out_channels: int, kernel_size: Any, *args: Any, bias: bool = True, **kwargs: Any) -> None:
        options = {name: kwargs.get(name) for name in ("device", "dtype")}
        super().__init__(0, 0, kernel_size, *args, bias=False, **kwargs)
        self.weight = UninitializedParameter(**options)  # type: ignore[arg-type]
        self.out_channels = out_channels
        if bias:
            self.bias = UninitializedParameter(**options)  # type: ignore[arg-type]

    def reset_parameters(self) -> None:
        """Draw the parameters, once they exist."""
        _no_reset(self, self.cls_to_become)

    def initialize_parameters(self, input: Any, *args: Any, **kwargs: Any) -> None:
        """Take the size of the channel dimension."""
        if not self.has_uninitialized_params():
            return
        layer: Any = self
        n = layer._n
        if input.dim() not in (n + 1, n + 2):
            raise RuntimeError(
                f"Expected {n + 1}D (unbatched) or {n + 2}D (batched) input to {type(self).__name__}, but got input of "
                f"size: {input.shape}"
            )
        layer.in_channels = input.shape[-n - 1]
        if layer.in_channels % layer.groups != 0:
            raise ValueError("in_channels must be divisible by groups")
        ins, outs = layer.in_channels, layer.out_channels
        if layer.transposed:
            ins, outs = outs, ins
        layer.weight.materialize((outs, ins // layer.groups, *layer.kernel_size))
        if layer.bias is not None:
            layer.bias.materialize((layer.out_channels,))
        self.reset_parameters()


class LazyConv1d(_LazyConv, Conv1d):
    """A `Conv1d` that takes `in_channels` from its first input."""

    cls_to_become = Conv1d


class LazyConv2d(_LazyConv, Conv2d):
    """A `Conv2d` that takes `in_channels` from its first input."""

    cls_to_become = Conv2d


class LazyConv3d(_LazyConv, Conv3d):
    """A `Conv3d` that takes `in_channels` from its first input."""

    cls_to_become = Conv3d


class LazyConvTranspose1d(_LazyConv, ConvTranspose1d):
    """A `ConvTranspose1d` that takes `in_channels` from its first input."""

    cls_to_become = ConvTranspose1d


class LazyConvTranspose2d(_LazyConv, ConvTranspose2d):
    """A `ConvTranspose2d` that takes `in_channels` from its first input."""

    cls_to_become = ConvTranspose2d


class LazyConvTranspose3d(_LazyConv, ConvTranspose3d):
    """A `ConvTranspose3d` that takes `in_channels` from its first input."""

    cls_to_become = ConvTranspose3d


class _LazyNorm(LazyModuleMixin):
    """What lazy batch and instance norms share: `num_features` comes from the first input."""

    _size_name = "num_features"

    def __init__(
        self, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = True, track_running_stats: bool = True,
        device: Any = None, dtype: Any = None, *, bias: bool = True,
    ) -> None:  # fmt: skip
        from .. import dtypes, ops

        super().__init__(0, eps, momentum, False, False, device, dtype)
        self.affine, self.track_running_stats = affine, track_running_stats
        options: dict[str, Any] = {"device": device, "dtype": dtype}
        layer: Any = self
        if affine:
            layer.weight = UninitializedParameter(**options)
            if bias:
                layer.bias = UninitializedParameter(**options)
        if track_running_stats:
            layer.running_mean = UninitializedBuffer(**options)
            layer.running_var = UninitializedBuffer(**options)
            layer.num_batches_tracked = ops.tensor(0, dtype=dtypes.int64)

    def reset_parameters(self) -> None:
        """Set the parameters, once they exist."""
        _no_reset(self, self.cls_to_become)

    def initialize_parameters(self, input: Any) -> None:
        """Take the size of dimension 1."""
        if not self.has_uninitialized_params():
            return
        layer: Any = self
        layer.num_features = input.shape[1]
        for x in (layer.weight, layer.bias, layer.running_mean, layer.running_var):
            if x is not None:
                x.materialize((layer.num_features,))
        self.reset_parameters()


class LazyBatchNorm1d(_LazyNorm, BatchNorm1d):
    """A `BatchNorm1d` that takes `num_features` from its first input."""

    cls_to_become = BatchNorm1d


class LazyBatchNorm2d(_LazyNorm, BatchNorm2d):
    """A `BatchNorm2d` that takes `num_features` from its first input."""

    cls_to_become = BatchNorm2d


class LazyBatchNorm3d(_LazyNorm, BatchNorm3d):
    """A `BatchNorm3d` that takes `num_features` from its first input."""

    cls_to_become = BatchNorm3d


class LazyInstanceNorm1d(_LazyNorm, InstanceNorm1d):
    """An `InstanceNorm1d` that takes `num_features` from its first input."""

    cls_to_become = InstanceNorm1d


class LazyInstanceNorm2d(_LazyNorm, InstanceNorm2d):
    """An `InstanceNorm2d` that takes `num_features` from its first input."""

    cls_to_become = InstanceNorm2d


class LazyInstanceNorm3d(_LazyNorm, InstanceNorm3d):
    """An `InstanceNorm3d` that takes `num_features` from its first input."""

    cls_to_become = InstanceNorm3d

"""Learning rate schedules.

https://docs.pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate
"""

from .base import EPOCH_DEPRECATION_WARNING as EPOCH_DEPRECATION_WARNING
from .base import LRScheduler as LRScheduler
from .base import _LRScheduler as _LRScheduler
from .chainable import ConstantLR as ConstantLR
from .chainable import CosineAnnealingLR as CosineAnnealingLR
from .chainable import ExponentialLR as ExponentialLR
from .chainable import LambdaLR as LambdaLR
from .chainable import LinearLR as LinearLR
from .chainable import MultiplicativeLR as MultiplicativeLR
from .chainable import MultiStepLR as MultiStepLR
from .chainable import PolynomialLR as PolynomialLR
from .chainable import StepLR as StepLR
from .composite import ChainedScheduler as ChainedScheduler
from .composite import SequentialLR as SequentialLR
from .cycles import CosineAnnealingWarmRestarts as CosineAnnealingWarmRestarts
from .cycles import CyclicLR as CyclicLR
from .cycles import OneCycleLR as OneCycleLR
from .plateau import ReduceLROnPlateau as ReduceLROnPlateau

__all__ = [
    "LambdaLR", "MultiplicativeLR", "StepLR", "MultiStepLR", "ConstantLR", "LinearLR", "ExponentialLR", "SequentialLR",
    "CosineAnnealingLR", "ChainedScheduler", "ReduceLROnPlateau", "CyclicLR", "CosineAnnealingWarmRestarts",
    "OneCycleLR", "PolynomialLR", "LRScheduler",
]  # fmt: skip

"""Pictures side by side, in memory and as files, under torchvision's name for them."""

from .grid import make_grid, save_image

__all__ = ["make_grid", "save_image"]

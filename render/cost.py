"""What the gradients of one window cost."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Cost:
    """A window of n pixels takes `fixed + pixel * n` bytes at its peak, without the weights.

    `flops` counts multiplications and additions for a pixel, forward and backward; `weights` are
    the bytes of the prepared network.
    """

    fixed: float
    pixel: float
    flops: float
    weights: int

    def bytes(self, pixels: int) -> int:
        """The peak for a window of so many pixels, the network included."""
        return int(self.fixed + self.pixel * pixels) + self.weights

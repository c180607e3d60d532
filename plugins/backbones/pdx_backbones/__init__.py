"""ImageNet backbones for pdx, each written once for every task."""

__version__ = "0.1.0"

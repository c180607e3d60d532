"""Instance segmentation for pdx."""

__version__ = "0.1.0"

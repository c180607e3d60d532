"""SqueezeNet 1.1 for pdx."""

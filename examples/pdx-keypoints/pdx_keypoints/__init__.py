"""Keypoints for pdx: where the named points of an object are in its picture."""

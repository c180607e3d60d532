"""Metrics of instance segmentation."""

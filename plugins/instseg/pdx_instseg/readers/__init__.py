"""Readers of datasets with a mask for each object."""

"""Samples, batches, the loader, and what `pdx check` and `pdx split` share."""

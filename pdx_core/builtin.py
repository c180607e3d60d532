"""What the core itself offers, through the same hooks as everyone else."""

from __future__ import annotations

PDX_API = 1

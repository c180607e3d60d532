"""What pdx-cls offers: the task, its readers, heads, metric, predictor and zoo."""

from __future__ import annotations

PDX_API = 1

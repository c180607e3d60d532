"""What a label map holds: class indices from 0, and one value for pixels that nobody has to judge."""

from __future__ import annotations

IGNORE = 255  # a pixel with it counts neither in a loss nor in a metric; the same value in Paddle's toolkits
MAX_CLASSES = 255  # 0..254, as a label map is uint8

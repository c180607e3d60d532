"""The one place where OpenCV is imported: says what to install when it cannot be."""

from __future__ import annotations

import functools
from types import ModuleType

from pdx_core.errors import MissingDependencyError


@functools.cache
def require_cv2() -> ModuleType:
    """Import cv2. Raises MissingDependencyError with the command that mends it."""
    try:
        import cv2
    except ImportError as error:
        raise MissingDependencyError(_explain(error)) from error
    return cv2


def _explain(error: ImportError) -> str:
    if isinstance(error, ModuleNotFoundError) and error.name == "cv2":
        return "OpenCV is not installed; install it with: pip install opencv-python-headless"
    # The desktop wheel links libGL and X libraries, which servers and containers lack.
    return (
        f"OpenCV is installed but cannot be loaded ({error}). On a machine without a desktop use the headless build:\n"
        "    pip uninstall -y opencv-python && pip install --force-reinstall opencv-python-headless"
    )

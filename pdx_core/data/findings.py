"""What is wrong with a dataset: collected, counted, shown as a table and written as JSON."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any, Literal

import attrs

from pdx_core.errors import DataError

Severity = Literal["error", "warning"]


@attrs.frozen(kw_only=True)
class Finding:
    """One defect, in words a person can act on.

    code:     short and stable, for programs: "label-out-of-range"
    file:     the file to edit, relative to the dataset
    location: "line 17", "annotations[3]" or nothing
    field:    what in that place is wrong
    value:    what stands there
    fix:      what to do
    """

    code: str
    message: str
    severity: Severity = "error"
    file: str = ""
    location: str = ""
    field: str = ""
    value: str = ""
    fix: str = ""

    def __str__(self) -> str:
        place = ", ".join(part for part in (self.file, self.location) if part)
        lead = f"{self.severity} {self.code}"
        shown = f" (value: {self.value})" if self.value and self.value not in self.message else ""
        return f"{lead}: {place}: {self.message}{shown}" + (f" -> {self.fix}" if self.fix else "")


class Findings:
    """A collection of findings that keeps at most `limit` of each code and counts the rest."""

    def __init__(self, limit: int = 100) -> None:
        self.limit = limit
        self.counts: Counter[tuple[Severity, str]] = Counter()
        self._kept: list[Finding] = []
        self._lock = threading.Lock()

    def add(self, code: str, message: str, *, value: Any = "", **other: Any) -> None:
        """Record a finding; see `Finding` for the fields."""
        finding = Finding(code=code, message=message, value=str(value)[:200], **other)
        with self._lock:
            key = (finding.severity, finding.code)
            self.counts[key] += 1
            if self.counts[key] <= self.limit:
                self._kept.append(finding)

    def warn(self, code: str, message: str, **other: Any) -> None:
        """Record something that does not prevent training."""
        self.add(code, message, severity="warning", **other)

    @property
    def errors(self) -> list[Finding]:
        return [finding for finding in self._kept if finding.severity == "error"]

    @property
    def warnings(self) -> list[Finding]:
        return [finding for finding in self._kept if finding.severity == "warning"]

    @property
    def error_count(self) -> int:
        return sum(count for (severity, _), count in self.counts.items() if severity == "error")

    @property
    def warning_count(self) -> int:
        return sum(self.counts.values()) - self.error_count

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.errors + self.warnings)

    def __len__(self) -> int:
        return sum(self.counts.values())

    def summary(self) -> str:
        """ "2 errors, 1 warning"."""
        return f"{_plural(self.error_count, 'error')}, {_plural(self.warning_count, 'warning')}"

    def table(self, per_code: int = 5) -> str:
        """Errors first, then warnings; at most `per_code` lines of each code."""
        lines: list[str] = []
        shown: Counter[tuple[str, str]] = Counter()
        for finding in self:
            key = (finding.severity, finding.code)
            shown[key] += 1
            if shown[key] <= per_code:
                lines.append(str(finding))
            if shown[key] == min(per_code, self.counts[key]) and self.counts[key] > per_code:
                lines.append(f"{finding.severity} {finding.code}: ... and {self.counts[key] - per_code} more like this")
        return "\n".join(lines)

    def to_json(self) -> dict[str, Any]:
        """Counts by code, and the kept findings."""
        return {
            "errors": self.error_count,
            "warnings": self.warning_count,
            "counts": {code: count for (_, code), count in sorted(self.counts.items())},
            "findings": [attrs.asdict(finding) for finding in self],
        }

    def raise_errors(self, lead: str) -> None:
        """DataError with the first errors, if there are any."""
        if self.error_count:
            shown = "\n".join(str(finding) for finding in self.errors[:5])
            more = f"\n... and {self.error_count - 5} more; `pdx check` lists them" if self.error_count > 5 else ""
            raise DataError(f"{lead}:\n{shown}{more}")


def _plural(count: int, word: str) -> str:
    return f"{count} {word}" + ("" if count == 1 else "s")

"""Results of measuring as Markdown tables, and the goals beside them."""

from __future__ import annotations

import statistics
from typing import NamedTuple

__all__ = ["Result", "print_goals", "print_growth", "print_results"]

_MEBIBYTE = 1024 * 1024
_MISSING = "none"


class Result(NamedTuple):
    """All runs of one job: wall times in seconds, peak memory in bytes."""

    seconds: list[float]
    peak_bytes: int

    @property
    def median(self) -> float:
        """The median wall time in seconds."""
        return statistics.median(self.seconds)


def _peak(result: Result, floor_bytes: int) -> str:
    shown = f"{result.peak_bytes / _MEBIBYTE:.0f}"
    return f"<= {shown}" if result.peak_bytes <= floor_bytes * 1.05 else shown


def print_results(results: dict[str, Result], *, unit: str, floor_bytes: int) -> None:
    """Print one table; ``unit`` is the job that the others are multiples of."""
    print(f"| work | median s | fastest to slowest | x {unit} | peak RSS MiB |")
    print("|---|---|---|---|---|")
    for name, result in results.items():
        span = f"{min(result.seconds):.3f} to {max(result.seconds):.3f}"
        ratio = result.median / results[unit].median
        print(f"| {name} | {result.median:.3f} | {span} | {ratio:.2f} | {_peak(result, floor_bytes)} |")
    print()


def _ratio(results: dict[str, Result], ours: str, other: str) -> str:
    if ours not in results or other not in results:
        return _MISSING
    return f"{results[ours].median / results[other].median:.2f}"


def _alone(results: dict[str, Result], ours: str, other: str, *, around: str = "**open, compose, validate**") -> str:
    """Return the ratio of the work alone: without starting, opening, composing and validating."""
    if ours not in results or other not in results:
        return _MISSING
    return f"{(results[ours].median - results[around].median) / results[other].median:.2f}"


def print_growth(results: dict[int, dict[str, Result]], *, unit: str) -> None:
    """Print one table: each job at each size, in all and for each unit, with its peak."""
    print(f"| work | {unit} | median s | ms for each {unit.removesuffix('s')} | peak RSS MiB |")
    print("|---|---:|---:|---:|---:|")
    for name in next(iter(results.values())):
        for size, jobs in results.items():
            found = jobs[name]
            each = f"{1000 * found.median / size:.2f}"
            print(f"| {name} | {size:,} | {found.median:.2f} | {each} | {found.peak_bytes / _MEBIBYTE:.0f} |")
    print()


def _above(results: dict[str, Result], ours: str) -> str:
    return f"{(results[ours].peak_bytes - results['**open**'].peak_bytes) / _MEBIBYTE:.0f} MiB"


def print_goals(
    large: dict[str, Result], start: dict[str, Result], inside: dict[str, float], spread: dict[int, dict[str, Result]]
) -> None:
    """Print each goal beside what was measured."""
    opening = inside["open"]
    rows = [
        ("import", "start Python", "5.5", _ratio(start, "**import esximage_builder**", "start Python")),
        (
            "open 250 VIBs in a process",
            "kernel: all descriptors",
            "2",
            f"{opening / inside['kernel, descriptors']:.2f}",
        ),
        ("", "kernel: names only", _MISSING, f"{opening / inside['kernel, names']:.2f}"),
        ("compose + validate 250 VIBs", "", "20 ms (200 VIBs)", f"{inside['compose + validate'] * 1000:.0f} ms"),
        ("verify, stored bytes", "unzip -t", "0.28", _ratio(large, "**verify, stored bytes**", "unzip -t")),
        (
            "verify, unpacked bytes",
            "gzip -t of all payloads",
            "0.65",
            _ratio(large, "**verify, unpacked bytes**", "gzip -t of all payloads"),
        ),
        (
            "",
            "one thread",
            "0.63",
            _ratio(large, "**verify, unpacked bytes**", "**verify, unpacked bytes, 1 thread**"),
        ),
        ("", "peak RSS above open", "64 MiB", _above(large, "**verify, unpacked bytes**")),
        ("export bundle", "unzip -t", "0.35", _ratio(large, "**export bundle**", "unzip -t")),
        ("", "bare kernel, 2 threads", "1.35", _ratio(large, "**export bundle**", "bare kernel of bundle, 2 threads")),
        ("", "bare kernel, 1 thread", _MISSING, _ratio(large, "**export bundle**", "bare kernel of bundle, 1 thread")),
        ("the work alone", "unzip -t", "0.35", _alone(large, "**export bundle**", "unzip -t")),
        ("", "bare kernel, 2 threads", "1.35", _alone(large, "**export bundle**", "bare kernel of bundle, 2 threads")),
        ("", "peak RSS above open", "64 MiB", _above(large, "**export bundle**")),
        (
            "export ISO",
            "shell pipeline",
            "0.18",
            _ratio(large, "**export ISO**", "unzip + bsdtar + xorriso, no checks"),
        ),
        ("", "bare kernel, 2 threads", "1.4", _ratio(large, "**export ISO**", "bare kernel of ISO, 2 threads")),
        ("", "bare kernel, 1 thread", _MISSING, _ratio(large, "**export ISO**", "bare kernel of ISO, 1 thread")),
        (
            "the work alone",
            "shell pipeline",
            "0.18",
            _alone(large, "**export ISO**", "unzip + bsdtar + xorriso, no checks"),
        ),
        ("", "bare kernel, 2 threads", "1.4", _alone(large, "**export ISO**", "bare kernel of ISO, 2 threads")),
        ("", "xorriso from ready files", "1.2", _ratio(large, "**export ISO**", "xorriso from ready files")),
        ("", "peak RSS above open", "64 MiB", _above(large, "**export ISO**")),
        (
            "esximage build --iso",
            "shell pipeline",
            _MISSING,
            _ratio(large, "**esximage build --iso**", "unzip + bsdtar + xorriso, no checks"),
        ),
        (
            "",
            "naive script",
            _MISSING,
            _ratio(large, "**esximage build --iso**", "naive script, zipfile and pycdlib, no checks"),
        ),
        ("export stick", "export ISO", _MISSING, _ratio(large, "**export stick**", "**export ISO**")),
        ("", "peak RSS above open", "64 MiB", _above(large, "**export stick**")),
    ]
    for count, results in spread.items():
        rows += _descriptor_goals(count, results, spread)
    print("| path | against | goal, at most | measured |")
    print("|---|---|---|---|")
    for row in rows:
        print(f"| {' | '.join(row)} |")
    print()


def _descriptor_goals(
    count: int, results: dict[str, Result], spread: dict[int, dict[str, Result]]
) -> list[tuple[str, str, str, str]]:
    ours, kernel, documents = "**open**", "kernel: all descriptors", "kernel: all documents"
    peak = f"{results[ours].peak_bytes / _MEBIBYTE:.0f} MiB"
    rows = [
        (f"open {count:,} VIBs", kernel, "1.25", _ratio(results, ours, kernel)),
        ("", documents, _MISSING, _ratio(results, ours, documents)),
        ("", "peak RSS", "130 MiB" if count == min(spread) else "900 MiB", peak),
    ]
    if count != min(spread):
        times = results[ours].median / spread[min(spread)][ours].median
        rows.append(("", f"{min(spread):,} VIBs", "11", f"{times:.1f}"))
    return rows

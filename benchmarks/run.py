"""Measure this library beside tools and bare kernels that do the same work, in turn.

Each job is a whole process. A round runs every job once, so that a slow minute of the machine
falls on all of them; medians over the rounds are printed as Markdown tables, with ratios, peak
memory, date and machine. Goals are ratios taken in one run: seconds say little elsewhere.

    python benchmarks/run.py                    # everything, 5 rounds: some minutes, 5 GB of disk
    python benchmarks/run.py --rounds 9 --folder /mnt/fast --huge

Needs cp, unzip, bsdtar and xorriso; jobs of tools that are not there are left out. Unix only.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from benchmarks.depot_plan import VERSION
from benchmarks.tables import Result, print_goals, print_growth, print_results

_HERE = Path(__file__).resolve().parent
_DEPOT_VIBS = 10_000

_GZIP_TEST = 'while read -r file; do gzip -t < "$file"; done < "$1"'

# Unpack, take apart, write: what one does without this library, and without any check.
_PIPELINE = """
set -e
unzip -q "$1" -d "$2"
for vib in "$2"/vib20/*/*.vib; do
    name=${vib##*/}
    mkdir -p "$2/disc/$name"
    bsdtar -xf "$vib" -C "$2/disc/$name"
done
[ -z "$3" ] || xorriso -as mkisofs -quiet -iso-level 3 -R -o "$3" "$2/disc"
"""


class Job(NamedTuple):
    """One thing to measure: a command, the tool it needs, and what it leaves behind."""

    name: str
    command: list[str]
    leaves: tuple[Path, ...] = ()


class Bench:
    """Depots to measure with, and the jobs over them."""

    def __init__(self, folder: Path, *, megabytes: int) -> None:
        self.folder = folder.resolve()
        folder = self.folder
        self.out = folder / "out"
        self.work = folder / "work"
        self.ready = folder / "ready"
        self.depot = self._make(f"depot-{megabytes}-180.zip", megabytes=megabytes, vibs=180)
        self.many = self._make("many-20-250.zip", megabytes=20, vibs=250)

    def _make(self, name: str, *, megabytes: int, vibs: int, level: int = 6, first: int = 0) -> Path:
        target = self.folder / name
        if not target.exists():
            print(f"making {target.name} ...", file=sys.stderr)
            command = [sys.executable, str(_HERE / "make_depot.py"), str(target)]
            sizes = ["--megabytes", str(megabytes), "--vibs", str(vibs)]
            options = ["--level", str(level), "--first", str(first)]
            subprocess.run([*command, *sizes, *options], check=True, stdout=subprocess.DEVNULL)
        return target

    def descriptors(self, count: int) -> Path:
        """Return a folder of depots with 10,000 small VIBs each, but for the few that all of them share."""
        folder = self.folder / f"descriptors-{count}"
        folder.mkdir(exist_ok=True)
        for first in range(0, count, _DEPOT_VIBS):
            name, vibs = f"{folder.name}/from-{first:06}.zip", min(count, _DEPOT_VIBS)
            self._make(name, megabytes=max(vibs // 250, 1), vibs=vibs, level=1, first=first)
        return folder

    def start_jobs(self) -> list[Job]:
        """Return jobs that only start: Python, the library, the library with all that it ever loads."""
        every_name = "import esximage_builder as e; [getattr(e, name) for name in e.__all__]"
        return [
            Job("start Python", [sys.executable, "-c", "pass"]),
            Job("**import esximage_builder**", [sys.executable, "-c", "import esximage_builder"]),
            Job("**import it and use every name**", [sys.executable, "-c", every_name]),
        ]

    def large_jobs(self) -> list[Job]:
        """Return the jobs over the large depot."""
        depot, out = str(self.depot), str(self.out)
        jobs = [
            Job("cp", ["cp", depot, out], (self.out,)),
            Job("cp, then sync", ["sh", "-c", 'cp "$1" "$2" && sync "$2"', "sh", depot, out], (self.out,)),
            Job("unzip -t", ["unzip", "-tqq", depot]),
            Job("zipfile.testzip", _kernel("testzip", depot)),
            Job("sha-256 of the zip", _kernel("sha256", depot)),
            *(
                Job(f"bare kernel of bundle, {text}", _kernel("bundle", depot, out, "--threads", count), (self.out,))
                for text, count in (("1 thread", "1"), ("2 threads", "2"))
            ),
            *(
                Job(f"bare kernel of ISO, {text}", _kernel("iso", depot, out, "--threads", count), (self.out,))
                for text, count in (("1 thread", "1"), ("2 threads", "2"))
            ),
            Job("**verify, stored bytes**", _ours("verify-stored", depot)),
            Job("**verify, unpacked bytes**", _ours("verify-unpacked", depot)),
            Job("**verify, unpacked bytes, 1 thread**", _ours("verify-unpacked-alone", depot)),
            Job("**open**", _ours("open", depot)),
            Job("**open, compose, validate**", _ours("check", depot)),
            Job("**export bundle**", _ours("export-bundle", depot, out), (self.out,)),
            Job("**export ISO**", _ours("export-iso", depot, out), (self.out,)),
            Job("**export stick**", _ours("export-usb", depot, out), (self.out,)),
            Job("**esximage build --iso**", self._build(), (self.out.with_suffix(".iso"),)),
            Job(
                "naive script, zipfile and pycdlib, no checks",
                [sys.executable, str(_HERE / "naive.py"), depot, out],
                (self.out,),
            ),
        ]
        return jobs + self._disc_jobs()

    def growth_jobs(self) -> list[Job]:
        """Return the jobs whose cost shall grow with the bytes."""
        depot, out = str(self.depot), str(self.out)
        return [
            Job("**verify, unpacked bytes**", _ours("verify-unpacked", depot)),
            Job("**export bundle**", _ours("export-bundle", depot, out), (self.out,)),
            Job("**export ISO**", _ours("export-iso", depot, out), (self.out,)),
        ]

    def _build(self) -> list[str]:
        """Return the whole command that a user types."""
        target = str(self.out.with_suffix(".iso"))
        command = [sys.executable, "-m", "esximage_builder", "build", "--depot", str(self.depot), "--base", VERSION]
        return [*command, "--iso", target, "--force"]

    def _disc_jobs(self) -> list[Job]:
        if not all(map(shutil.which, ("unzip", "bsdtar", "xorriso"))):
            return []
        if not self.ready.exists():
            self._unpack()
        disc, out = str(self.ready / "disc"), str(self.out)
        pipeline = ["sh", "-c", _PIPELINE, "sh", str(self.depot), str(self.work), out]
        gzip_files = str(self._list_gzip_files())
        jobs = [
            Job("gzip -t of all payloads", ["sh", "-c", _GZIP_TEST, "sh", gzip_files]),
            Job("xorriso from ready files", [*_mkisofs("xorriso"), out, disc], (self.out,)),
            Job("unzip + bsdtar + xorriso, no checks", pipeline, (self.out, self.work)),
        ]
        if shutil.which("genisoimage"):
            jobs.insert(0, Job("genisoimage from ready files", [*_mkisofs("genisoimage"), out, disc], (self.out,)))
        return jobs

    def _unpack(self) -> None:
        print("unpacking for xorriso ...", file=sys.stderr)
        subprocess.run(["sh", "-c", _PIPELINE, "sh", str(self.depot), str(self.ready), ""], check=True)

    def _list_gzip_files(self) -> Path:
        """Return a file that names all payloads that are gzip files, one on a line."""
        listing = self.ready / "gzip-files"
        with listing.open("w") as lines:
            for path in sorted(self.ready.glob("disc/*/*")):
                with path.open("rb") as file:
                    if file.read(2) == b"\x1f\x8b":
                        lines.write(f"{path}\n")
        return listing

    def run_all(self, jobs: list[Job], *, rounds: int) -> dict[str, Result]:
        """Run all jobs in turn, so many times."""
        seconds: dict[str, list[float]] = {}
        peaks: dict[str, int] = {}
        for number in range(rounds):
            print(f"round {number + 1} of {rounds}: {len(jobs)} jobs", file=sys.stderr)
            for job in jobs:
                if shutil.which(job.command[0]) is None:
                    continue
                taken, peak = self._run(job)
                seconds.setdefault(job.name, []).append(taken)
                peaks[job.name] = max(peaks.get(job.name, 0), peak)
        return {name: Result(times, peaks[name]) for name, times in seconds.items()}

    def _run(self, job: Job) -> tuple[float, int]:
        """Run a job with clean ground: no old output, nothing left to be written to the disk."""
        _remove(job.leaves)
        os.sync()
        result = self.folder / "result.json"
        command = [sys.executable, "-S", "-E", str(_HERE / "measure.py"), str(result), *job.command]
        subprocess.run(command, check=True, cwd=self.folder)
        measured = json.loads(result.read_text())
        _remove(job.leaves)
        return measured["seconds"], measured["peak_bytes"]

    def inside(self, depot: Path, *, rounds: int) -> dict[str, float]:
        """Return medians in seconds of what is measured inside one process."""
        command = [sys.executable, str(_HERE / "ours.py"), "inside", str(depot), "--rounds", str(rounds)]
        found: dict[str, float] = json.loads(subprocess.check_output(command))
        return found


def _kernel(*arguments: str) -> list[str]:
    return [sys.executable, str(_HERE / "kernels.py"), *arguments]


def _ours(*arguments: str) -> list[str]:
    return [sys.executable, str(_HERE / "ours.py"), *arguments]


def _mkisofs(tool: str) -> list[str]:
    return [tool, *(["-as", "mkisofs"] if tool == "xorriso" else []), "-quiet", "-iso-level", "3", "-R", "-o"]


def _remove(paths: tuple[Path, ...]) -> None:
    for path in paths:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _machine() -> str:
    return f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"


def _descriptor_jobs(depot: Path) -> list[Job]:
    return [
        Job("kernel: all descriptors", _kernel("descriptors", str(depot))),
        Job("kernel: all documents", _kernel("documents", str(depot))),
        Job("**open**", _ours("open", str(depot))),
    ]


def run(folder: Path, *, rounds: int, megabytes: int, counts: list[int]) -> None:
    """Make the depots, run everything and print the tables."""
    bench = Bench(folder, megabytes=megabytes)
    spread_depots = {count: bench.descriptors(count) for count in counts}
    floor_bytes = bench.run_all([Job("true", ["true"])], rounds=3)["true"].peak_bytes
    start = bench.run_all(bench.start_jobs(), rounds=max(rounds, 11))
    inside = bench.inside(bench.many, rounds=max(rounds, 21))
    large = bench.run_all(bench.large_jobs(), rounds=rounds)
    spread = {count: bench.run_all(_descriptor_jobs(depot), rounds=rounds) for count, depot in spread_depots.items()}
    size = bench.depot.stat().st_size / 1_000_000
    print(f"{datetime.now(UTC):%Y-%m-%d}, {_machine()}, {rounds} rounds in turn, warm page cache.\n")
    print(f"Whole processes over a depot of 180 VIBs, {size:.0f} MB:\n")
    print_results(large, unit="cp", floor_bytes=floor_bytes)
    print("Starting:\n")
    print_results(start, unit="start Python", floor_bytes=floor_bytes)
    print(f"Inside one warm process, a depot of {inside['vibs']:.0f} VIBs:\n")
    print("| work | median ms |\n|---|---|")
    for name, value in inside.items():
        if name != "vibs":
            print(f"| {name} | {value * 1000:.1f} |")
    print()
    for count, results in spread.items():
        print(f"Whole processes over {count:,} small VIBs, one component for each:\n")
        print_results(results, unit="kernel: all descriptors", floor_bytes=floor_bytes)
    print("Against the goals:\n")
    print_goals(large, start, inside, spread)


def run_growth(folder: Path, *, rounds: int, megabytes: list[int], counts: list[int]) -> None:
    """Print what ten times the bytes and ten times the VIBs cost."""
    by_size: dict[int, dict[str, Result]] = {}
    for size in megabytes:
        bench = Bench(folder, megabytes=size)
        by_size[size] = bench.run_all(bench.growth_jobs(), rounds=rounds)
    by_count: dict[int, dict[str, Result]] = {}
    for count in counts:
        bench = Bench(folder, megabytes=megabytes[0])
        many = bench.descriptors(count)
        by_count[count] = bench.run_all([Job("**open**", _ours("open", str(many)))], rounds=rounds)
    print(f"{datetime.now(UTC):%Y-%m-%d}, {_machine()}, {rounds} rounds in turn, warm page cache.\n")
    print_growth(by_size, unit="MB")
    print_growth(by_count, unit="VIBs")


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure this library beside tools and bare kernels.")
    parser.add_argument("--folder", type=Path, help="where depots are made and kept; a temporary one without it")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--megabytes", type=int, default=500)
    parser.add_argument("--growth", action="store_true", help="only measure how cost grows: MB and VIBs tenfold twice")
    parser.add_argument("--huge", action="store_true", help="also open 100,000 VIBs, in ten depots")
    options = parser.parse_args()
    counts = [10_000, *([100_000] if options.huge else [])]
    if options.growth and options.folder is not None:
        options.folder.mkdir(parents=True, exist_ok=True)
        run_growth(options.folder, rounds=options.rounds, megabytes=[50, 500, 5000], counts=[100, 1000, *counts])
        return
    if options.folder is not None:
        options.folder.mkdir(parents=True, exist_ok=True)
        run(options.folder, rounds=options.rounds, megabytes=options.megabytes, counts=counts)
        return
    with tempfile.TemporaryDirectory(prefix="esximage-bench-") as folder:
        run(Path(folder), rounds=options.rounds, megabytes=options.megabytes, counts=counts)


if __name__ == "__main__":
    main()

"""The log of all fuzzing: one JSON line for each turn of a target, so that runs add up.

The repository has the log of all runs (``log.jsonl``); a state folder has one of its own until
``collect.py`` adds its lines.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self, final

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["LOG", "Turn", "append_turn", "read_log", "read_turns", "render_log", "render_table"]

LOG: Final = Path(__file__).with_name("log.jsonl")


@final
@attrs.frozen(kw_only=True)
class Turn:
    """Some seconds of one target.

    Attributes:
        target: Its name.
        date: When it began, in UTC.
        seconds: How long it took by the clock.
        cpu_seconds: How long the processor worked on it.
        executions: How many inputs were tried.
        edges: How many branches of our code were reached, of all inputs so far.
        features: The same, with how often they were taken.
        findings: How many were new.
    """

    target: str
    date: str
    seconds: float = 0
    cpu_seconds: float = 0
    executions: int = 0
    edges: int = 0
    features: int = 0
    findings: int = 0

    @classmethod
    def begun(cls, target: str) -> Self:
        """Return a turn that begins now."""
        return cls(target=target, date=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"))

    def plus(self, cpu_seconds: float, executions: int, edges: int, features: int) -> Turn:
        """Return the turn with one more process in it."""
        return attrs.evolve(
            self,
            cpu_seconds=round(self.cpu_seconds + cpu_seconds, 1),
            executions=self.executions + executions,
            edges=max(self.edges, edges),
            features=max(self.features, features),
        )

    def ended(self, *, seconds: float, findings: int) -> Turn:
        """Return the turn as it goes into the log."""
        return attrs.evolve(self, seconds=round(seconds, 1), findings=findings)


def read_log(path: Path) -> tuple[Turn, ...]:
    """Return the turns of one log, in its order; none if it is not there."""
    if not path.is_file():
        return ()
    return tuple(Turn(**json.loads(line)) for line in path.read_text(encoding="ascii").splitlines())


def read_turns(state: Path) -> tuple[Turn, ...]:
    """Return the turns of all runs: those of the repository and those of a state folder, each once."""
    return tuple(dict.fromkeys((*read_log(LOG), *read_log(state / LOG.name))))


def append_turn(turn: Turn, state: Path) -> None:
    """Add a turn to the log of a state folder."""
    with (state / LOG.name).open("a", encoding="ascii") as file:
        file.write(render_log([turn]))


def render_log(turns: Iterable[Turn]) -> str:
    """Return the text of a log."""
    return "".join(json.dumps(attrs.asdict(turn)) + "\n" for turn in turns)


def render_table(turns: Iterable[Turn]) -> str:
    """Return the table of the documentation: a row for each target, and the sum."""
    by_target: dict[str, list[Turn]] = defaultdict(list)
    for turn in turns:
        by_target[turn.target].append(turn)
    lines = [
        "| Target | Minutes | Of the processor | Executions | Edges | Features | Findings |",
        "|---|---:|---:|---:|---:|---:|---:|",
        *(_row(f"`{target}`", of_it, edges=True) for target, of_it in sorted(by_target.items())),
        _row("All", [turn for of_it in by_target.values() for turn in of_it], edges=False),
    ]
    return "\n".join(lines) + "\n"


def _row(name: str, turns: list[Turn], *, edges: bool) -> str:
    cells = (
        f"{sum(turn.seconds for turn in turns) / 60:.1f}",
        f"{sum(turn.cpu_seconds for turn in turns) / 60:.1f}",
        f"{sum(turn.executions for turn in turns):,}",
        f"{max((turn.edges for turn in turns), default=0):,}" if edges else "",
        f"{max((turn.features for turn in turns), default=0):,}" if edges else "",
        str(sum(turn.findings for turn in turns)),
    )
    return f"| {name} | {' | '.join(cells)} |"

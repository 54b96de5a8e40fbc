"""A room with a source and a neighbour, where a test sees that nothing else appeared."""

from __future__ import annotations

import contextlib
import hashlib
import re
from typing import TYPE_CHECKING, final

import attrs
import pytest

import esximage_builder as eib

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SECRET = "the neighbour's secret"  # noqa: S105 - no password, but what must not be read


@final
@attrs.frozen
class Room:
    """A folder in which the working directory and the folder for temporary files lie too."""

    folder: Path

    @property
    def secret(self) -> Path:
        """A file of somebody else's, beside the folder that sources lie in."""
        return self.folder / "neighbour" / "secret.txt"

    @property
    def out(self) -> Path:
        """The only folder that may be written to."""
        return self.folder / "out"

    def put(self, name: str, data: bytes) -> Path:
        """Write a source."""
        path = self.folder / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def contents(self) -> dict[str, str]:
        """All that is there outside of ``out``."""
        paths = (path for path in sorted(self.folder.rglob("*")) if not path.is_relative_to(self.out))
        return {path.relative_to(self.folder).as_posix(): _state(path) for path in paths}

    @contextlib.contextmanager
    def untouched(self) -> Iterator[None]:
        """Nothing appears, changes or goes, in ``out`` neither."""
        before = self.contents()
        yield
        assert self.contents() == before
        assert sorted(self.out.rglob("*")) == []

    def refuses(
        self,
        act: Callable[[], object],
        error: type[eib.EsxImageError],
        match: str,
    ) -> eib.EsxImageError:
        """Return the error with which an act ended that left nothing behind; one of them if there are several."""
        with self.untouched(), pytest.raises(eib.EsxImageError) as caught:
            act()
        assert SECRET not in str(caught.value)
        told = [one for one in _each(caught.value) if isinstance(one, error) and re.search(match, one.message)]
        assert told, repr(caught.value)
        return told[0]

    def refuses_depot(
        self,
        data: bytes,
        error: type[eib.EsxImageError],
        match: str,
        *,
        name: str = "depot.zip",
        limits: eib.ReadLimits | None = None,
    ) -> eib.EsxImageError:
        """Return the error about a depot, which no other way of looking at it takes for sound either."""
        path = self.put(name, data)
        refusal = self.refuses(lambda: eib.open_depot(path, limits=limits).close(), error, match)
        with self.untouched():
            assert _is_told(path, limits)
        return refusal


def _each(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _each(inner)
    else:
        yield error


def _state(path: Path) -> str:
    if path.is_symlink():
        return f"link to {path.readlink()}"
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "no file"


def _is_told(path: Path, limits: eib.ReadLimits | None) -> bool:
    """Open without being strict: the error is a finding then, or still an error."""
    try:
        with eib.open_depot(path, strict=False, limits=limits) as depot:
            findings = depot.catalog.findings
    except eib.EsxImageError:
        return True
    assert SECRET not in repr(findings)
    return any(finding.severity is eib.Severity.ERROR for finding in findings)

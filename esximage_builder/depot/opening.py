"""Opening depots: a catalog of what they hold, and a store of the bytes."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Self, final

import attrs

from esximage_builder.containers.cms import require_anchors
from esximage_builder.depot.gathered import GatheredErrors
from esximage_builder.depot.merge import merge_sources
from esximage_builder.depot.origins import files_of, origins_of
from esximage_builder.depot.sniff import FileKind, sniff
from esximage_builder.depot.source import SourceContents, VibLocation, read_source, unreadable_source
from esximage_builder.depot.spool import Spool
from esximage_builder.depot.store import MeasuredFiles, facts_of_vibs
from esximage_builder.depot.verifying import VerifiedVib, verify_vibs
from esximage_builder.errors import (
    DepotErrors,
    EsxImageError,
    ModelError,
    NotADepotError,
    NotInDepotError,
    SourceUnreadableError,
)
from esximage_builder.limits import ReadBudget, ReadLimits
from esximage_builder.progress import Progress, no_progress
from esximage_builder.shown import ShownAsPage

if TYPE_CHECKING:
    import os
    from collections.abc import Collection, Iterator, Mapping
    from types import TracebackType

    from esximage_builder.documents.vib_archive import VibHead
    from esximage_builder.models.catalog import Catalog
    from esximage_builder.models.vib import Vib, VibFile
    from esximage_builder.models.vib_facts import VibFacts
    from esximage_builder.models.vib_store import PackedVib

__all__ = ["Depot", "open_depot", "open_within", "read_image_database"]


@final
class Depot(ShownAsPage):
    """Opened depots; a context manager whose VIBs can be read until it is left.

    Their files must stay what they are meanwhile; few of them are open at a time.

    Attributes:
        catalog: What they hold.
        limits: The bounds they were read with.
        source_files: The files they were opened from, and all that was in folders, with what the
            system said of each then, its inode number above all. No export replaces one.
    """

    def __init__(
        self,
        catalog: Catalog,
        locations: dict[tuple[str, str], list[VibLocation]],
        stack: contextlib.ExitStack,
        limits: ReadLimits,
        source_files: Mapping[Path, os.stat_result] | None = None,
    ) -> None:
        self.catalog = catalog
        self.source_files: Mapping[Path, os.stat_result] = source_files or {}
        self.limits = limits
        self._locations = locations
        self._stack = stack
        self._is_closed = False
        self._facts = MeasuredFiles(self, key_of=self._location, limits=limits)

    def __repr__(self) -> str:
        return f"<{'closed ' if self._is_closed else ''}Depot: {self.catalog!r}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the files; the catalog stays usable, the bytes do not."""
        self._is_closed = True
        self._stack.close()

    def _location(self, vib: Vib) -> VibLocation:
        if self._is_closed:
            raise SourceUnreadableError(
                f"the depot was closed before {vib.id} was read",
                where=", ".join(self.catalog.sources),
                hint="export inside the with block that opened the depot",
            )
        # The digest of a loose VIB is not known until an export measures it: its descriptor finds it too.
        places = self._locations.get((vib.id, vib.fingerprint)) or self._locations.get(
            (vib.id, vib.with_file(None).fingerprint)
        )
        if not places:
            raise NotInDepotError(
                f"no opened depot holds the bytes of {vib.id}",
                found=vib.fingerprint,
                hint="take the VIB from this depot's own catalog",
            )
        return next((place for place in places if place.tree.holds_bytes), places[0])

    def where_is(self, vib: Vib) -> str:
        """Return how to name the VIB's file in messages.

        Raises:
            NotInDepotError: No opened depot holds it.
        """
        return self._location(vib).where

    def open_vib(self, vib: Vib) -> BinaryIO:
        """Open the whole ``.vib`` file; the caller closes it.

        Raises:
            NotInDepotError: No opened depot holds it.
            DepotError: The bytes cannot be read or are damaged; may also come while reading.
        """
        location = self._location(vib)
        return location.tree.open(location.path)

    def open_packed_vib(self, vib: Vib) -> contextlib.AbstractContextManager[PackedVib] | None:
        """Return the VIB as packed in its zip, or None if it lies in a folder.

        Raises:
            NotInDepotError: No opened depot holds it.
        """
        location = self._location(vib)
        return location.tree.open_packed(location.path)

    def read_vib_head(self, vib: Vib) -> VibHead:
        """Return the exact descriptor bytes and the signature; only that prefix is inflated, and once.

        Raises:
            NotInDepotError: No opened depot holds it.
            DepotError: The file is no VIB or is damaged.
        """
        return self._facts.vib_head(vib, where=self.where_is(vib))

    def vib_head(self, vib: Vib) -> VibHead:
        """Return the same as ``read_vib_head``; errors name the VIB by its id, as all of exports do."""
        return self._facts.vib_head(vib)

    def file_facts(self, vib: Vib) -> VibFile:
        """Return size and SHA-256 of the whole ``.vib`` file; read once where no metadata states both.

        Raises:
            NotInDepotError: No opened depot holds it.
            ChecksumMismatchError: What the metadata does state is not what was read.
            DepotError: The bytes cannot be read or are damaged.
        """
        return self._facts.file_facts(vib)

    def vib_facts(self, vib: Vib) -> VibFacts:
        """Return what the VIB's own descriptor says, and whether a signature is there; read once.

        Raises:
            NotInDepotError: No opened depot holds it.
            DepotError: The file is no VIB or is damaged.
        """
        return self._facts.vib_facts(vib)

    def facts_of(self, vibs: Iterable[Vib], *, anchors: bytes | None = None) -> tuple[VibFacts, ...]:
        """Return the facts about those VIBs that the depot holds, for ``validate``.

        A VIB that cannot be read is told of in its facts. A closed depot knows nothing.

        Args:
            vibs: Of this depot.
            anchors: Certificates to trust, in PEM; None asks of signatures only what they cover.

        Raises:
            ModelError: ``anchors`` are no certificates.
            MissingExtraError: ``anchors`` need the extra ``signatures``, which is not installed.
        """
        require_anchors(anchors)
        return () if self._is_closed else facts_of_vibs(vibs, self, anchors=anchors)

    def verify(
        self,
        *,
        deep: bool = True,
        anchors: bytes | None = None,
        workers: int = 2,
        progress: Progress = no_progress,
    ) -> tuple[VerifiedVib, ...]:
        """Read every VIB to its end: all checksums, stored and unpacked, descriptor and signatures.

        Nothing is kept in memory but what was found, which is the same for any number of workers.

        Args:
            deep: Unpack payloads and check those checksums too.
            anchors: Certificates to trust, in PEM; None asks of signatures only what they cover.
            workers: How many VIBs are read at a time.
            progress: Told how many bytes of all are read, after each VIB and several times a second, from the
                calling thread.

        Returns:
            One for each VIB of the catalog, in its order; damage is a finding, not an exception.

        Raises:
            ModelError: No such number of workers, or ``anchors`` that are no certificates.
            MissingExtraError: ``anchors`` need the extra ``signatures``, which is not installed.
        """
        return verify_vibs(
            self.catalog.vibs,
            self,
            limits=self.limits,
            deep=deep,
            anchors=anchors,
            workers=workers,
            progress=progress,
        )

    def sources_of(self, vib: Vib) -> tuple[str, ...]:
        """Return the names of the sources that hold the VIB; empty if none does."""
        return self.catalog.sources_of(vib)

    def with_file_facts(self, vib_ids: Collection[str]) -> Catalog:
        """Return the catalog with size and SHA-256 of the files of these VIBs, whatever their metadata states.

        Raises:
            DepotError: As ``file_facts`` raises it.
        """
        return attrs.evolve(
            self.catalog,
            vibs=[vib.with_file(self.file_facts(vib)) if vib.id in vib_ids else vib for vib in self.catalog.vibs],
        )


def open_depot(
    *sources: str | Path | BinaryIO | Iterable[str | Path | BinaryIO],
    limits: ReadLimits | None = None,
    strict: bool = True,
) -> Depot:
    """Open depots together: offline bundles, unpacked ones, ``.vib`` files, zips of depot zips, discs.

    Only metadata is read. What several sources hold stands in the catalog once. An image
    database is a source too, but has no bytes of VIBs: see ``read_image_database``.

    A file that the caller opened does where a path does, if it is binary and can seek, wherever
    its bytes come from; it must stay open as long as the depot, and nobody else may move its position.

    Args:
        sources: Paths, open binary files, or lists of them; at least one.
        limits: Upper bounds; None takes the defaults of ``ReadLimits``.
        strict: Raise if any document is unreadable. False turns such errors into findings
            ``unreadable-document`` and ``unreadable-source`` and keeps the rest.

    Returns:
        The opened depots, a context manager.

    Raises:
        NotADepotError: A source is something else; the error names it.
        SourceUnreadableError: A source is missing or cannot be read.
        DepotErrors: Several documents or sources are unreadable.
        DepotError: One is.
        ModelError: No source was given, or what is neither a path nor such a file.
    """
    return open_within(ReadBudget(limits or ReadLimits()), *sources, strict=strict)


def open_within(
    budget: ReadBudget, *sources: str | Path | BinaryIO | Iterable[str | Path | BinaryIO], strict: bool
) -> Depot:
    """Open depots as ``open_depot`` does, as a part of something that costs more."""
    origins = origins_of(sources)
    if not origins:
        raise ModelError("no source was given", expected="at least one path", hint="name a bundle, a folder or a .vib")
    bounds = budget.limits
    with _collector_at_rest(), contextlib.ExitStack() as stack:
        spool = Spool(stack, budget)
        contents = []
        errors = GatheredErrors(bounds.gathered_errors)
        for origin in origins:
            try:
                contents.append(read_source(origin, stack=stack, spool=spool, limits=bounds, budget=budget))
            except EsxImageError as error:
                if not strict:
                    contents.append(_unreadable(origin.name, error))
                errors.add(error)
        for content in contents:
            errors.take(content.errors)
        if errors and strict:
            raise _all_of(errors)
        for content in contents:
            content.findings += content.unread
        catalog, locations = merge_sources(contents, budget=budget)
        files = files_of(origins, most=bounds.member_count)
        return Depot(catalog, locations, stack.pop_all(), bounds, files)
    raise AssertionError  # pragma: no cover - the stack swallows no exception


@contextlib.contextmanager
def _collector_at_rest() -> Iterator[None]:
    """Keep the cyclic collector from walking again and again over what is read, none of which is garbage."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def read_image_database(path: str | Path, *, limits: ReadLimits | None = None, strict: bool = True) -> Depot:
    """Read the image database of a host or disc: what is installed, with what, and where it came from.

    The result is a depot without the bytes of its VIBs. Its catalog serves to look, compose,
    validate and compare; descriptor and signature of each VIB are there. Whatever needs
    payloads, such as an export, gets a ``NotInDepotError``, unless another source that is
    opened beside it with ``open_depot`` holds the VIB.

    Args:
        path: An ``imgdb.tgz``, a folder ``var/db/esximg``, or a folder that contains one.
        limits: Upper bounds; None takes the defaults of ``ReadLimits``.
        strict: Raise if any document is unreadable; see ``open_depot``.

    Returns:
        The catalog and the VIBs' heads; it need not be closed.

    Raises:
        NotADepotError: It is something else, or holds no image database.
        SourceUnreadableError: It is missing or cannot be read.
        DepotErrors: Several documents are unreadable.
        DepotError: One is, or the archive is damaged.
    """
    sniffed = sniff(path)
    if sniffed.kind is not FileKind.IMAGE_DATABASE:
        raise NotADepotError(
            "this is no image database",
            where=str(path),
            found=sniffed.kind.value,
            expected="an imgdb.tgz, or a folder var/db/esximg",
            hint="open depots and discs with open_depot",
        )
    return open_depot(path, limits=limits, strict=strict)


def _all_of(errors: GatheredErrors) -> EsxImageError:
    """Return the only error, or all that were kept with a count of the others."""
    kept = list(errors)
    if len(kept) == 1 and not errors.left_out:
        return kept[0]
    others = f", {errors.left_out} more errors are not listed" if errors.left_out else ""
    return DepotErrors(f"the depots cannot be read completely{others}", kept)


def _unreadable(source: str, error: EsxImageError) -> SourceContents:
    return SourceContents(source, findings=[unreadable_source(error)])

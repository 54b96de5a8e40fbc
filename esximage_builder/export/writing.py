"""Writing outputs of an image together: one pass over the VIBs, and all appear or none.

Each output is planned before, so that what can be refused without bytes is refused before any
target is touched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, final

from esximage_builder.export.result import ExportResult, result_of_data
from esximage_builder.export.spool import Spool
from esximage_builder.export.vib_pass import pass_over_vibs
from esximage_builder.streams.room import writing
from esximage_builder.streams.side_by_side import number_of_workers
from esximage_builder.streams.whole_file import whole_targets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from esximage_builder.depot.store import MeasuredVibStore
    from esximage_builder.export.disc_archives import Archive
    from esximage_builder.export.vib_pass import FileTaker, PayloadTaker
    from esximage_builder.limits import ReadLimits
    from esximage_builder.models.image import Image
    from esximage_builder.models.vib import Vib
    from esximage_builder.progress import Progress
    from esximage_builder.streams.target import Target
    from esximage_builder.streams.whole_file import WholeTargets

__all__ = ["DocumentOutput", "Output", "write_outputs"]

_TOGETHER = "image"


class Output(Protocol):
    """One file or folder to be written of an image, planned to the last byte.

    Attributes:
        stage: What progress calls it.
        total_bytes: How many bytes it tells of: what it takes of VIBs, and what it writes in the end.
        archives: Generated archives whose members wait in the spool.
        file_takers: Those in it who want whole VIBs.
        payload_takers: Those in it who want payloads.
        target: Where it shall appear.
    """

    stage: str
    total_bytes: int
    archives: Sequence[Archive]
    file_takers: Sequence[FileTaker]
    payload_takers: Sequence[PayloadTaker]
    target: Path

    def begin(self, targets: WholeTargets) -> None:
        """Open the target and write what needs no VIB."""

    def finish(self, spool: Spool, tell: Callable[[int], None]) -> None:
        """Write what comes after the VIBs, and read back what is promised to be read back."""

    def result(self) -> ExportResult:
        """Say what was written."""


def write_outputs(
    outputs: Sequence[Output],
    vibs: Iterable[Vib],
    store: MeasuredVibStore,
    *,
    limits: ReadLimits,
    progress: Progress,
    workers: int | None = None,
) -> list[ExportResult]:
    """Write outputs of one image; every VIB is read once, whatever the outputs take of it.

    Args:
        outputs: What to write; at least one.
        vibs: Those of the image, as the store knows them.
        store: Gives their bytes.
        limits: Upper bounds for reading VIBs.
        progress: Told how many bytes have come to their places, in all outputs together.
        workers: How many VIBs are read at a time; None takes two where there are two cores.

    Returns:
        A result for each, in their order.

    Raises:
        ExportError: One cannot be written, or reads back otherwise than planned; none has appeared.
        ChecksumMismatchError: Bytes are not what their metadata says.
        DepotError: A VIB's bytes cannot be read.
    """
    number = number_of_workers(workers)
    booting = [output for output in outputs if output.archives]
    spool = Spool(
        (archive for output in booting for archive in output.archives),
        where=str((booting or outputs)[0].target),
    )
    meter = _Meter(outputs, spool, progress)
    with whole_targets() as targets:
        for output in outputs:
            output.begin(targets)
        meter.tell(0)
        with spool:
            pass_over_vibs(
                vibs,
                store,
                files=[*(taker for output in outputs for taker in output.file_takers), spool],
                payloads=[*(taker for output in outputs for taker in output.payload_takers), spool],
                limits=limits,
                tell=meter.tell,
                workers=number,
            )
            for output in outputs:
                output.finish(spool, meter.tell)
        meter.tell(0)
    return [output.result() for output in outputs]


@final
class _Meter:
    """Says how far all outputs together are."""

    def __init__(self, outputs: Sequence[Output], spool: Spool, progress: Progress) -> None:
        stages = {output.stage for output in outputs if output.total_bytes}
        self._stage = stages.pop() if len(stages) == 1 else _TOGETHER
        self._total_bytes = spool.total_bytes + sum(output.total_bytes for output in outputs)
        self._done_bytes = 0
        self._progress = progress

    def tell(self, count: int) -> None:
        """Add bytes that have come to their place."""
        self._done_bytes += count
        self._progress(self._stage, self._done_bytes, self._total_bytes)


@final
class DocumentOutput:
    """An output that is a document about the image, and holds nothing of its VIBs.

    Args:
        image: What it is about.
        target: The file.
        data: All of it.
    """

    stage = "document"
    total_bytes = 0
    archives: Sequence[Archive] = ()
    file_takers: Sequence[FileTaker] = ()
    payload_takers: Sequence[PayloadTaker] = ()

    def __init__(self, image: Image, target: Target, data: bytes) -> None:
        self._image = image
        self._place = target
        self.target = target.named
        self._data = data

    def begin(self, targets: WholeTargets) -> None:
        """Write the document."""
        size = len(self._data)
        with writing(self._place, size):
            targets.file(self._place, size_bytes=size).write(self._data)

    def finish(self, spool: Spool, tell: Callable[[int], None]) -> None:
        """Do nothing: the document is written."""

    def result(self) -> ExportResult:
        """Say what was written."""
        return result_of_data(self.target, self._data, image_digest=self._image.digest)

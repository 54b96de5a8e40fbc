"""ESXi releases by name: what is publicly known of each, and finding one in a catalog.

The table holds public values only. Where the full base image version was never published,
only build and release are known and nothing is made up; the catalog's own base images
always come first.

Source: public build lists, profile names and KB articles; see docs/formats.md#releases.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, final

import attrs

from esximage_builder.errors import ModelError, NotInDepotError, VersionSyntaxError
from esximage_builder.shown import Shown
from esximage_builder.versions import BaseImageVersion, ProductRange, ReleaseName

if TYPE_CHECKING:
    from esximage_builder.models.base_image import BaseImage
    from esximage_builder.models.catalog import Catalog

__all__ = [
    "KNOWN_RELEASES",
    "KnownRelease",
    "is_base_image_version",
    "is_minor_train",
    "known_release",
    "publication_date",
    "release_date",
    "release_name",
    "release_name_of",
    "resolve_base_image",
    "select_base_images",
    "train_of",
]

_FIRST_MINOR_TRAIN_MAJOR = 9


def is_minor_train(major: int) -> bool:
    """Tell whether a minor release is a train of that major release (from 9.0); before, an update release is."""
    return major >= _FIRST_MINOR_TRAIN_MAJOR


def train_of(numbers: tuple[int, ...]) -> tuple[int, ...]:
    """Return the release train of a product release: ``(7, 0, 3)`` up to 8.x, ``(9, 0)`` from 9.0."""
    return numbers[:2] if numbers and is_minor_train(numbers[0]) else numbers[:3]


def _require_release(_: object, __: object, text: str) -> None:
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})*", text) is None:
        raise VersionSyntaxError("this is no product release", found=repr(text)[:120], expected="a text such as 7.0.3")


def _require_date(_: object, __: object, text: str) -> None:
    try:
        datetime.fromisoformat(text or "2022-09-01")
    except ValueError as error:
        raise ModelError("this is no date", found=repr(text)[:120], expected="a text such as 2022-09-01") from error


@final
@attrs.frozen(repr=False)
class KnownRelease(Shown):
    """One published release.

    Attributes:
        name: ``7.0U3g``; dotted for releases since 9.0.
        product: ``7.0.3``.
        build: Build number of its image profile.
        version: Full base image version; empty where it was never published.
        date: Of its standard profile, ISO 8601; empty where it is not known.
    """

    name: str
    product: str = attrs.field(validator=_require_release)
    build: int
    version: str = ""
    date: str = attrs.field(default="", validator=_require_date)

    @property
    def numbers(self) -> tuple[int, ...]:
        """The product release as numbers: ``(7, 0, 3)``."""
        return tuple(int(number) for number in self.product.split("."))

    @property
    def train(self) -> tuple[int, ...]:
        """The release train: ``(7, 0, 3)`` up to 8.x, ``(9, 0)`` from 9.0."""
        return train_of(self.numbers)

    def is_newer_than(self, other: KnownRelease) -> bool:
        """Tell whether it is the higher release: by product, inside one by the order of publication.

        Raises:
            NotInDepotError: One of the two was never published.
        """
        return _place_of(self) > _place_of(other)

    @property
    def released_at(self) -> datetime | None:
        """The date as UTC time; None if it is not known."""
        return datetime.fromisoformat(self.date).replace(tzinfo=UTC) if self.date else None

    @property
    def release_name(self) -> ReleaseName | None:
        """The name as a value; None for hot patches and releases since 9.0, which have none."""
        return None if is_minor_train(self.numbers[0]) else _name_in(self.name)


def _place_of(release: KnownRelease) -> tuple[tuple[int, ...], int]:
    if release not in KNOWN_RELEASES:
        raise NotInDepotError(
            "this release was never published",
            found=release.name,
            expected="a release of the table",
            hint="classify_releases and classify_versions compare releases that are not published",
        )
    return release.numbers, KNOWN_RELEASES.index(release)


_ROWS = """
6.7.0     6.7.0 8169922  6.7.0-0.0.8169922       2018-04-03
7.0       7.0.0 15843807 7.0.0-1.0.15843807      2020-03-16
7.0sb     7.0.0 16321839 -                       2020-06-02
7.0b      7.0.0 16324942 7.0.0-1.25.16324942     2020-06-02
7.0U1     7.0.1 16850804 7.0.1-0.0.16850804      2020-09-04
7.0U1a    7.0.1 17119627 -                       2020-11-01
7.0U1b    7.0.1 17168206 -                       2020-11-11
7.0U1sc   7.0.1 17325020 -                       2020-12-15
7.0U1c    7.0.1 17325551 -                       2020-12-15
7.0U1d    7.0.1 17551050 -                       2021-02-01
7.0U1e    7.0.1 19324898 -                       -
7.0U2     7.0.2 17630552 7.0.2-0.0.17630552      -
7.0U2a    7.0.2 17867351 7.0.2-0.0.17867351      2021-04-29
7.0U2sc   7.0.2 18295176 -                       2021-08-24
7.0U2c    7.0.2 18426014 -                       2021-08-24
7.0U2d    7.0.2 18538813 -                       2021-09-14
7.0U2e    7.0.2 19290878 -                       -
7.0U3     7.0.3 18644231 7.0.3-0.0.18644231      -
7.0U3a    7.0.3 18825058 7.0.3-0.5.18825058      -
7.0U3c    7.0.3 19193900 -                       2022-01-18
7.0U3sd   7.0.3 19482531 -                       2022-03-29
7.0U3d    7.0.3 19482537 7.0.3-0.35.19482537     2022-03-29
7.0U3e    7.0.3 19898904 -                       2022-06-14
7.0U3sf   7.0.3 20036586 -                       2022-07-12
7.0U3f    7.0.3 20036589 7.0.3-0.50.20036589     2022-07-12
7.0U3g    7.0.3 20328353 7.0.3-0.55.20328353     2022-09-01
7.0U3si   7.0.3 20841705 -                       2022-12-08
7.0U3i    7.0.3 20842708 7.0.3-0.65.20842708     2022-12-08
7.0U3j    7.0.3 21053776 -                       2023-01-31
7.0U3k    7.0.3 21313628 -                       2023-02-21
7.0U3sl   7.0.3 21422485 -                       2023-03-30
7.0U3l    7.0.3 21424296 -                       2023-03-30
7.0U3m    7.0.3 21686933 -                       2023-05-03
7.0U3n    7.0.3 21930508 -                       2023-07-06
7.0U3so   7.0.3 22348808 -                       2023-09-21
7.0U3o    7.0.3 22348816 -                       2023-09-21
7.0U3p    7.0.3 23307199 -                       2024-03-05
7.0U3sq   7.0.3 23794019 7.0.3-0.120.23794019    2024-05-21
7.0U3q    7.0.3 23794027 -                       2024-05-21
7.0U3s    7.0.3 24585291 -                       -
7.0U3w    7.0.3 24784741 -                       -
8.0       8.0.0 20513097 8.0.0-1.0.20513097      2022-09-23
8.0b      8.0.0 21203435 -                       -
8.0U1     8.0.1 21495797 -                       -
8.0U1a    8.0.1 21813344 -                       -
8.0U1c    8.0.1 22088125 -                       -
8.0U2     8.0.2 22380479 8.0.2-0.0.22380479      2023-09-21
8.0U2sb   8.0.2 23305545 8.0.2-0.25.23305545     2024-02-29
8.0U2b    8.0.2 23305546 8.0.2-0.30.23305546     2024-02-29
8.0U2b-HP1 8.0.2 23465881 8.0.2-0.30.23465881    -
8.0U2c    8.0.2 23825572 8.0.2-0.40.23825572     -
8.0U2d    8.0.2 24585300 -                       -
8.0U3     8.0.3 24022510 8.0.3-0.0.24022510      -
8.0U3b    8.0.3 24280767 8.0.3-0.35.24280767     2024-09-17
8.0U3c    8.0.3 24414501 -                       -
8.0U3d    8.0.3 24585383 8.0.3-0.60.24585383     -
8.0U3se   8.0.3 24659227 8.0.3-0.65.24659227     -
8.0U3e    8.0.3 24674464 8.0.3-0.70.24674464     -
8.0U3f    8.0.3 24784735 -                       -
8.0U3g    8.0.3 24859861 -                       2025-07-29
8.0U3h    8.0.3 25067014 -                       -
8.0U3i    8.0.3 25205845 -                       -
8.0U3k    8.0.3 25595708 8.0.3-0.102.25595708    2026-07-22
9.0.0.0   9.0.0 24755229 -                       -
9.0.0.0100 9.0.0 24813472 9.0.0.0100.24813472    2025-07-15
9.0.1     9.0.1 24957456 -                       -
9.0.2     9.0.2 25148076 9.0.2-0.25148076        -
9.1.0     9.1.0 25370933 9.1.0.0.25370933        -
9.1.0.0100 9.1.0 25433460 9.1.0.0100.25433460    -
9.1.0.0200 9.1.0 25557999 9.1.0.0200.25557999    -
9.1.1     9.1.1 25714478 9.1.1.0.25714478        -
"""


def _known(row: str) -> KnownRelease:
    name, product, build, version, date = (field if field != "-" else "" for field in row.split())
    return KnownRelease(name, product, int(build), version, date)


KNOWN_RELEASES: tuple[KnownRelease, ...] = tuple(_known(row) for row in _ROWS.strip().splitlines())
"""Published releases, each product's in order of publication."""

_BY_BUILD = {(release.product, release.build): release for release in KNOWN_RELEASES}


def known_release(version: BaseImageVersion) -> KnownRelease | None:
    """Return the published release of that product and build; None if the table has none."""
    return _BY_BUILD.get((version.product.base_version, version.build))


def release_name(base_image: BaseImage) -> ReleaseName | None:
    """Return what people call a base image: as it says itself, else as published; None if neither tells."""
    return _name_in(base_image.display_version) or release_name_of(base_image.version)


def release_name_of(version: BaseImageVersion) -> ReleaseName | None:
    """Return what people call a published base image version; None if that is not known."""
    known = known_release(version)
    return None if known is None else known.release_name


def _name_in(text: str) -> ReleaseName | None:
    try:
        return ReleaseName(text)
    except VersionSyntaxError:
        return None


def release_date(base_image: BaseImage) -> datetime | None:
    """Return when a base image came out: as it says itself, else as published; None if neither tells."""
    return base_image.released_at or publication_date(base_image.version)


def publication_date(version: BaseImageVersion) -> datetime | None:
    """Return when a base image version was published; None if that is not known."""
    known = known_release(version)
    return None if known is None else known.released_at


def resolve_base_image(catalog: Catalog, text: str) -> BaseImage:
    """Return the loaded base image that a version or a release name means.

    A name fits what is called just so: ``7.0U3i`` is never its security-only sibling ``7.0U3si``.

    Args:
        catalog: What is loaded.
        text: ``7.0.3-0.55.20328353``, ``9.0.2.0.25148076``, ``7.0U3g``, ``8.0 U3e - 24674464``; since
            9.0 the version without its build, ``9.0.2`` or ``9.0.0.0100``.

    Raises:
        NotInDepotError: None is loaded, or a name fits several; the error lists them.
    """
    if is_base_image_version(text):
        return catalog.base_image(text.strip())
    fitting = [unit for unit in catalog.base_images if _is_called(unit, text)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise NotInDepotError(
            f"{text} fits {len(fitting)} loaded base images",
            found=", ".join(f"{unit.display_version or unit.id} ({unit.version})" for unit in fitting),
            expected="a name that fits one",
            hint="give the full version of the one you mean",
        )
    if _name_in(text) is None or not catalog.base_images:
        raise catalog.lacks_base_image(text)
    loaded = ", ".join(_called(unit) for unit in catalog.base_images)
    raise NotInDepotError(
        f"no loaded base image is called {text}",
        found=repr(text),
        expected="a version or release name of a loaded base image",
        hint=f"loaded: {loaded}",
    )


def is_base_image_version(text: str) -> bool:
    """Tell whether a text is a full base image version, and not a release name."""
    try:
        BaseImageVersion(text.strip())
    except VersionSyntaxError:
        return False
    return True


_DOTTED_NAME = re.compile(r"[0-9]{1,2}\.[0-9]{1,2}\.[0-9]{1,2}(?:\.[0-9]{1,4})?")


def _is_called(unit: BaseImage, text: str) -> bool:
    """Tell whether the text is a name of the base image, in whatever spelling."""
    if _DOTTED_NAME.fullmatch(text.strip()):
        numbers = tuple(int(number) for number in text.strip().split("."))
        if is_minor_train(numbers[0]):
            return unit.version.fields[: len(numbers)] == numbers
    wanted, name = _name_in(text), release_name(unit)
    if wanted is None or name is None:
        return False
    return wanted.matches(name) and wanted.build in (None, unit.version.build)


def _called(unit: BaseImage) -> str:
    name = release_name(unit)
    return unit.version.text if name is None else f"{name} ({unit.version})"


def select_base_images(
    catalog: Catalog, releases: str | ProductRange, *, with_security_only: bool = True
) -> tuple[BaseImage, ...]:
    """Return the loaded base images of a range of product releases, lowest first.

    Args:
        catalog: What is loaded.
        releases: Such as ``>=7.0.3,<8``.
        with_security_only: Take security-only siblings too.

    Raises:
        VersionSyntaxError: No range.
    """
    wanted = ProductRange(releases) if isinstance(releases, str) else releases
    return tuple(
        unit
        for unit in catalog.base_images
        if unit.version in wanted
        and (with_security_only or (name := release_name(unit)) is None or not name.is_security_only)
    )

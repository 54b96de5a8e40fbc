"""Which add-ons and components go with which base images, layer by layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.finding_calls import codes_in
from support.memory_catalogs import component, platforms

from esximage_builder.findings import Severity
from esximage_builder.models.add_on import AddOn
from esximage_builder.models.base_image import BaseImage
from esximage_builder.models.hardware_support import HardwareSupport
from esximage_builder.rules import release_fit as compatibility
from esximage_builder.rules.release_fit import (
    check_add_on,
    check_platform,
    check_removals,
    declared_trains,
    fits_release,
    is_declared,
    is_in_train,
    platforms_of,
    supports_base_image,
    train_text,
    vendor_train_text,
)
from esximage_builder.rules.releases import KnownRelease
from esximage_builder.versions import AddOnVersion, BaseImageVersion

if TYPE_CHECKING:
    from collections.abc import Iterable

U3E, U3F, U3G, U3I = (
    "7.0.3-0.40.19898904",
    "7.0.3-0.50.20036589",
    "7.0.3-0.55.20328353",
    "7.0.3-0.65.20842708",
)


def _add_on(version: str, declared: Iterable[str] = (), *, name: str = "ACME-AddOn") -> AddOn:
    return AddOn(name=name, version=AddOnVersion(version), supported_base_images=tuple(declared))


def _base(version: str) -> BaseImage:
    return BaseImage(version=BaseImageVersion(version))


@pytest.mark.parametrize(
    ("version", "trains"),
    [
        # HPE: the three digits, then its own numbers.
        pytest.param("701.0.0.10.6.3-9", [(7, 0, 1)], id="HPE 7.0.1"),
        pytest.param("703.0.0.11.3.0-5", [(7, 0, 3)], id="HPE 7.0.3"),
        pytest.param("703.0.0.11.4.0.5", [(7, 0, 3)], id="HPE with a dot for the hyphen"),
        pytest.param("802.0.0.11.4.0.14", [(8, 0, 2)], id="HPE 8.0.2"),
        pytest.param("803.0.0.11.8.0-6", [(8, 0, 3)], id="HPE 8.0.3"),
        pytest.param("900.0.0.12.3.5-5", [(9, 0)], id="HPE 9.0: the train is major.minor"),
        pytest.param("910.0.0.1-1", [(9, 1)], id="HPE 9.1"),
        # Dell: the three digits, the build, a letter with a number that begins anew in each train.
        pytest.param("703.20328353.A08", [(7, 0, 3)], id="Dell with dots"),
        pytest.param("703_20328353-A09", [(7, 0, 3)], id="Dell with an underscore"),
        pytest.param("803.24280767-A02", [(8, 0, 3)], id="Dell with a hyphen"),
        pytest.param("700.16324942-A03", [(7, 0, 0)], id="Dell 7.0.0"),
        # Lenovo: with or without its letters.
        pytest.param("LVO.803.12.1", [(8, 0, 3)], id="Lenovo with its letters"),
        pytest.param("701.10.3", [(7, 0, 1)], id="Lenovo without"),
        pytest.param("8.0.3-LVO.803.12.1", [(8, 0, 3)], id="Lenovo with the release in front"),
        # Others say nothing.
        pytest.param("A08", [], id="no digits"),
        pytest.param("1.2.3-4", [], id="digits apart"),
        pytest.param("7031.1-1", [], id="four digits"),
        pytest.param("20328353.A08", [], id="a build alone"),
        pytest.param("503.1", [], id="no release of ESXi that has add-ons"),
        pytest.param("703", [(7, 0, 3)], id="three digits alone"),
        # The release in numbers, or as an update.
        pytest.param("7.0.3-610.2", [(7, 0, 3)], id="the release, not digits behind it"),
        pytest.param("8.0.2-530.1.0", [(8, 0, 2)], id="8.0.2 in numbers"),
        pytest.param("9.0.1-1", [(9, 0)], id="9.0 in numbers"),
        pytest.param("7.0.3d-4.2.2", [(7, 0, 3)], id="a patch letter behind it"),
        pytest.param("70U3d-19482537_4.2.2-a", [(7, 0, 3)], id="an update"),
        pytest.param("8.0U2-1", [(8, 0, 2)], id="an update with a dot"),
        pytest.param("7-U1-5", [(7, 0, 1)], id="an update without minor release"),
        pytest.param("A05-ESXi-702", [(7, 0, 2)], id="behind the product's name"),
        # No release of ESXi.
        pytest.param("610.2", [], id="6.1.0"),
        pytest.param("7.1.0-3", [], id="7.1.0"),
        pytest.param("820.1", [], id="8.2.0"),
        pytest.param("672.1", [(6, 7, 0)], id="before 7.0 updates are no trains"),
    ],
)
def test_train_read_off_the_version(version: str, trains: list[tuple[int, ...]]) -> None:
    assert declared_trains(_add_on(version)) == tuple(trains)


@pytest.mark.parametrize(
    ("name", "trains"),
    [
        pytest.param("DEL-ESXi-702", [(7, 0, 2)], id="Dell"),
        pytest.param("DEL-ESXi_803", [(8, 0, 3)], id="Dell with an underscore"),
        pytest.param("DEL-ESXi-702_17867351", [(7, 0, 2)], id="Dell with the build"),
        pytest.param("Cisco-UCS-Addon-ESXi-70U3d-19482537", [(7, 0, 3)], id="Cisco"),
        pytest.param("LVO_8.0.3", [(8, 0, 3)], id="Lenovo"),
        pytest.param("LVO_7.0.1-LVO.701.10.3", [(7, 0, 1)], id="Lenovo, twice"),
        pytest.param("HPE-Custom-AddOn-703", [(7, 0, 3)], id="digits alone, of a published release"),
        pytest.param("ACME-for-ESXi-705", [(7, 0, 5)], id="behind the product's name, of a release to come"),
        pytest.param("NEC-Addon 7.0 Update 2", [(7, 0, 2)], id="in words"),
        pytest.param("ACME-vSphere-9.1", [(9, 1)], id="from 9.0 a minor release is a train"),
        pytest.param("ACME-ESXi-8.0", [(8, 0)], id="before, it is none"),
        pytest.param("ACME-SR-650", [], id="a machine's model"),
        pytest.param("ACME-R7525-950", [], id="another one"),
        pytest.param("ACME-x703", [], id="digits behind a letter"),
        pytest.param("ACME-iLO-7.0", [], id="another product's release"),
        pytest.param("DEL-ESXi", [], id="no digits"),
    ],
)
def test_train_read_off_the_name(name: str, trains: list[tuple[int, ...]]) -> None:
    """Only where neither declarations nor the version tell."""
    assert declared_trains(_add_on("A05", name=name)) == tuple(trains)
    assert declared_trains(_add_on("801.1", name=name)) == ((8, 0, 1),)
    assert declared_trains(_add_on("801.1", ["9.0"], name=name)) == ((9, 0),)


@pytest.mark.parametrize(
    ("base", "code", "cause"),
    [
        (
            "8.0.3-0.70.24674464",
            "add-on-base-unknown",
            "it declares none, and its name says 8.0 without an update release",
        ),
        (U3F, "add-on-base-unsupported", "it is for ESXi 8.0 (by its name), the base image is ESXi 7.0.3"),
    ],
)
def test_a_minor_release_rules_out_others_only(base: str, code: str, cause: str) -> None:
    (finding,) = check_add_on(_add_on("A05", name="ACME-ESXi-8.0"), _base(base))
    assert (finding.code, finding.cause) == (code, cause)


@pytest.mark.parametrize(
    ("declared", "trains"),
    [
        pytest.param(["7.0.3"], [(7, 0, 3)], id="a release"),
        pytest.param([U3F, U3G], [(7, 0, 3)], id="versions of one train"),
        pytest.param(["8.0.3", "7.0.2"], [(7, 0, 2), (8, 0, 3)], id="two trains, sorted"),
        pytest.param(["9.0.2-0.25148076", "9.0.1"], [(9, 0)], id="9.x: major.minor"),
        pytest.param(["9.0.2.0.25148076"], [(9, 0)], id="9.x with dots"),
        pytest.param(["7.0.*"], [(7, 0)], id="a wildcard"),
        pytest.param([">=7.0.2,<8"], [(8, 0, 3)], id="a range names none, so the version tells"),
        pytest.param(["whatever"], [(8, 0, 3)], id="nor does what cannot be read"),
    ],
)
def test_train_declared(declared: list[str], trains: list[tuple[int, ...]]) -> None:
    """What is declared counts, whatever the version says."""
    unit = HardwareSupport(name="H", version=AddOnVersion("803.1"), supported_base_images=declared)
    assert declared_trains(_add_on("803.1", declared)) == declared_trains(unit) == tuple(trains)


@pytest.mark.parametrize(
    ("declared", "version", "expected"),
    [
        pytest.param(U3F, U3F, True, id="the version itself"),
        pytest.param(U3F, U3G, False, id="another patch"),
        pytest.param(" 7.0.3 ", U3G, True, id="a release, blanks around"),
        pytest.param("7.0", U3G, True, id="a minor release"),
        pytest.param("7.0.3-0", U3G, True, id="up to the quarter"),
        pytest.param("7.0.3-0.5", U3G, False, id="a field is a number: 5 is not 55"),
        pytest.param("7.0.3-*", U3G, True, id="wildcard after a hyphen"),
        pytest.param("7.0.*", U3G, True, id="wildcard after a dot"),
        pytest.param("*", U3G, True, id="wildcard alone"),
        pytest.param("", U3G, True, id="nothing"),
        pytest.param("7.0.2", U3G, False, id="another update"),
        pytest.param("703", U3G, False, id="the vendor's digits are no version"),
        pytest.param("any", U3G, False, id="a word"),
        pytest.param("9.0.2.0.25148076", "9.0.2-0.25148076", True, id="9.x in the other spelling"),
        pytest.param("9.0", "9.0.2-0.25148076", True, id="9.x by minor release"),
        pytest.param("9.0", "9.1.0.0.25370933", False, id="9.x, another minor release"),
        pytest.param(">=7.0.2,<8", U3G, True, id="a range"),
        pytest.param(" >=8", U3G, False, id="a range below which it is"),
        pytest.param("==7.0.3", U3G, True, id="a range of one"),
        pytest.param(">=seven", U3G, False, id="a range that is none"),
    ],
)
def test_supports_base_image(declared: str, version: str, *, expected: bool) -> None:
    assert supports_base_image(declared, BaseImageVersion(version)) is expected
    add_on = _add_on("1.0", [declared, "6.5.0"])
    assert is_declared(add_on, BaseImageVersion(version)) is expected


@pytest.mark.parametrize(
    ("version", "base", "expected"),
    [
        pytest.param("703.1", U3E, True, id="an older patch"),
        pytest.param("703.1", U3G, True, id="a newer patch"),
        pytest.param("702.1", U3E, False, id="up to 8.x an update is a train"),
        pytest.param("900.1", "9.0.2-0.25148076", True, id="from 9.0 it is not"),
        pytest.param("900.1", "9.1.1.0.25714478", False, id="but a minor release is"),
        pytest.param("A08", U3E, None, id="cannot be told"),
    ],
)
def test_is_in_train(version: str, base: str, *, expected: bool | None) -> None:
    assert is_in_train(_add_on(version), BaseImageVersion(base)) is expected
    assert is_declared(_add_on(version), BaseImageVersion(base)) is None


@pytest.mark.parametrize(
    ("train", "text", "vendors"),
    [((7, 0, 3), "7.0.3", "703"), ((9, 0), "9.0", "900"), ((9, 1), "9.1", "910")],
)
def test_train_texts(train: tuple[int, ...], text: str, vendors: str) -> None:
    assert (train_text(train), vendor_train_text(train)) == (text, vendors)


_LOADED = [
    _add_on("702.17867351.A05"),
    _add_on("703.20328353.A09"),
    _add_on("703.20036589.A08"),
    _add_on("1.0-1", [U3F]),
    _add_on("703.1", ["7.0.2"]),
    _add_on("703.1", name="Other"),
    _add_on("900.1"),
]

_UNSUPPORTED = "add-on-base-unsupported"


@pytest.mark.parametrize(
    ("add_on", "base", "code", "cause", "remedy"),
    [
        pytest.param(_add_on("703.20036589.A08"), U3F, "", "", "", id="in train"),
        pytest.param(_add_on("703.1"), U3E, "", "", "", id="in train, no build named"),
        pytest.param(_add_on("1.0-1", [U3F]), U3F, "", "", "", id="declared"),
        pytest.param(_add_on("702.1", ["7.0.3"]), U3F, "", "", "", id="declared, whatever the version says"),
        pytest.param(_add_on("900.0.0.12.3.5-5"), "9.0.2.0.25148076", "", "", "", id="9.x in train"),
        pytest.param(
            _add_on("702.17867351.A05"),
            U3F,
            _UNSUPPORTED,
            "it is for ESXi 7.0.2 (by its version), the base image is ESXi 7.0.3",
            "take a 703 version of the add-on; loaded: 1.0-1, 703.20036589.A08, 703.20328353.A09",
            id="update boundary",
        ),
        pytest.param(
            _add_on("703.20036589.A08"),
            "7.0.2-0.0.17867351",
            _UNSUPPORTED,
            "it is for ESXi 7.0.3 (by its version), the base image is ESXi 7.0.2",
            "take a 702 version of the add-on; loaded: 702.17867351.A05, 703.1",
            id="update boundary, the other way round",
        ),
        pytest.param(
            _add_on("900.0.0.12.3.5-5"),
            "9.1.1.0.25714478",
            _UNSUPPORTED,
            "it is for ESXi 9.0 (by its version), the base image is ESXi 9.1.1",
            "take a version of the add-on for 910, none is loaded; or a base image of its own release",
            id="9.x boundary",
        ),
        pytest.param(
            _add_on("703.1", ["7.0.2", "7.0.1"]),
            U3F,
            _UNSUPPORTED,
            "it is for ESXi 7.0.1, 7.0.2 (declared: 7.0.2, 7.0.1), the base image is ESXi 7.0.3",
            "take a 703 version of the add-on; loaded: 1.0-1, 703.20036589.A08, 703.20328353.A09",
            id="declared are others",
        ),
        pytest.param(
            _add_on("703.1", [U3F]),
            U3G,
            _UNSUPPORTED,
            f"the release train is right, but it declares only {U3F}",
            "take a 703 version of the add-on; loaded: 703.20036589.A08, 703.20328353.A09",
            id="declared is another patch of the train",
        ),
        pytest.param(
            _add_on("A08", [">=8"]),
            "7.0.2-0.0.17867351",
            _UNSUPPORTED,
            "it is for ESXi other releases (declared: >=8), the base image is ESXi 7.0.2",
            "take a 702 version of the add-on; loaded: 702.17867351.A05, 703.1",
            id="declared is a range",
        ),
        pytest.param(
            _add_on("A08"),
            U3F,
            "add-on-base-unknown",
            "it declares none, and its version names no ESXi release",
            "check its release notes",
            id="nothing tells",
        ),
        pytest.param(
            _add_on("703.20328353.A09"),
            U3I,
            "base-newer-than-add-on",
            "the add-on names build 20328353, 7.0U3g; inside a release train a newer patch is supported",
            "see whether the vendor has a newer add-on",
            id="a vendor that is late",
        ),
        pytest.param(_add_on("703.20328353.A09"), U3F, "", "", "", id="a base image that is older"),
        pytest.param(_add_on("703.20328352.A08"), U3I, "", "", "", id="a build one off is no build"),
        pytest.param(
            _add_on("702.18538813.A01"),
            "7.0.2-0.50.19290878",
            "base-newer-than-add-on",
            "the add-on names build 18538813, 7.0U2d; inside a release train a newer patch is supported",
            "see whether the vendor has a newer add-on",
            id="by place among the published releases",
        ),
        pytest.param(_add_on("702.18538813.A01"), "7.0.2-0.9.99999999", "", "", "", id="a base image nobody knows"),
        pytest.param(
            _add_on("703.20036589.A08", ["7.0"]),
            U3G,
            "base-newer-than-add-on",
            "the add-on names build 20036589, 7.0U3f; inside a release train a newer patch is supported",
            "see whether the vendor has a newer add-on",
            id="declared, and the vendor is late",
        ),
    ],
)
def test_check_add_on(add_on: AddOn, base: str, code: str, cause: str, remedy: str) -> None:
    findings = check_add_on(add_on, _base(base), others=_LOADED)
    assert [(finding.code, finding.cause, finding.remedy) for finding in findings] == (
        [(code, cause, remedy)] if code else []
    )
    assert {finding.severity for finding in findings} <= {Severity.ERROR if code == _UNSUPPORTED else Severity.WARNING}
    assert {finding.items for finding in findings} <= {(add_on.id, f"ESXi:{base}")}


_U3F_RELEASE = KnownRelease("7.0U3f", "7.0.3", 20036589)
"""As known from its build alone."""


@pytest.mark.parametrize(
    ("version", "declared", "expected"),
    [
        pytest.param("703.1", [], True, id="its train"),
        pytest.param("702.1", [], False, id="another train"),
        pytest.param("A08", [], None, id="nothing tells"),
        pytest.param("702.1", ["7.0.3"], True, id="the product, whatever the version says"),
        pytest.param("703.1", ["7.0.2", "6.7"], False, id="other products"),
        pytest.param("703.1", ["7.0.*"], True, id="a wildcard"),
        pytest.param("703.1", ["*"], True, id="everything"),
        pytest.param("703.1", ["any"], False, id="a word"),
        pytest.param("703.1", [U3F], True, id="the build"),
        pytest.param("703.1", [U3G], False, id="another build"),
        pytest.param("703.1", ["7.0.3-0"], None, id="more than the product, less than the build"),
        pytest.param("703.1", [">=7.0.3,<8"], None, id="a range"),
        pytest.param("703.1", [U3G, "7.0.3-0", "7.0.3"], True, id="any of several"),
        pytest.param("703.1", [U3G, "7.0.3-0"], None, id="one of several that cannot be told"),
    ],
)
def test_fits_release(version: str, declared: list[str], *, expected: bool | None) -> None:
    assert fits_release(_add_on(version, declared), _U3F_RELEASE) is expected


def test_without_loaded_add_ons() -> None:
    (finding,) = check_add_on(_add_on("702.1"), _base(U3F))
    assert finding.message == f"the add-on ACME-AddOn:702.1 is not made for the base image {U3F}"
    assert finding.remedy == (
        "take a version of the add-on for 703, none is loaded; or a base image of its own release"
    )


@pytest.mark.parametrize(
    ("stated", "version", "base_platforms", "is_found"),
    [
        pytest.param([], U3F, [], False, id="none stated"),
        pytest.param(["embeddedEsx 7.0"], U3F, [], False, id="the minor release"),
        pytest.param(["embeddedEsx 7.0.3"], U3F, [], False, id="the update release"),
        pytest.param(["embeddedEsx 7.*"], U3F, [], False, id="wildcard"),
        pytest.param(["embeddedEsx "], U3F, [], False, id="version left open"),
        pytest.param(["embeddedEsx 7"], U3F, [], False, id="major release alone"),
        pytest.param(["embeddedEsx 7.0.2"], U3F, [], False, id="another update of the same minor release"),
        pytest.param(["embeddedEsx 6.7", "embeddedEsx 7.0"], U3F, [], False, id="one of several"),
        pytest.param(["esxio 8.0"], "8.0.3-0.70.24674464", [], False, id="for data processing units"),
        pytest.param(["embeddedEsx 6.7"], U3F, [], True, id="another major release"),
        pytest.param(["embeddedEsx 7.1"], U3F, [], True, id="another minor release"),
        pytest.param(["vcenter 7.0"], U3F, [], True, id="another product"),
        pytest.param(["embeddedEsx 9.0"], "9.1.1.0.25714478", [], True, id="9.0 on 9.1"),
        pytest.param(
            ["embeddedEsx 9.0"],
            "9.1.1.0.25714478",
            ["embeddedEsx 9.0", "embeddedEsx 9.1"],
            False,
            id="9.0 on a 9.1 that declares both",
        ),
    ],
)
def test_check_platform(stated: list[str], version: str, base_platforms: list[str], *, is_found: bool) -> None:
    part = component("Driver", "1.0-1", platforms=platforms(*stated))
    findings = check_platform(part, BaseImageVersion(version), platforms(*base_platforms))
    assert [(finding.code, finding.items) for finding in findings] == (
        [("platform-mismatch", ("Driver:1.0-1",))] if is_found else []
    )


def test_platforms_of_the_base_image_alone() -> None:
    own = component("Own", "1.0-1", platforms=platforms("embeddedEsx 9.1", "embeddedEsx 9.0"))
    same = component("Same", "1.0-1", platforms=platforms("embeddedEsx 9.0"))
    other = component("Own", "2.0-1", platforms=platforms("embeddedEsx 6.7"))
    base = BaseImage(version=BaseImageVersion("9.1.1.0.25714478"), components=(own.reference, same.reference))
    assert platforms_of(base, [own, same, other]) == platforms("embeddedEsx 9.1", "embeddedEsx 9.0")


@pytest.mark.parametrize(
    ("names", "version", "is_found"),
    [
        pytest.param(["b", "a"], U3F, True, id="7.0.3"),
        pytest.param(["b", "a"], "8.0.2-0.40.23825572", True, id="8.0.2"),
        pytest.param(["b", "a"], "8.0.3-0.0.24022510", False, id="8.0.3"),
        pytest.param(["b", "a"], "9.0.2-0.25148076", False, id="9.0"),
        pytest.param([], U3F, False, id="nothing removed"),
    ],
)
def test_check_removals(names: list[str], version: str, *, is_found: bool) -> None:
    findings = check_removals(names, BaseImageVersion(version))
    assert [(finding.code, finding.severity, finding.items) for finding in findings] == (
        [("removals-need-newer-vcenter", Severity.WARNING, ("a", "b"))] if is_found else []
    )


def test_every_code_is_tested() -> None:
    assert codes_in(compatibility) == {
        "add-on-base-unknown",
        "add-on-base-unsupported",
        "base-newer-than-add-on",
        "package-base-unsupported",
        "platform-mismatch",
        "removals-need-newer-vcenter",
    }

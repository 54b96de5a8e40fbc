"""Compatibility in layers: each has a verdict of its own, a reason, and its own findings only."""

from __future__ import annotations

import pytest
from support.memory_catalogs import Stock, platforms, vib
from support.release_catalogs import (
    LPFC,
    base_image,
    codes,
    dell,
    part,
    shop,
    version_of,
)

from esximage_builder.codes import Layer
from esximage_builder.errors import ModelError
from esximage_builder.findings import Finding, Severity
from esximage_builder.models.add_on import AddOn
from esximage_builder.models.component import Component
from esximage_builder.rules.compatibility import (
    Compatibility,
    Verdict,
    judge_add_on,
    judge_component,
)
from esximage_builder.vocabulary import AcceptanceLevel

A08 = "703.20328353-A08"


def verdicts(answer: Compatibility) -> dict[str, str]:
    """What each layer says, those that fit left out."""
    return {layer.layer.value: layer.verdict.value for layer in answer.layers if layer.verdict is not Verdict.FITS}


def judge(stock: Stock, add_on: AddOn, release: str) -> Compatibility:
    catalog = stock.catalog()
    return judge_add_on(add_on, catalog.base_image(version_of(release)), catalog)


# Add-on to base image


def test_what_fits_says_so_on_every_layer() -> None:
    stock = shop(["7.0U3f"])
    answer = judge(stock, dell(stock, A08, supported_base_images=["7.0.3"]), "7.0U3f")

    assert (answer.subject, answer.target) == ("DEL-ESXi:703.20328353-A08", "ESXi:7.0.3-0.50.20036589")
    assert [layer.layer for layer in answer.layers] == [layer for layer in Layer if layer is not Layer.HOST]
    assert {layer.layer.value: layer.reason for layer in answer.layers} == {
        "declared": "declared: 7.0.3",
        "train": "both are of the 7.0.3 train",
        "contents": "everything it lists is loaded",
        "platform": "published for this release",
        "relations": "all dependencies are met, nothing conflicts",
        "core": "no core component is touched",
        "overrides": "nothing of the base image is lowered",
    }
    assert answer.verdict is Verdict.FITS
    assert answer.findings == ()


@pytest.mark.parametrize(
    ("declared", "release", "expected", "overall"),
    [
        pytest.param([], "7.0U3f", {"declared": "unknown"}, "fits", id="nothing declared: the train decides"),
        pytest.param([], "7.0U2a", {"declared": "unknown", "train": "fails"}, "fails", id="nothing declared, no train"),
        pytest.param(["7.0.3"], "7.0U2a", {"declared": "fails", "train": "fails"}, "fails", id="neither"),
        pytest.param(
            ["7.0.3-0.55.20328353"], "7.0U3f", {"declared": "fails"}, "fails", id="in train, yet not declared"
        ),
        pytest.param(["7.0.2"], "7.0U2a", {}, "fits", id="declared against its own digits"),
        pytest.param([">=7.0.2,<8"], "7.0U3f", {}, "fits", id="a range"),
        pytest.param([">=7.0.2,<8"], "7.0U2a", {}, "fits", id="a range decides over the digits"),
        pytest.param([">=8"], "7.0U3f", {"declared": "fails"}, "fails", id="a range outside"),
        pytest.param(["7.0.3"], "7.0U3i", {"train": "warning"}, "warning", id="newer than published with"),
    ],
)
def test_declared_and_train(declared: list[str], release: str, expected: dict[str, str], overall: str) -> None:
    stock = shop(["7.0U2a", "7.0U3f", "7.0U3i"])
    answer = judge(stock, dell(stock, A08, supported_base_images=declared), release)

    assert verdicts(answer) == expected
    assert answer.verdict == overall


def test_a_refusal_is_reported_by_the_layer_that_refuses() -> None:
    """By one layer, so that counting findings does not count it twice."""
    stock = shop(["7.0U2a"])
    declared = judge(stock, dell(stock, A08, supported_base_images=["7.0.3"]), "7.0U2a")
    by_train = judge(shop(["7.0U2a"], [A08]), dell(Stock(), A08), "7.0U2a")

    assert codes(declared.findings) == codes(by_train.findings) == ["add-on-base-unsupported"]
    assert [layer.layer for layer in declared.layers if layer.findings] == [Layer.DECLARED]
    assert [layer.layer for layer in by_train.layers if layer.findings] == [Layer.TRAIN]
    reason = by_train.layer(Layer.TRAIN)
    assert reason is not None
    assert reason.reason == "the add-on is of the 7.0.3 train, the base image of 7.0.2"


def test_an_add_on_that_tells_nothing_is_unknown() -> None:
    stock = shop(["7.0U3f"])
    answer = judge(stock, stock.add_on(release=("ACME", "A00")), "7.0U3f")

    assert verdicts(answer) == {"declared": "unknown", "train": "unknown"}
    assert answer.verdict is Verdict.UNKNOWN
    assert codes(answer.findings) == ["add-on-base-unknown"]


def add_on_with(stock: Stock, *components: Component | tuple[str, str]) -> AddOn:
    return stock.add_on(*components, release=("ACME", "703.1"), supported_base_images=["7.0.3"])


def missing_component(stock: Stock) -> AddOn:
    return add_on_with(stock, ("not-there", "1.0-1"))


def missing_vib(stock: Stock) -> AddOn:
    part(stock, "half", "1.0-1", vib("half"))
    stock.vibs = [known for known in stock.vibs if known.name != "half"]
    return add_on_with(stock, ("half", "1.0-1"))


def content_differs(stock: Stock) -> AddOn:
    made = add_on_with(stock)
    finding = Finding(
        code="add-on-content-differs",
        severity=Severity.WARNING,
        message="two of them",
        items=("ACME:703.1",),
        facts={"kind": "add-on", "id": "ACME:703.1", "differs": "content"},
    )
    stock.findings.append(finding)
    return made


def other_platform(stock: Stock) -> AddOn:
    return add_on_with(stock, part(stock, "old", "1.0-1", platforms=platforms("embeddedEsx 6.7")))


def unmet(stock: Stock) -> AddOn:
    return add_on_with(stock, part(stock, "needy", "1.0-1", vib("needy", depends=["vmkapi_9_9_0_0"])))


def conflicting(stock: Stock) -> AddOn:
    return add_on_with(stock, part(stock, "rival", "1.0-1", vib("rival", conflicts=["lpfc"])))


def core(stock: Stock) -> AddOn:
    return add_on_with(
        stock,
        part(
            stock, "esx-update", "9.9-1", *(vib(name, "9.9-1", vendor="VMware") for name in ("esx-update", "loadesx"))
        ),
    )


def lower(stock: Stock) -> AddOn:
    return add_on_with(stock, part(stock, LPFC, "1.0-1", vib("lpfc-old", "1.0-1")))


@pytest.mark.parametrize(
    ("make", "expected", "code"),
    [
        pytest.param(missing_component, {"contents": "fails"}, "component-missing", id="contents"),
        pytest.param(missing_vib, {"contents": "fails"}, "vib-missing", id="contents: VIB"),
        pytest.param(content_differs, {"contents": "fails"}, "add-on-content-differs", id="contents: two of them"),
        pytest.param(other_platform, {"platform": "warning"}, "platform-mismatch", id="platform"),
        pytest.param(unmet, {"relations": "fails"}, "missing-dependency", id="depends"),
        pytest.param(conflicting, {"relations": "fails"}, "conflict", id="conflicts"),
        pytest.param(core, {"core": "fails"}, "core-component-overridden", id="core"),
        pytest.param(lower, {"overrides": "warning"}, "component-lowered", id="overrides"),
    ],
)
def test_each_layer_speaks_for_itself(make: object, expected: dict[str, str], code: str) -> None:
    stock = shop(["7.0U3f"])
    assert callable(make)
    answer = judge(stock, make(stock), "7.0U3f")

    assert verdicts(answer) == expected
    assert codes(answer.findings) == [code]
    layer = answer.layer(Layer(next(iter(expected))))
    assert layer is not None
    assert layer.findings == answer.findings
    assert layer.reason == answer.findings[0].message


def test_a_finding_that_speaks_for_no_layer_is_an_error_and_not_contents() -> None:
    """Reading never makes one; whoever puts it into a catalog learns that no layer would tell of it."""
    stock = shop(["7.0U3f"])
    made = add_on_with(stock)
    stock.findings.append(
        Finding(
            code="archive-damaged",
            severity=Severity.ERROR,
            message="m",
            facts={"kind": "add-on", "id": made.id, "differs": "content"},
        )
    )

    with pytest.raises(ModelError, match="speaks for no layer"):
        judge(stock, made, "7.0U3f")


def test_several_findings_are_counted_in_the_reason() -> None:
    stock = shop(["7.0U3f"])
    answer = judge(stock, add_on_with(stock, ("one", "1-1"), ("two", "1-1"), ("three", "1-1")), "7.0U3f")

    contents = answer.layer(Layer.CONTENTS)
    assert contents is not None
    assert contents.reason == "no loaded depot has the component one:1-1 (and 2 more)"


def test_a_core_component_that_the_add_on_takes_off_is_refused() -> None:
    stock = shop(["7.0U3f"])
    answer = judge(stock, stock.add_on(release=("ACME", "703.1"), removed_components=["esx-update"]), "7.0U3f")

    assert verdicts(answer) == {"declared": "unknown", "core": "fails"}


def test_information_is_no_reason_to_refuse() -> None:
    stock = shop(["7.0U3f"])
    answer = judge(stock, stock.add_on(release=("ACME", "703.1"), removed_components=["not-there"]), "7.0U3f")

    assert answer.verdict is Verdict.FITS
    assert codes(answer.findings) == ["removed-component-absent"]


def test_what_is_wrong_with_the_base_image_is_not_the_add_ons_fault() -> None:
    stock = Stock()
    broken = part(stock, "broken", "1.0-1", vib("broken", depends=["nothing-has-this"]))
    base_image(stock, "7.0U3f", broken)

    assert judge(stock, dell(stock, A08), "7.0U3f").verdict is Verdict.FITS


# Component to base image


@pytest.mark.parametrize(
    ("release", "expected"),
    [pytest.param("7.0U3f", {}, id="its release"), pytest.param("8.0", {"platform": "warning"}, id="another")],
)
def test_a_component_is_judged_without_declared_and_train(release: str, expected: dict[str, str]) -> None:
    stock = shop(["7.0U3f", "8.0"])
    driver = part(stock, "Intel-i40en", "2.8.4.0-1OEM.700.1.0.15843807", platforms=platforms("embeddedEsx 7.0"))
    catalog = stock.catalog()
    answer = judge_component(driver, catalog.base_image(version_of(release)), catalog)

    assert [layer.layer.value for layer in answer.layers] == [
        "contents", "platform", "relations", "core", "overrides",
    ]  # fmt: skip
    assert verdicts(answer) == expected
    assert answer.subject == driver.id
    assert answer.layer(Layer.TRAIN) is None


def test_a_component_lower_than_the_base_images_is_a_warning_only() -> None:
    """A user may lower a driver on purpose; only a host refuses."""
    stock = shop(["7.0U3f"])
    driver = part(stock, LPFC, "12.6.147.6-1OEM.700.0.0.14828939")
    catalog = stock.catalog()
    answer = judge_component(driver, catalog.base_images[0], catalog)

    assert verdicts(answer) == {"overrides": "warning"}
    assert answer.verdict is Verdict.WARNING


# The verdict


def test_verdicts_have_an_order() -> None:
    assert [verdict.rank for verdict in (Verdict.FITS, Verdict.UNKNOWN, Verdict.WARNING, Verdict.FAILS)] == [0, 1, 2, 3]
    assert Compatibility(subject="a", target="b", layers=()).verdict is Verdict.FITS


def test_a_dropped_acceptance_level_is_no_layer() -> None:
    """Levels are the host's business: they are reported, never a reason against a base image."""
    stock = shop(["7.0U3f"])
    own = part(stock, "tweak", "1.0-1", vib("tweak", acceptance_level=AcceptanceLevel.COMMUNITY))

    assert judge(stock, add_on_with(stock, own), "7.0U3f").verdict is Verdict.FITS

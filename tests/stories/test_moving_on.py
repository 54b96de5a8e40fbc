"""Stories of moving on: what goes across, what is in the way, what goes down, what to move to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import pytest
from support.counted_lines import lines_run_in
from support.memory_catalogs import Stock, esx_base, spec, vib
from support.release_catalogs import DELL, base_image, codes, dell, part, shop, the, version_of

from esximage_builder.hosts.compliance import judge_host
from esximage_builder.models.host import Host, HostComponent
from esximage_builder.rules import vib_selection
from esximage_builder.rules.classify import classify_images, classify_known, classify_releases
from esximage_builder.rules.compatibility import Verdict
from esximage_builder.rules.compose import compose, image_from_profile
from esximage_builder.rules.diff import diff
from esximage_builder.rules.downgrades import LoweredKind
from esximage_builder.rules.recommend import recommend
from esximage_builder.rules.releases import KNOWN_RELEASES
from esximage_builder.rules.validate import validate
from esximage_builder.views.diff import render_diff
from esximage_builder.views.recommendation import render_recommendation
from esximage_builder.views.report import render_text_report

if TYPE_CHECKING:
    from esximage_builder.models.catalog import Catalog
    from esximage_builder.models.image import Image
    from esximage_builder.rules.recommend import Recommendation

A08 = "703.20328353-A08"


def old_image(version: str) -> Image:
    stock = Stock(vibs=[esx_base(version)])
    stock.profile("old", [stock.vibs[0].id])
    return image_from_profile(stock.catalog(), "old")


# What goes across


@pytest.mark.parametrize(
    ("before", "after", "declared"),
    [
        pytest.param("7.0U3g", "8.0U3", ["7.0.3", "8.0.3"], id="two releases"),
        pytest.param("7.0U2a", "7.0U3f", [">=7.0.2,<8"], id="a range"),
        pytest.param("8.0U3", "9.0.2", ["8.*", "9.*"], id="wildcards"),
    ],
)
def test_an_add_on_that_declares_both_releases_stays(before: str, after: str, declared: list[str]) -> None:
    stock = shop([before, after])
    dell(stock, A08, supported_base_images=declared)
    images = [compose(stock.catalog(), base_image=version_of(one), add_on=(DELL, A08)) for one in (before, after)]

    assert "add-on-not-moved" not in codes(classify_images(*images).findings)


# What is in the way


@pytest.mark.parametrize(
    ("before", "after", "first"),
    [
        ("6.0.0-0.0.2494585", "7.0U3g", "6.5 or 6.7"),
        ("6.0.0-3.57.5050593", "7.0U1", "6.5 or 6.7"),
        ("6.5.0-0.0.4564106", "8.0U3", "6.7 or 7.0"),
        ("7.0.3-0.55.20328353", "9.0.2", "8.0"),
        ("7.0.1-0.0.16850804", "9.1.1", "8.0"),
        ("6.7.0-0.0.8169922", "9.0.0.0100", "8.0"),
    ],
)
def test_a_path_that_is_not_direct_names_its_source(before: str, after: str, first: str) -> None:
    change = classify_images(old_image(before), compose(shop([after]).catalog(), base_image=version_of(after)))

    finding = the(change.findings, "no-direct-upgrade")
    assert finding.remedy == f"upgrade to {first} first"
    assert finding.fact("evidence") in ("confirmed", "inferred")
    assert finding.fact("source").startswith("https://")
    assert f"({finding.fact('evidence')}: {finding.fact('source')})" in finding.cause


@pytest.mark.parametrize(("before", "after"), [("6.7.0-0.0.8169922", "8.0U3"), ("6.5.0-0.0.4564106", "7.0U3g")])
def test_a_direct_path_is_no_finding_and_has_its_cautions_with_sources(before: str, after: str) -> None:
    difference = diff(old_image(before), compose(shop([after]).catalog(), base_image=version_of(after)))

    assert codes(difference.change.findings) == []
    assert any("vmklinux" in caution.text for caution in difference.cautions)
    shown = render_diff(difference)
    assert all(f"{caution.evidence}: {caution.source}" in shown for caution in difference.cautions)


def test_published_releases_have_paths_too() -> None:
    known = {release.name: release for release in KNOWN_RELEASES}

    assert codes(classify_known(known["7.0U3g"], known["9.0.1"]).findings) == ["no-direct-upgrade"]
    assert codes(classify_known(known["8.0U3g"], known["9.0.1"]).findings) == []


# What goes down


@pytest.mark.parametrize(
    ("base", "release", "name", "higher", "lower"),
    [
        ("7.0U3f", "7.0U3g", "Broadcom-lpfc", "14.4.0.0-1OEM.700.1.0.15843807", "14.2.0.0-1OEM.700.1.0.15843807"),
        ("8.0U3", "8.0U3b", "Intel-i40en", "2.9.0.0-1OEM.800.1.0.20143090", "1.14.1.0-1vmw.803.0.0.1"),
    ],
)
def test_a_patch_that_lowers_one_component_is_a_downgrade(
    base: str, release: str, name: str, higher: str, lower: str
) -> None:
    stock = shop([base, release])
    for version in (higher, lower):
        part(stock, name, version, vib(name.lower(), version))
    before = compose(stock.catalog(), base_image=version_of(base), components={name: higher})
    after = compose(stock.catalog(), base_image=version_of(release), components={name: lower})
    change = classify_images(before, after)

    assert (change.kind, change.is_downgrade) == ("patch", True)
    assert [(item.kind, item.name, item.before, item.after) for item in change.lowered] == [
        (LoweredKind.COMPONENT, name, higher, lower)
    ]
    assert f"Goes down         {name} {higher} to {lower}\n" in render_diff(diff(before, after))


@pytest.mark.parametrize(("before", "after"), [("7.0U3g", "7.0U3f"), ("8.0U3e", "7.0U3i")])
def test_of_two_releases_the_base_image_goes_down(before: str, after: str) -> None:
    stock = Stock()
    change = classify_releases(base_image(stock, before), base_image(stock, after))

    assert change.is_downgrade
    assert [str(item) for item in change.lowered] == [f"ESXi {version_of(before)} to {version_of(after)}"]


# What to move to


def reasons_of(answer: Recommendation, release: str) -> tuple[str, ...]:
    (entry,) = (entry for entry in answer.passed_over if entry.base_image == version_of(release))
    return entry.reasons


@pytest.mark.parametrize(
    ("before", "after", "declared"),
    [
        pytest.param("7.0U3g", "8.0U3", ["7.0.3", "8.0.3"], id="two releases"),
        pytest.param("7.0U2a", "7.0U3f", [">=7.0.2,<8"], id="a range"),
    ],
)
def test_an_add_on_that_declares_both_releases_is_recommended_across_them(
    before: str, after: str, declared: list[str]
) -> None:
    stock = shop([before, after])
    dell(stock, A08, supported_base_images=declared)
    answer = recommend(stock.catalog(), spec(base_image=version_of(before), add_on=(DELL, A08)))

    assert answer.latest is not None
    assert (answer.latest.spec.base_image, str(answer.latest.spec.add_on)) == (version_of(after), f"{DELL}:{A08}")


@pytest.mark.parametrize(
    ("before", "after", "add_on", "declared"),
    [
        pytest.param("7.0U3f", "7.0U3g", A08, "7.0.3-0.50", id="one patch"),
        pytest.param("8.0U3", "8.0U3e", "803.24280767-A02", "8.0.3-0.0.24022510", id="another train"),
        pytest.param("7.0U3f", "7.0U3i", A08, "<7.0.3", id="a range"),
    ],
)
def test_what_an_add_on_declares_is_named(before: str, after: str, add_on: str, declared: str) -> None:
    """ "None is loaded for 703" is untrue of one that is for 703 and declares another patch of it only."""
    stock = shop([before, after])
    dell(stock, add_on, supported_base_images=[declared])
    answer = recommend(stock.catalog(), spec(base_image=version_of(before), add_on=(DELL, add_on)))

    assert reasons_of(answer, after) == (f"{DELL}:{add_on} is not for this base image: it declares only {declared}",)


@pytest.mark.parametrize(
    ("before", "after", "higher", "lower"),
    [
        ("7.0U3f", "7.0U3g", "14.4.0.0-1vmw.703.0.0.1", "14.0.0.0-1vmw.703.0.0.9"),
        ("8.0U2b", "8.0U3", "5.0-1OEM.800.1.0.1", "4.9-2vmw.803.0.0.1"),
    ],
)
@pytest.mark.parametrize("is_manual", [True, False, None])
def test_no_suggestion_is_refused_by_a_host_with_the_current_image(
    before: str, after: str, higher: str, lower: str, *, is_manual: bool | None
) -> None:
    stock = Stock()
    base_image(stock, before, part(stock, "Net-driver", higher, vib("ndrv", higher)))
    base_image(stock, after, part(stock, "Net-driver", lower, vib("ndrv", lower)))
    catalog = stock.catalog()
    now, then = (compose(catalog, base_image=version_of(release)) for release in (before, after))
    assert now.base_image is not None
    installed = [
        HostComponent(name=entry.component.name, version=entry.component.version, is_manual=is_manual)
        for entry in now.components
    ]
    host = Host(name="esx1", base_image=now.base_image.version, components=installed)
    answer = recommend(catalog, spec(base_image=version_of(before)))

    assert judge_host(then, host).verdict is Verdict.FAILS
    assert answer.latest is None
    assert reasons_of(answer, after) == (f"Net-driver would go down from {higher} to {lower}, which hosts refuse",)


@pytest.mark.parametrize(
    ("relations_of_it", "code"),
    [({"depends": ["nothing-has-this"]}, "missing-dependency"), ({"conflicts": ["esx-base"]}, "conflict")],
)
@pytest.mark.parametrize(("before", "after"), [("7.0U3f", "7.0U3g"), ("8.0U3", "8.0U3e")])
def test_a_waived_error_keeps_nothing_from_being_recommended(
    before: str, after: str, relations_of_it: dict[str, list[str]], code: str
) -> None:
    stock = shop([before, after])
    part(stock, "own", "1.0-1", vib("own", "1.0-1", **relations_of_it))
    wanted = spec({"own": "1.0-1"}, base_image=version_of(before))

    assert recommend(stock.catalog(), wanted).latest is None
    answer = recommend(stock.catalog(), wanted, allow=[code])
    assert answer.latest is not None
    assert answer.latest.spec == attrs.evolve(wanted, base_image=version_of(after))
    assert codes(answer.latest.waived) == [code]
    assert f"[waived] {code}: " in render_recommendation(answer)


# How long it takes where nothing fits

_LACKING: dict[str, list[str]] = {"depends": ["nothing-has-this"]}
UNFIT: dict[str, dict[str, list[str]]] = {
    "missing": _LACKING,
    "conflict": {"conflicts": ["esx-base"]},
    "open": _LACKING,
    "fits": {},
}


def unfit_shop(count: int, *, of_user: str, of_add_on: str) -> Catalog:
    """So many patches and so many add-ons, which all have these faults."""
    stock = Stock()
    for patch in range(count):
        version = f"7.0.3-0.{patch}.2000000{patch}"
        own = [stock.driver(f"driver-{number}", f"1.{patch}-1") for number in range(6)]
        stock.base_image(*own, stock.component("ESXi", version, esx_base(version)), version=version)
        agent = stock.driver("agent", f"{patch}.0-1", files=(f"usr/agent-{patch}",), **UNFIT[of_add_on])
        stock.add_on(agent, release=("VND-AddOn", f"703.1.A{patch:02}"))
    for number in range(3 if of_user == "open" else 1):
        stock.driver("own", f"{number + 1}.0-1", **UNFIT[of_user])
    return stock.catalog()


@pytest.mark.parametrize(
    ("of_user", "of_add_on"),
    [("missing", "fits"), ("conflict", "fits"), ("fits", "missing"), ("fits", "conflict"), ("open", "fits")],
)
def test_where_nothing_fits_few_candidates_are_composed(of_user: str, of_add_on: str) -> None:
    """Twice the base images and add-ons are four times the candidates, and about twice the composing."""
    counts = []
    for count in (8, 16):
        catalog = unfit_shop(count, of_user=of_user, of_add_on=of_add_on)
        version = None if of_user == "open" else "1.0-1"
        wanted = spec({"own": version}, base_image="7.0.3-0.0.20000000", add_on=("VND-AddOn", "703.1.A00"))
        answers: list[Recommendation] = []
        counts.append(lines_run_in(vib_selection, lambda: answers.append(recommend(catalog, wanted))))  # noqa: B023
        assert answers[0].latest is None
        assert len(answers[0].passed_over) == count * count - 1

    assert counts[1] < 2.6 * counts[0]


# Security at a glance


@pytest.mark.parametrize(
    ("before", "after", "severity", "urgency"),
    [("7.0U3f", "7.0U3g", "critical", "important"), ("8.0U3", "8.0U3e", "important", "moderate")],
)
def test_security_bulletins_are_told_per_component(before: str, after: str, severity: str, urgency: str) -> None:
    stock = Stock()
    address = f"https://kb.example/{after}"
    base_image(stock, before, part(stock, "Net-driver", "1.0-1"))
    fixed = part(stock, "Net-driver", "2.0-1", category="security", severity=severity, urgency=urgency, kb_url=address)
    base_image(stock, after, fixed)
    catalog = stock.catalog()
    now, then = (compose(catalog, base_image=version_of(release)) for release in (before, after))
    row = f"Net-driver  2.0-1  Net-driver_2.0-1  {severity}  {urgency}  {address}"

    shown = [
        render_diff(diff(now, then, catalog=catalog)),
        render_recommendation(recommend(catalog, spec(base_image=version_of(before)))),
        render_text_report(now, validate(now, catalog), catalog=catalog),
        render_text_report(then, validate(then, catalog), catalog=catalog),
    ]
    assert all(" ".join(row.split()) in " ".join(page.split()) for page in shown)
    assert "and not in the image" in shown[2]
    assert "The image has these security bulletins" in shown[3]

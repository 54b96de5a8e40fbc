"""Reports: every form says the same, waivers are marked, and nothing in an image can break a page."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import attrs
import pytest
from hypothesis import given, settings, strategies as st
from support import memory_catalogs as catalogs, schema_strategies as strategies
from support.changed_depots import DEPOTS
from support.pages import HOSTILE, Page, unmarked

import esximage_builder as eib
from esximage_builder.findings import Finding, Severity
from esximage_builder.models.image import OverriddenComponent, RemovedComponent
from esximage_builder.rules.boot_layout import boot_bank_bytes
from esximage_builder.views.image import drivers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

U3G = DEPOTS / "VMware-ESXi-7.0U3g-20328353-depot.zip"
ESXI_67 = DEPOTS / "VMware-ESXi-6.7.0-8169922-depot.zip"
A03 = DEPOTS / "ACME-ESXi-Addon-702.17867351.A03-depot.zip"
A08 = DEPOTS / "ACME-ESXi-Addon-703.20328353.A08-depot.zip"
I40EN_OLD = DEPOTS / "Intel-i40en_1.8.1.16-1vmw.700.1.0.15843807.zip"
FLUX = DEPOTS / "Acme-flux_1.0.0-1OEM.900.1.0.24000000.zip"
FLUX_VIB = "ACM_bootbank_acme-flux_1.0.0-1OEM.900.1.0.24000000"
ALLOW = ("add-on-base-unsupported", "missing-dependency")


@final
@attrs.frozen(kw_only=True)
class Case:
    """An image with everything a report tells of, its validation, and what was written."""

    image: eib.Image
    report: eib.ValidationReport
    catalog: eib.Catalog
    results: tuple[eib.ExportResult, ...]
    inputs: tuple[eib.InputFile, ...]

    def rendered(self, render: Callable[..., str], **changes: Any) -> str:
        known = {"allow": ALLOW, "results": self.results, "inputs": self.inputs, "catalog": self.catalog}
        options = known | changes
        return render(self.image, self.report, **options)


@pytest.fixture(scope="module")
def case() -> Case:
    with eib.open_depot(U3G, A03, A08, I40EN_OLD, FLUX) as depot:
        image = eib.compose(
            depot.catalog,
            base_image="7.0U3g",
            add_on=("ACME-AddOn", "702.17867351.A03"),
            components={"Intel-i40en": "1.8.1.16-1vmw.700.1.0.15843807", "Acme-flux": None},
            removed_components=["VMware-oem-dell-plugin"],
        )
        note = Finding(code="loose-vib-not-used", severity=Severity.INFO, message="the VIB x is not used")
        report = eib.validate(image, depot.catalog).with_findings([note])
        catalog = depot.catalog
    mapped = Finding(
        code="local-name-mapped",
        severity=Severity.INFO,
        message="menu.c32.b00 of X stands on the disc as MENU_C32.B00",
        items=("VMware_bootbank_esx-base_1", "menu.c32", "menu_c32.b00"),
        facts={"vib": "VMware_bootbank_esx-base_1", "payload": "menu.c32", "name_on_disc": "menu_c32.b00"},
    )
    kickstart = Finding(code="kickstart-no-install", severity=Severity.ERROR, message="no install line")
    line_ends = Finding(code="kickstart-line-ends", severity=Severity.WARNING, message="Windows line ends")
    result = eib.ExportResult(
        path=Path("out/custom.iso"),
        size_bytes=1_306_624,
        image_digest=image.digest,
        sha256="5" * 64,
        waived=(*report.errors, kickstart),
        findings=(mapped, line_ends),
    )
    inputs = (
        eib.InputFile(path=Path("in/base.zip"), size_bytes=656_090, sha256="a" * 64),
        eib.InputFile(path=Path("in/unpacked")),
    )
    return Case(image=image, report=report, catalog=catalog, results=(result,), inputs=inputs)


SECTIONS = [
    "Summary",
    "Findings",
    "Waivers",
    "Inputs",
    "Outputs",
    "Base image and add-on",
    "Changes to the base image",
    "Removed components",
    "Reserved VIBs",
    "Acceptance level",
    "Notes",
    "Size",
    "Drivers",
    "Contents",
]
SAID = [
    pytest.param("The image has no open errors. Found: 0 errors, 3 errors waived, 2 warnings, 1 note.", id="verdict"),
    pytest.param("7.0 U3g - 20328353", id="base image"),
    pytest.param("702.17867351.A03", id="add-on"),
    pytest.param("1.11.1.31-1vmw.703.0.20.19193900 (base image)", id="instead of"),
    pytest.param("nothing, it is new", id="new component"),
    pytest.param("the user", id="removed by the user"),
    pytest.param("Reserved VIBs are carried in bundles and never installed.", id="what reserved means"),
    pytest.param("its component is overridden by Intel-i40en:1.8.1.16-1vmw.700.1.0.15843807", id="why reserved"),
    pytest.param("only hosts whose own level is PartnerSupported or lower take it", id="acceptance"),
    pytest.param("built for the driver interface of ESXi after 9.0, vmkapi 9.9", id="cause"),
    pytest.param("take a 703 version of the add-on; loaded: 703.20328353.A08", id="remedy"),
    pytest.param("These errors were found and allowed by code", id="waivers"),
    pytest.param("no install line", id="waiver of the export"),
    pytest.param("1,306,624 bytes (1.2 MiB)", id="size of the output"),
    pytest.param("5" * 64, id="digest of the output"),
    pytest.param("656,090 bytes (0.6 MiB)", id="size of the input"),
    pytest.param("a" * 64, id="digest of the input"),
    pytest.param("in/unpacked", id="folder that went in"),
    pytest.param("the VIB x is not used", id="note"),
    pytest.param("menu_c32.b00", id="mapped name"),
    pytest.param("Windows line ends", id="finding of the export"),
    pytest.param("Payloads for the boot bank: 83 files, 89,089 bytes (0.1 MiB).", id="boot bank"),
]


@pytest.mark.parametrize("text", SAID)
def test_both_long_forms_say_it(case: Case, text: str) -> None:
    assert text in Page(case.rendered(eib.render_html_report)).text
    assert text in unmarked(case.rendered(eib.render_markdown_report))


def test_the_sections_stand_in_their_order(case: Case) -> None:
    markdown = case.rendered(eib.render_markdown_report)
    page = Page(case.rendered(eib.render_html_report))

    assert re.findall(r"(?m)^## (.+)$", markdown) == SECTIONS
    assert markdown.startswith(f"# {case.image.name}\n")
    assert page.count("section") == page.count("h2") == len(SECTIONS)
    targets = {attributes["href"] for tag, attributes in page.tags if tag == "a"}
    assert targets == {f"#{attributes['id']}" for tag, attributes in page.tags if tag == "section"}


def test_sections_with_nothing_to_say_are_left_out() -> None:
    with eib.open_depot(U3G) as depot:
        image = eib.compose(depot.catalog, base_image="7.0U3g")
    markdown = eib.render_markdown_report(image, eib.validate(image))

    assert re.findall(r"(?m)^## (.+)$", markdown) == [
        title
        for title in SECTIONS
        if title not in ("Removed components", "Reserved VIBs", "Waivers", "Inputs", "Outputs", "Notes")
    ]
    assert "None: every component is the base image's own." in markdown
    assert "VMwareCertified: no VIB is below the highest level." in markdown
    assert "No findings." in markdown


def test_an_image_of_a_profile_says_what_is_not_known() -> None:
    with eib.open_depot(ESXI_67) as depot:
        image = eib.image_from_profile(depot.catalog, "ESXi-6.7.0-8169922-standard")
    markdown = eib.render_markdown_report(image, eib.validate(image))

    assert "Opened from the image profile ESXi-6.7.0-8169922-standard, which does not say who brought what." in markdown
    assert "## Changes to the base image" not in markdown
    assert "| VMware_bootbank_esx-base_6.7.0-0.0.8169922 | VMwareCertified | stand-alone |" in markdown


def test_community_vibs_are_named_with_what_follows(case: Case) -> None:
    low = catalogs.vib("tweaks", acceptance_level=eib.AcceptanceLevel.COMMUNITY)
    image = attrs.evolve(case.image, vibs=[*case.image.vibs, eib.InstalledVib(vib=low)])
    text = Page(eib.render_html_report(image, eib.validate(image))).text

    assert f"the image is CommunitySupported: {low.id} pulls it down" in text
    assert "that has to be set on the host first, and a host with UEFI Secure Boot refuses community VIBs" in text


def test_the_verdict_and_what_is_wrong_stand_on_top(case: Case) -> None:
    """Errors, then those that were waived, then warnings; of image and exports, each once and nothing else."""
    results = [attrs.evolve(case.results[0], waived=case.results[0].waived[-1:])]
    page = Page(case.rendered(eib.render_html_report, allow=ALLOW[:1], results=results))
    markdown = case.rendered(eib.render_markdown_report, allow=ALLOW[:1], results=results)
    top = markdown[: markdown.index("## Waivers")]

    classes = [str(found.get("class")) for _, found in page.tags]
    assert classes.index("verdict error") < classes.index("cause error")
    assert top.index("**ERROR**: The image has errors and is not to be written.") < top.index("* **ESXi**")
    assert re.findall(r"(?m)^\* \*\*(\w+)\*\* `([\w-]+)`", top) == [
        ("ERROR", "missing-dependency"),
        ("WAIVED", "add-on-base-unsupported"),
        ("WAIVED", "kickstart-no-install"),
        ("WARNING", "component-lowered"),
        ("WARNING", "removals-need-newer-vcenter"),
        ("WARNING", "kickstart-line-ends"),
    ]
    assert markdown.count("kickstart-line-ends") == 1


@pytest.mark.parametrize(
    ("severities", "allow", "label"),
    [
        pytest.param([], (), "ok", id="nothing"),
        pytest.param([Severity.INFO], (), "ok", id="a note"),
        pytest.param([Severity.WARNING, Severity.INFO], (), "warning", id="a warning"),
        pytest.param([Severity.ERROR, Severity.WARNING], ("conflict",), "waived", id="a waiver"),
        pytest.param([Severity.ERROR], (), "error", id="an error"),
    ],
)
def test_the_verdict_weighs_what_the_worst_does(
    case: Case, severities: list[Severity], allow: tuple[str, ...], label: str
) -> None:
    found = [Finding(code="conflict", severity=severity, message=severity) for severity in severities]
    report = eib.ValidationReport(image_digest=case.image.digest, findings=found)
    page = Page(eib.render_html_report(case.image, report, allow=allow))

    assert page.count("p", **{"class": f"verdict {label}"}) == 1
    assert ("No errors and no warnings." in page.text) == (severities == [Severity.INFO])


def test_the_data_names_what_went_in_and_came_out(case: Case) -> None:
    document: Any = eib.report_as_dict(case.image, case.report, results=case.results, inputs=case.inputs)

    assert document["inputs"] == [
        {"path": "in/base.zip", "size_bytes": 656_090, "sha256": "a" * 64},
        {"path": "in/unpacked", "size_bytes": None, "sha256": None},
    ]
    (output,) = document["outputs"]
    assert (output["path"], output["sha256"], output["image_digest"]) == (
        "out/custom.iso",
        "5" * 64,
        case.image.digest,
    )
    folder = attrs.evolve(case.results[0], sha256="")
    tree: Any = eib.report_as_dict(case.image, case.report, results=[folder])
    assert (tree["inputs"], tree["outputs"][0]["sha256"]) == ([], None)
    assert "SHA-256" not in eib.render_markdown_report(case.image, case.report, results=[folder])


def test_a_short_report_states_an_image_digest_once(case: Case) -> None:
    """An output without VMware Tools holds another image: only there it is said again."""
    other = attrs.evolve(case.results[0], image_digest="7" * 64)
    for result, times in ((case.results[0], 1), (other, 2)):
        text = eib.render_text_report(case.image, case.report, results=[result])
        assert text.count(case.image.digest) + text.count("7" * 64) == times


# Waivers


def test_waived_errors_are_marked_and_open_ones_are_not(case: Case) -> None:
    everything, one = (Page(case.rendered(eib.render_html_report, allow=allow)) for allow in (ALLOW, ALLOW[:1]))

    assert (
        everything.count("div", **{"class": "cause waived"}),
        everything.count("div", **{"class": "cause error"}),
    ) == (
        3,  # two of the image, one of the disc
        0,
    )
    assert one.count("div", **{"class": "cause error"}) == 1
    alone = eib.render_markdown_report(case.image, case.report, allow=ALLOW[:1])
    assert "* **WAIVED** `add-on-base-unsupported`: " in alone
    assert "* **ERROR** `missing-dependency`: " in alone
    assert "The image has errors and is not to be written. Found: 1 error, 1 error waived, 2 warnings" in alone


def test_a_warning_is_never_waived(case: Case) -> None:
    markdown = eib.render_markdown_report(case.image, case.report, allow=("component-lowered",))
    assert "* **WARNING** `component-lowered`: " in markdown
    assert "## Waivers" not in markdown


def test_the_text_marks_waivers_of_image_and_export(case: Case) -> None:
    lines = eib.render_text_report(case.image, case.report, allow=ALLOW, results=case.results).splitlines()

    assert [line for line in lines if "[error" in line or "[waived" in line] == [
        f"  [waived] add-on-base-unsupported: {case.report.errors[0].message}",
        f"  [waived] missing-dependency: {FLUX_VIB} requires vmkapi_9_9_0_0, which the image does not have",
        "  [waived] kickstart-no-install: no install line",
    ]
    assert lines[lines.index("Outputs") + 1 :][:3] == [
        "  File     out/custom.iso",
        "  Size     1,306,624 bytes (1.2 MiB)",
        f"  SHA-256  {'5' * 64}",
    ]


def test_the_data_marks_waivers_of_image_and_export(case: Case) -> None:
    document: Any = eib.report_as_dict(case.image, case.report, allow=ALLOW, results=case.results)

    assert {entry["code"]: entry["waived"] for entry in document["findings"]} == {
        "add-on-base-unsupported": True,
        "missing-dependency": True,
        "component-lowered": False,
        "removals-need-newer-vcenter": False,
        "loose-vib-not-used": False,
    }
    (output,) = document["outputs"]
    assert {entry["code"]: entry["waived"] for entry in output["findings"]} == {
        "kickstart-no-install": True,
        "local-name-mapped": False,
        "kickstart-line-ends": False,
    }


def test_a_waived_error_for_which_an_export_knows_another_remedy_counts_once(case: Case) -> None:
    """An export that is handed no report validates without the catalog, and so suggests less."""
    again = [attrs.evolve(finding, remedy="another") for finding in case.report.errors]
    result = attrs.evolve(case.results[0], waived=again, findings=())
    markdown = case.rendered(eib.render_markdown_report, results=[result])

    assert "Found: 0 errors, 2 errors waived" in markdown
    assert markdown.count("`missing-dependency`") == 1


# Removals


@pytest.mark.parametrize(
    ("source", "who"),
    [
        pytest.param(eib.ComponentSource.ADD_ON, "the add-on", id="add-on"),
        pytest.param(eib.ComponentSource.HARDWARE_SUPPORT_PACKAGE, "the hardware support package", id="package"),
        pytest.param(eib.ComponentSource.USER_REMOVED, "the user", id="user"),
    ],
)
def test_each_form_names_who_removed_a_component(source: eib.ComponentSource, who: str) -> None:
    lost = OverriddenComponent(catalogs.component("lpfc", "1.0-1").reference, eib.ComponentSource.BASE_IMAGE)
    image = eib.Image(name="x", removed=[RemovedComponent(name="lpfc", source=source, removed=[lost])])
    report = eib.ValidationReport(image_digest=image.digest)

    found = [" ".join(line.split()) for line in eib.render_text_report(image, report).splitlines()]
    assert f"lpfc {who} 1.0-1 (base image)" in found
    assert f"| lpfc | {who} | 1.0-1 (base image) |" in eib.render_markdown_report(image, report).splitlines()


# Sizes and drivers


def test_the_boot_bank_holds_the_modules_of_host_vibs() -> None:
    """Not the locker's, not those for data processing units, not the boot loaders on the disc."""
    vibs = [
        catalogs.vib("a", payloads=[catalogs.payload("a", size_bytes=100), catalogs.payload("b", size_bytes=20)]),
        catalogs.vib("tools-light", type="locker", payloads=[catalogs.payload("t", "tgz", size_bytes=7000)]),
        catalogs.vib(
            "dpu", software_platforms=catalogs.platforms("esxio 8.0"), payloads=[catalogs.payload("d", size_bytes=900)]
        ),
        catalogs.vib("loader", payloads=[catalogs.payload("isolinux.bin", "boot_iso_bios", size_bytes=50_000)]),
        catalogs.vib("unstated", payloads=[catalogs.payload("u")]),
    ]
    image = eib.Image(name="x", vibs=[eib.InstalledVib(vib=vib) for vib in vibs])
    markdown = eib.render_markdown_report(image, eib.ValidationReport(image_digest=image.digest))

    assert boot_bank_bytes(image) == 120
    assert "Payloads for the boot bank: 3 files, 120 bytes (0.0 MiB). The size of 1 file is not stated." in markdown
    assert "Boot bank         120 bytes" in eib.render_text_report(
        image, eib.ValidationReport(image_digest=image.digest)
    )


def test_drivers_are_rows_for_a_compatibility_guide() -> None:
    vibs = [
        catalogs.vib("net", tags=("driver", "module", "PCIID 1000001410281f3a", "PCIID ................0c0330")),
        catalogs.vib("agent", tags=("module",)),
        catalogs.vib("plain", tags=("driver",)),
    ]
    image = eib.Image(name="x", vibs=[eib.InstalledVib(vib=vib) for vib in vibs])

    assert drivers(image) == (
        ("net", "1.0-1", "ACM", ("1000001410281f3a", "................0c0330")),
        ("plain", "1.0-1", "ACM", ()),
    )
    document: Any = eib.image_as_dict(image)
    assert document["drivers"][0] == {
        "name": "net",
        "version": "1.0-1",
        "vendor": "ACM",
        "pci_ids": ["1000001410281f3a", "................0c0330"],
    }
    markdown = eib.render_markdown_report(image, eib.ValidationReport(image_digest=image.digest))
    assert "| net | 1.0-1 | ACM | 1000001410281f3a, ................0c0330 |" in markdown


# Hostile contents


def hostile_image(text: str) -> tuple[eib.Image, eib.ValidationReport]:
    vib = catalogs.vib("net", vendor=text or "x", tags=("driver", f"PCIID {text}"))
    finding = Finding(
        code="conflict", severity=Severity.ERROR, message=text, items=(text, "b"), cause=text, remedy=text
    )
    image = eib.Image(name=text, vibs=[eib.InstalledVib(vib=vib, component=text)])
    return image, eib.ValidationReport(image_digest=image.digest, findings=[finding, attrs.evolve(finding, remedy="y")])


def test_what_is_in_an_image_cannot_break_the_page() -> None:
    page = eib.render_html_report(*hostile_image(HOSTILE), allow=("conflict",))
    found = Page(page)

    assert found.count("script") == 0, "one VIB is no long table"
    assert not [tag for tag, attributes in found.tags if tag == "a" and not str(attributes["href"]).startswith("#")]
    assert " ".join(HOSTILE.split()) in found.text


def test_what_is_in_an_image_cannot_break_the_markdown() -> None:
    markdown = eib.render_markdown_report(*hostile_image(HOSTILE), allow=("conflict",))

    for line in markdown.splitlines():
        if line.startswith("|"):
            assert len(re.findall(r"(?<!\\)\|", line)) in (3, 4, 5)
        assert not re.search(r"(?<!\\)<", line)
        assert not re.search(r"(?<!\\)\[", line)
    assert re.findall(r"(?m)^# .*$", markdown) == [markdown.splitlines()[0]]


@settings(max_examples=40)
@given(strategies.xml_text() | st.text("<>&\"'|\\`*_[]#~ \n", max_size=12))
def test_every_text_comes_through_as_it_is(text: str) -> None:
    image, report = hostile_image(text)
    found = Page(eib.render_html_report(image, report))
    markdown = eib.render_markdown_report(image, report)
    widths = {
        len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) for line in markdown.splitlines() if line.startswith("| VIB")
    }

    assert " ".join(text.split()) in found.text
    assert " ".join(text.split()) in unmarked(markdown)
    assert widths == {4}


def test_the_page_loads_nothing_and_runs_only_its_own_script(case: Case) -> None:
    text = case.rendered(eib.render_html_report)
    page = Page(text)

    assert not re.search(r"url\(|@import|https?://|javascript:", text)
    assert {tag for tag, _ in page.tags}.isdisjoint({"link", "img", "iframe", "object", "form"})
    assert [found for tag, found in page.tags if tag == "script"] == [{}]
    assert not [name for _, found in page.tags for name in found if name in ("src", "style") or name.startswith("on")]
    assert page.count("meta", **{"http-equiv": "Content-Security-Policy"}) == 1


# Files


@pytest.mark.parametrize(
    ("name", "start"),
    [
        pytest.param("x.txt", "ESXi-7.0U3g", id="text"),
        pytest.param("x.json", '{\n  "image": {', id="JSON"),
        pytest.param("x.md", "# ESXi-7.0U3g", id="Markdown"),
        pytest.param("X.HTML", "<!DOCTYPE html>\n", id="HTML"),
    ],
)
def test_the_suffix_says_the_form(case: Case, tmp_path: Path, name: str, start: str) -> None:
    done = [
        eib.write_report(
            case.image, case.report, tmp_path / f"{turn}{name}", allow=ALLOW, results=case.results, catalog=case.catalog
        )
        for turn in ("1", "2")
    ]
    first, second = (result.path.read_bytes() for result in done)

    assert first.decode().startswith(start)
    assert first == second
    assert (done[0].size_bytes, done[0].image_digest) == (len(first), case.image.digest)


def test_the_json_file_is_what_report_as_dict_gives(case: Case, tmp_path: Path) -> None:
    eib.write_report(case.image, case.report, tmp_path / "x.json", allow=ALLOW, results=case.results)
    document = eib.report_as_dict(case.image, case.report, allow=ALLOW, results=case.results)
    assert json.loads((tmp_path / "x.json").read_bytes()) == json.loads(json.dumps(document))


@pytest.mark.parametrize("name", ["x.txt", "x.json", "x.md", "x.html"])
def test_a_path_that_is_no_text_is_written_as_it_can_be(case: Case, tmp_path: Path, name: str) -> None:
    """Names of files in another encoding come as half surrogates."""
    result = eib.ExportResult(path=Path("out/\udce9.iso"), size_bytes=1, image_digest=case.image.digest)
    written = eib.write_report(case.image, case.report, tmp_path / name, results=[result])
    assert "udce9.iso" in written.path.read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "found"), [("x.pdf", ".pdf"), ("report", "no suffix"), (".html", "no suffix")])
def test_another_suffix_is_refused(case: Case, tmp_path: Path, name: str, found: str) -> None:
    with pytest.raises(eib.ModelError) as caught:
        eib.write_report(case.image, case.report, tmp_path / name)
    assert (caught.value.found, caught.value.expected) == (found, ".txt or .json or .md or .html or .sarif")
    assert list(tmp_path.iterdir()) == []


def test_generators_serve_as_codes_and_results(case: Case, tmp_path: Path) -> None:
    """A second look at an iterator finds nothing; every form looks more than once."""

    def once(items: tuple[Any, ...]) -> Iterator[Any]:
        yield from items

    for name in ("x.txt", "x.json", "x.md", "x.html"):
        first, second = (
            eib.write_report(case.image, case.report, tmp_path / f"{turn}{name}", allow=allow, results=results)
            for turn, allow, results in ((1, ALLOW, case.results), (2, once(ALLOW), once(case.results)))
        )
        assert first.path.read_bytes() == second.path.read_bytes(), name

"""Bills of materials: valid by the standards, complete, and the same bytes every time."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from hypothesis import HealthCheck, given, settings, strategies as st
from packageurl import PackageURL
from spdx_tools.spdx.parser.jsonlikedict.json_like_dict_parser import JsonLikeDictParser
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document
from support import memory_catalogs as catalogs, schema_strategies as strategies
from support.changed_depots import DEPOTS, ROOT, clean_environment

import esximage_builder as eib
from esximage_builder.export.sbom import SBOM_FORMATS, image_sbom, render_sbom
from esximage_builder.models.sbom import Sbom, SbomItem, SbomKind
from esximage_builder.models.vib import VibFile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

U3G = DEPOTS / "VMware-ESXi-7.0U3g-20328353-depot.zip"
ESXI_67 = DEPOTS / "VMware-ESXi-6.7.0-8169922-depot.zip"
A08 = DEPOTS / "ACME-ESXi-Addon-703.20328353.A08-depot.zip"
I40EN = DEPOTS / "Intel-i40en_2.8.4.0-1OEM.700.1.0.15843807.zip"
NEW_VIB = "INT_bootbank_i40en_2.8.4.0-1OEM.700.1.0.15843807"
STOCK_VIB = "VMW_bootbank_i40en_1.11.1.31-1vmw.703.0.20.19193900"
STOCK = "Intel-i40en:1.11.1.31-1vmw.703.0.20.19193900"

_STRICT = JsonStrictValidator(SchemaVersion.V1_6)


def require_valid(data: bytes, form: str) -> None:
    """Ask the standards' own validators; SPDX documents are read back for that."""
    if form == "cyclonedx":
        assert _STRICT.validate_str(data.decode()) is None
        return
    document = JsonLikeDictParser().parse(json.loads(data))  # type: ignore[no-untyped-call]
    assert [message.validation_message for message in validate_full_spdx_document(document)] == []


@pytest.fixture(scope="module")
def opened() -> Iterator[eib.Depot]:
    with eib.open_depot(U3G, A08, I40EN) as depot:
        yield depot


@pytest.fixture(scope="module")
def image(opened: eib.Depot) -> eib.Image:
    return eib.compose(
        opened.catalog,
        base_image="7.0U3g",
        add_on=("ACME-AddOn", "703.20328353.A08"),
        components=["Intel-i40en"],
        removed_components=["VMware-oem-dell-plugin"],
    )


@pytest.fixture(scope="module")
def written(image: eib.Image, opened: eib.Depot, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("sbom")
    documents: dict[str, bytes] = {}
    for form in SBOM_FORMATS:
        result = eib.export_sbom(image, opened, folder / form, format=form)
        documents[form] = result.path.read_bytes()
        assert (result.size_bytes, result.image_digest) == (len(documents[form]), image.digest)
    return documents


@pytest.fixture(scope="module")
def cyclonedx(written: dict[str, bytes]) -> dict[str, Any]:
    document = json.loads(written["cyclonedx"])
    assert isinstance(document, dict)
    return document


@pytest.fixture(scope="module")
def spdx(written: dict[str, bytes]) -> dict[str, Any]:
    document = json.loads(written["spdx"])
    assert isinstance(document, dict)
    return document


# Valid


@pytest.mark.parametrize("form", SBOM_FORMATS)
def test_the_standards_own_validators_find_nothing(written: dict[str, bytes], form: str) -> None:
    require_valid(written[form], form)


@pytest.mark.parametrize("form", SBOM_FORMATS)
def test_an_image_of_a_profile_has_a_valid_bill(tmp_path: Path, form: Any) -> None:
    """Nothing but VIBs and an image: all of them hang on the image itself."""
    with eib.open_depot(ESXI_67) as depot:
        image = eib.image_from_profile(depot.catalog, "ESXi-6.7.0-8169922-standard")
        eib.export_sbom(image, depot, tmp_path / "x.json", format=form)
        bill = image_sbom(image, depot)
    require_valid((tmp_path / "x.json").read_bytes(), form)
    assert bill.image.contains == tuple(item.ref for item in bill.items)
    assert {item.kind for item in bill.items} == {SbomKind.VIB}


def items() -> st.SearchStrategy[SbomItem]:
    text = strategies.json_text(min_size=1)
    return st.builds(
        SbomItem,
        kind=st.sampled_from([kind for kind in SbomKind if kind is not SbomKind.IMAGE]),
        id=text,
        name=text,
        version=strategies.json_text(),
        vendor=strategies.json_text() | st.sampled_from(["Acme (Berlin)", "(x@y)", "a\nb", " "]),
        summary=strategies.json_text(),
        sha256=strategies.hex_digits(64) | st.just(""),
        is_driver=st.booleans(),
        is_reserved=st.booleans(),
        facts=st.dictionaries(strategies.names(), text, max_size=2).map(lambda found: tuple(found.items())),
    )


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(items(), max_size=4, unique_by=lambda item: item.ref), strategies.json_text(min_size=1))
def test_whatever_things_are_called_the_bill_is_valid(things: list[SbomItem], name: str) -> None:
    """Ids that differ in forbidden characters only, names in every script, no version at all."""
    root = SbomItem(kind=SbomKind.IMAGE, id=name, name=name, contains=sorted(item.ref for item in things))
    moment = datetime(2022, 9, 1, tzinfo=UTC)
    bill = Sbom(serial=uuid.UUID(int=7, version=4), created_at=moment, image=root, items=things)

    for form in SBOM_FORMATS:
        data = render_sbom(bill, format=form)
        require_valid(data, form)
        assert render_sbom(bill, format=form) == data
    packages = json.loads(render_sbom(bill, format="spdx"))["packages"]
    assert len({package["SPDXID"] for package in packages}) == len(things) + 1


def test_spdx_uses_only_words_that_all_editions_of_its_schema_spell_alike(spdx: dict[str, Any]) -> None:
    """Of ``OPERATING-SYSTEM`` and ``OPERATING_SYSTEM`` each is refused by some."""
    assert {package["primaryPackagePurpose"] for package in spdx["packages"]} == {"INSTALL", "OTHER"}
    assert all(re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", package["SPDXID"]) for package in spdx["packages"])


# Complete


def test_cyclonedx_names_everything_once(cyclonedx: dict[str, Any], image: eib.Image) -> None:
    components = {component["bom-ref"]: component for component in cyclonedx["components"]}
    vibs = {f"vib:{vib.id}": vib for vib in image.all_vibs}

    assert len(components) == len(cyclonedx["components"])
    assert {ref for ref in components if ref.startswith("vib:")} == set(vibs)
    assert {ref for ref in components if ref.startswith("component:")} == {
        *(f"component:{entry.component.id}" for entry in image.components),
        *(f"component:{component.id}" for component in image.reserved_components),
    }
    assert {"base-image:ESXi:7.0.3-0.55.20328353", "add-on:ACME-AddOn:703.20328353.A08"} <= set(components)
    for ref, vib in vibs.items():
        component = components[ref]
        assert (component["name"], component["version"]) == (vib.name, vib.version.text)
        assert component["supplier"] == {"name": vib.vendor}
        assert component["type"] == ("device-driver" if "driver" in vib.tags else "application")
        purl = PackageURL.from_string(component["purl"])
        assert (purl.type, purl.namespace, purl.name, purl.version) == (
            "generic",
            vib.vendor,
            vib.name,
            vib.version.text,
        )


def facts_of(component: dict[str, Any]) -> dict[str, str]:
    return {entry["name"].removeprefix("esximage:"): entry["value"] for entry in component["properties"]}


def test_the_digests_are_those_of_the_files(
    cyclonedx: dict[str, Any], spdx: dict[str, Any], image: eib.Image, opened: eib.Depot
) -> None:
    first = {c["bom-ref"]: c.get("hashes") for c in cyclonedx["components"]}
    second = {p["externalRefs"][0]["referenceLocator"]: p["checksums"] for p in spdx["packages"] if "checksums" in p}
    purls = {c["bom-ref"]: c.get("purl") for c in cyclonedx["components"]}
    for vib in image.all_vibs:
        with opened.open_vib(vib) as source:
            digest = hashlib.sha256(source.read()).hexdigest()
        assert first[f"vib:{vib.id}"] == [{"alg": "SHA-256", "content": digest}]
        assert second[purls[f"vib:{vib.id}"]] == [{"algorithm": "SHA256", "checksumValue": digest}]


def test_reserved_things_are_marked(cyclonedx: dict[str, Any], spdx: dict[str, Any]) -> None:
    components = {component["bom-ref"]: component for component in cyclonedx["components"]}
    packages = {package["SPDXID"]: package for package in spdx["packages"]}
    stock = components[f"vib:{STOCK_VIB}"]

    assert (stock["scope"], components[f"vib:{NEW_VIB}"]["scope"]) == ("excluded", "required")
    assert components[f"component:{STOCK}"]["scope"] == "excluded"
    assert facts_of(stock)["standing"] == "reserved: carried, not installed"
    assert facts_of(stock)["reserved-because"] == ("component-overridden Intel-i40en:2.8.4.0-1OEM.700.1.0.15843807")
    assert facts_of(components[f"vib:{NEW_VIB}"])["acceptance-level"] == "accepted"
    comment = packages[f"SPDXRef-vib-{STOCK_VIB.replace('_', '-')}"]["comment"]
    assert "standing: reserved: carried, not installed" in comment.splitlines()
    assert "acceptance-level: certified" in comment.splitlines()


def test_everything_hangs_together_from_the_image_down(cyclonedx: dict[str, Any], spdx: dict[str, Any]) -> None:
    """Both graphs are one, reach everything, and go from image over units and components to VIBs."""
    edges = {entry["ref"]: entry.get("dependsOn", []) for entry in cyclonedx["dependencies"]}
    root = cyclonedx["metadata"]["component"]["bom-ref"]
    refs = {component["bom-ref"] for component in cyclonedx["components"]}
    reached, waiting = set[str](), [root]
    while waiting:
        ref = waiting.pop()
        reached.add(ref)
        waiting += edges[ref]

    assert reached == refs | {root}
    assert "component:Intel-i40en:2.8.4.0-1OEM.700.1.0.15843807" in edges[root]
    assert f"component:{STOCK}" in edges["base-image:ESXi:7.0.3-0.55.20328353"]
    assert edges[f"component:{STOCK}"] == [f"vib:{STOCK_VIB}"]
    kinds = [entry["relationshipType"] for entry in spdx["relationships"]]
    assert kinds.count("DESCRIBES") == 1
    assert kinds.count("CONTAINS") == sum(len(targets) for targets in edges.values())


# The same every time

_EXPORT = """
import sys
import esximage_builder as eib

with eib.open_depot(*sys.argv[2:]) as depot:
    image = eib.compose(
        depot.catalog,
        base_image="7.0U3g",
        add_on=("ACME-AddOn", "703.20328353.A08"),
        components=["Intel-i40en"],
        removed_components=["VMware-oem-dell-plugin"],
    )
    for form in ("cyclonedx", "spdx"):
        eib.export_sbom(image, depot, sys.argv[1] + form, format=form)
"""


def test_another_machine_writes_the_same_bytes(tmp_path: Path, written: dict[str, bytes]) -> None:
    subprocess.run(
        [sys.executable, "-c", _EXPORT, f"{tmp_path}/", I40EN, A08, U3G],
        check=True,
        cwd=ROOT,
        env=clean_environment(TZ="Pacific/Kiritimati", LC_ALL="tr_TR.UTF-8", PYTHONHASHSEED="3"),
    )
    assert {form: (tmp_path / form).read_bytes() for form in SBOM_FORMATS} == written


def test_the_date_is_that_of_the_exports(
    image: eib.Image,
    opened: eib.Depot,
    monkeypatch: pytest.MonkeyPatch,
    cyclonedx: dict[str, Any],
    spdx: dict[str, Any],
) -> None:
    assert cyclonedx["metadata"]["timestamp"] == "2022-09-20T00:00:00+00:00"
    assert spdx["creationInfo"]["created"] == "2022-09-20T00:00:00Z"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1000000000")
    assert image_sbom(image, opened).created_at == datetime(2001, 9, 9, 1, 46, 40, tzinfo=UTC)


class NoStore:
    """Holds nothing: for VIBs of which everything is known."""

    def open_vib(self, vib: eib.Vib) -> Any:
        raise eib.NotInDepotError(vib.id)


def bill_of(**fields: Any) -> Sbom:
    net = catalogs.vib("net").with_file(VibFile(size_bytes=1, sha256=fields.pop("sha256", "1" * 64)))
    return image_sbom(eib.Image(**{"name": "x", "vibs": [eib.InstalledVib(vib=net)]} | fields), NoStore())


def test_the_serial_names_the_content() -> None:
    assert bill_of().serial == bill_of().serial
    assert len({bill_of().serial, bill_of(sha256="2" * 64).serial, bill_of(name="y").serial}) == 3
    assert bill_of().serial.version == 5


def test_units_bring_what_they_list() -> None:
    """Hardware support packages and solutions, too; a component that two of them list hangs on both."""
    stock = catalogs.Stock()
    lpfc, fdm = stock.driver("lpfc"), stock.driver("fdm")
    stock.base_image(lpfc)
    package = stock.package("firmware", lpfc)
    solution = stock.solution("ha", {"fdm": ()})
    image = eib.compose(stock.catalog(), catalogs.spec(packages=[package], solutions=[solution]))
    known = attrs.evolve(
        image,
        vibs=[attrs.evolve(e, vib=e.vib.with_file(VibFile(size_bytes=1, sha256="1" * 64))) for e in image.vibs],
    )
    bill = {item.ref: item for item in image_sbom(known, NoStore()).items}

    assert bill["hardware-support:firmware:1.0"].contains == (f"component:{lpfc.id}",)
    assert bill["solution:ha:1.0"].contains == (f"component:{fdm.id}",)
    assert f"component:{lpfc.id}" in bill[f"base-image:ESXi:{catalogs.BASE_VERSION}"].contains


# The extra


_WITHOUT = """
import sys
sys.modules[sys.argv[1]] = None
import esximage_builder as eib
from esximage_builder.export.sbom import require_sbom_library
try:
    require_sbom_library(sys.argv[2])
except eib.MissingExtraError as error:
    print(error.hint)
"""


@pytest.mark.parametrize(("library", "form"), [("cyclonedx", "cyclonedx"), ("spdx_tools", "spdx")])
def test_without_the_library_the_hint_says_what_to_install(library: str, form: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _WITHOUT, library, form],
        check=True,
        cwd=ROOT,
        env=clean_environment(),
        capture_output=True,
        text=True,
    )
    assert done.stdout == "pip install esximage-builder[sbom]\n"


def test_no_library_is_loaded_before_it_is_needed() -> None:
    script = (
        "import sys, esximage_builder.export.sbom; print([n for n in ('cyclonedx', 'spdx_tools') if n in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, cwd=ROOT, env=clean_environment(), capture_output=True, text=True
    )
    assert done.stdout == "[]\n"


def test_another_form_is_refused(image: eib.Image, opened: eib.Depot, tmp_path: Path) -> None:
    with pytest.raises(eib.ModelError) as caught:
        eib.export_sbom(image, opened, tmp_path / "x", format="swid")  # type: ignore[arg-type]
    assert (caught.value.found, caught.value.expected) == ("'swid'", "cyclonedx or spdx")
    assert list(tmp_path.iterdir()) == []


def test_a_bill_that_cannot_be_written_leaves_nothing(image: eib.Image, opened: eib.Depot, tmp_path: Path) -> None:
    with pytest.raises(eib.ExportError):
        eib.export_sbom(image, opened, tmp_path / "no folder" / "x.json")
    assert list(tmp_path.iterdir()) == []

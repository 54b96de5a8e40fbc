"""Who may bring what starts a host, and names of ESXi's core."""

from __future__ import annotations

import pytest
from support import memory_catalogs as catalogs
from support.memory_catalogs import Stock

from esximage_builder.findings import Finding, Severity
from esximage_builder.models.image import Image
from esximage_builder.rules.compose import compose, image_from_profile
from esximage_builder.rules.validate import validate


def found(image: Image, code: str) -> list[Finding]:
    return [finding for finding in validate(image).findings if finding.code == code]


def stock_with(name: str, kind: str, **fields: object) -> tuple[Stock, Image]:
    stock = Stock()
    stock.base_image()
    stock.driver(name, payloads=[catalogs.payload("x", kind)], **fields)  # type: ignore[arg-type]
    return stock, compose(stock.catalog(), catalogs.spec({name: None}))


@pytest.mark.parametrize(
    "kind",
    ["boot_loader_efi", "boot_com32_bios", "boot_iso_bios", "eltorito_image_efi", "boot_pxe_bios", "upgrade"],
)
@pytest.mark.parametrize("vendor", ["ACM", "VMware"])
def test_a_loader_from_elsewhere_is_an_error_whoever_says_he_made_it(kind: str, vendor: str) -> None:
    _, image = stock_with("Acme-net", kind, vendor=vendor)
    (finding,) = found(image, "loader-from-elsewhere")
    assert finding.severity is Severity.ERROR
    assert finding.items == (f"{vendor}_bootbank_Acme-net_1.0-1", "x")


@pytest.mark.parametrize("kind", ["vgz", "tgz", "boot", "text"])
def test_what_a_host_checks_may_come_from_anybody(kind: str) -> None:
    _, image = stock_with("Acme-net", kind)
    assert found(image, "loader-from-elsewhere") == []


def test_the_base_image_brings_its_loaders() -> None:
    stock = Stock()
    stock.base_image()
    assert found(compose(stock.catalog(), catalogs.spec()), "loader-from-elsewhere") == []


@pytest.mark.parametrize(("vendor", "count"), [("ACM", 1), ("HPE", 1), ("VMware", 0)])
def test_of_an_image_profile_the_maker_of_the_vib_that_boots_counts(vendor: str, count: int) -> None:
    stock = Stock()
    base = catalogs.esx_base("6.7.0-0.0.8169922")
    other = catalogs.vib("boot-x", vendor=vendor, payloads=[catalogs.payload("x", "boot_loader_efi")])
    stock.vibs += [base, other]
    stock.profile("p", [base.id, other.id])
    assert len(found(image_from_profile(stock.catalog(), "p"), "loader-from-elsewhere")) == count


@pytest.mark.parametrize("name", ["esx-update", "loadesx"])
def test_a_core_name_belongs_to_the_maker_of_the_core(name: str) -> None:
    stock = Stock()
    stock.base_image()
    stock.component("Acme-net", "1.0-1", catalogs.vib(name, vendor="ACM"))
    (finding,) = found(compose(stock.catalog(), catalogs.spec({"Acme-net": None})), "reserved-vib-name")
    assert finding.severity is Severity.ERROR
    assert finding.items[0] == f"ACM_bootbank_{name}_1.0-1"
    own = Stock()
    own.base_image()
    own.component("Acme-net", "1.0-1", catalogs.vib(name, vendor="VMware"))
    assert found(compose(own.catalog(), catalogs.spec({"Acme-net": None})), "reserved-vib-name") == []

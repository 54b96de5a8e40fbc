"""Lock files: nothing is lost on the way, the locked image comes back exactly, and every difference has a name."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any, BinaryIO

import attrs
import hypothesis
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from support import memory_catalogs as catalogs, schema_strategies as strategies
from support.changed_depots import DEPOTS, ROOT, clean_environment
from support.effort import share
from support.finding_calls import codes_in
from support.memory_catalogs import COMPONENT_NAMES, component, depots

import esximage_builder as eib
from esximage_builder.documents.lock_file import parse_lock, render_lock
from esximage_builder.models.lock import Lock, LockedComponent, LockedVib
from esximage_builder.models.vib import VibFile
from esximage_builder.rules.compose import compose
from esximage_builder.rules.lock import check_loaded, check_same, image_of_lock
from esximage_builder.versions import BaseImageVersion
from esximage_builder.vocabulary import ComponentSource

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

VERSION = "7.0.3-0.55.20328353"
U3F, U3G = DEPOTS / "VMware-ESXi-7.0U3f-20036589-depot.zip", DEPOTS / "VMware-ESXi-7.0U3g-20328353-depot.zip"
ESXI_67 = DEPOTS / "VMware-ESXi-6.7.0-8169922-depot.zip"
A08 = DEPOTS / "ACME-ESXi-Addon-703.20328353.A08-depot.zip"
A09 = DEPOTS / "ACME-ESXi-Addon-703.20328353.A09-depot.zip"
I40EN_OLD = DEPOTS / "Intel-i40en_1.8.1.16-1vmw.700.1.0.15843807.zip"
I40EN_NEW = DEPOTS / "Intel-i40en_2.8.4.0-1OEM.700.1.0.15843807.zip"
MARVELL_NEW = DEPOTS / "MRVL-E4-CNA-Driver-Bundle_5.0.402.0-1OEM.700.1.0.15843807.zip"
OLD = "Intel-i40en:1.8.1.16-1vmw.700.1.0.15843807"
OLD_VIB = "VMW_bootbank_i40en_1.8.1.16-1vmw.700.1.0.15843807"
STOCK_VIB = "VMW_bootbank_i40en_1.11.1.31-1vmw.703.0.20.19193900"
SHA_1, SHA_2 = "1" * 64, "2" * 64

DOCUMENT: dict[str, Any] = {
    "lock_version": 1,
    "name": "custom",
    "digest": SHA_1,
    "compression": "stored",
    "spec": {
        "base_image": {"version": "7.0U3g"},
        "add_on": None,
        "components": {"Acme-net": None},
        "hardware_support": None,
        "solutions": None,
    },
    "profile": None,
    "base_image": VERSION,
    "components": [
        {"name": "Acme-net", "version": "1.0-1", "source": "USER", "reserved": False},
        {"name": "Acme-net", "version": "0.9-1", "source": "BASE_IMAGE", "reserved": True},
    ],
    "vibs": [
        {"id": "ACM_bootbank_net_1.0-1", "sha256": SHA_2, "size_bytes": 7, "sources": ["net.zip"], "reserved": False}
    ],
}
MODEL = Lock(
    name="custom",
    digest=SHA_1,
    spec=eib.make_spec(base_image="7.0U3g", components=["Acme-net"]),
    base_image=BaseImageVersion(VERSION),
    components=[
        LockedComponent(name="Acme-net", version="1.0-1", source=ComponentSource.USER),
        LockedComponent(name="Acme-net", version="0.9-1", source=ComponentSource.BASE_IMAGE, is_reserved=True),
    ],
    vibs=[LockedVib(id="ACM_bootbank_net_1.0-1", sha256=SHA_2, size_bytes=7, sources=["net.zip"])],
)


def parsed(document: object) -> Lock:
    return parse_lock(json.dumps(document).encode(), where="x.json")


def changed(path: str, value: object) -> dict[str, Any]:
    """The document with one value replaced; the path is that of the JSON pointer."""
    document: dict[str, Any] = json.loads(json.dumps(DOCUMENT))
    *folders, last = [int(step) if step.isdecimal() else step for step in path.split("/")]
    place: Any = document
    for step in folders:
        place = place[step]
    place[last] = value
    return document


# The format


def test_a_lock_is_read_as_it_is_written() -> None:
    assert parsed(DOCUMENT) == MODEL
    assert json.loads(render_lock(MODEL)) == DOCUMENT


def locks() -> st.SearchStrategy[Lock]:
    text = strategies.json_text(min_size=1)
    sources = st.sampled_from(ComponentSource)
    components = st.builds(
        LockedComponent,
        name=text,
        version=text,
        source=st.none() | sources,
        is_reserved=st.booleans(),
        extra=strategies.json_extras(),
    )
    made = st.builds(
        LockedComponent, name=text, version=text, made_of=st.lists(text, min_size=1, max_size=3), bulletin=text
    )
    vibs = st.builds(
        LockedVib,
        id=text,
        sha256=strategies.hex_digits(64),
        size_bytes=st.integers(0, 2**40),
        sources=strategies.few(text),
        is_reserved=st.booleans(),
        extra=strategies.json_extras(),
    )
    common = {
        "name": text,
        "digest": strategies.hex_digits(64),
        "base_image": st.none() | strategies.base_image_versions(),
        "components": strategies.few(components | made),
        "vibs": st.lists(vibs, max_size=3, unique_by=lambda vib: vib.id),
        "extra": strategies.json_extras(),
    }
    return st.one_of(
        st.builds(Lock, spec=strategies.software_specs(), **common), st.builds(Lock, profile=text, **common)
    )


@settings(max_examples=share(150), suppress_health_check=[HealthCheck.too_slow])
@given(locks())
def test_what_is_written_reads_back_the_same(lock: Lock) -> None:
    data = render_lock(lock)

    assert parse_lock(data, where="x.json") == lock
    assert render_lock(parse_lock(data, where="x.json")) == data


def test_unknown_keys_survive() -> None:
    document = DOCUMENT | {"x-top": {"b": [1.5, None], "a": "ä"}}
    document["components"] = [*DOCUMENT["components"], {"name": "n", "version": "1", "x-part": True}]
    document["vibs"] = [DOCUMENT["vibs"][0] | {"x-vib": "ü"}]
    document["spec"] = DOCUMENT["spec"] | {"x-spec": 1}

    again = json.loads(render_lock(parsed(document)))

    assert again["x-top"] == {"b": [1.5, None], "a": "ä"}
    assert again["components"][2]["x-part"] is True
    assert again["vibs"][0]["x-vib"] == "ü"
    assert again["spec"]["x-spec"] == 1


def test_keys_that_may_be_absent_have_defaults() -> None:
    document = {key: DOCUMENT[key] for key in ("lock_version", "name", "digest", "spec")}
    vib = {key: DOCUMENT["vibs"][0][key] for key in ("id", "sha256", "size_bytes")}
    lock = parsed(document | {"components": [{"name": "n", "version": "1"}], "vibs": [vib]})

    assert (lock.base_image, lock.profile, lock.compression) == (None, "", "stored")
    assert lock.components == (LockedComponent(name="n", version="1"),)
    assert lock.vibs == (LockedVib(id=vib["id"], sha256=SHA_2, size_bytes=7),)


@pytest.mark.parametrize(
    ("path", "value", "message", "where"),
    [
        pytest.param("lock_version", 2, "another version", "#/lock_version", id="later version"),
        pytest.param("lock_version", True, "another version", "#/lock_version", id="true is no number"),
        pytest.param("name", "", "name is empty", "#/name", id="empty name"),
        pytest.param("name", 7, "wrong type", "#/name", id="number as name"),
        pytest.param("digest", "1" * 63, "no SHA-256", "#/digest", id="short digest"),
        pytest.param("digest", "A" * 64, "no SHA-256", "#/digest", id="upper-case digest"),
        pytest.param("spec", None, "spec or the name of a profile", "#/spec", id="neither spec nor profile"),
        pytest.param("profile", "x", "spec or the name of a profile", "#/spec", id="spec and profile"),
        pytest.param("spec", [], "wrong type", "#/spec", id="list as spec"),
        pytest.param("spec/base_image", None, "names no base image", "#/spec/base_image", id="spec without base image"),
        pytest.param("spec/components", {"x": "1 2"}, "", "#/spec/components/x", id="no version in the spec"),
        pytest.param("base_image", "seven", "", "#/base_image", id="no version of a base image"),
        pytest.param("components", None, "wrong type", "#/components", id="no components"),
        pytest.param("components/0", "x", "wrong type", "#/components/0", id="text as component"),
        pytest.param("components/1/version", None, "wrong type", "#/components/1/version", id="no version"),
        pytest.param("components/0/source", "ME", "brings components", "#/components/0/source", id="unknown source"),
        pytest.param("components/0/reserved", 1, "wrong type", "#/components/0/reserved", id="number as flag"),
        pytest.param("vibs", DOCUMENT["vibs"] * 2, "twice", "#/vibs/1/id", id="one VIB twice"),
        pytest.param("vibs/0/sha256", "x", "no SHA-256", "#/vibs/0/sha256", id="no digest"),
        pytest.param("vibs/0/size_bytes", -1, "negative", "#/vibs/0/size_bytes", id="negative size"),
        pytest.param("vibs/0/size_bytes", 1.5, "wrong type", "#/vibs/0/size_bytes", id="half a byte"),
        pytest.param("vibs/0/sources", "net.zip", "wrong type", "#/vibs/0/sources", id="text as list"),
        pytest.param("vibs/0/sources", [1], "wrong type", "#/vibs/0/sources/0", id="number as file name"),
    ],
)
def test_a_wrong_value_is_named_with_its_place(path: str, value: object, message: str, where: str) -> None:
    with pytest.raises(eib.InvalidFieldError) as caught:
        parsed(changed(path, value))

    assert message in caught.value.message
    assert caught.value.where == f"x.json{where}"


@settings(max_examples=200)
@given(strategies.mangled(render_lock(MODEL)) | st.binary(max_size=60))
def test_damaged_locks_raise_nothing_but_our_errors(data: bytes) -> None:
    with contextlib.suppress(eib.EsxImageError):
        lock = parse_lock(data, where="x")
        assert parse_lock(render_lock(lock), where="x") == lock


def test_a_lock_file_larger_than_the_limit_is_refused() -> None:
    with pytest.raises(eib.LimitExceededError):
        parse_lock(render_lock(MODEL), where="x", max_bytes=100)


# Locking


@pytest.fixture(scope="module")
def opened() -> Iterator[eib.Depot]:
    with eib.open_depot(U3G, A08, I40EN_OLD) as depot:
        yield depot


@pytest.fixture(scope="module")
def image(opened: eib.Depot) -> eib.Image:
    """The base image by its release name, an add-on, a chosen driver, and one whose version is left open."""
    spec = eib.SoftwareSpec(
        base_image="7.0U3g",
        add_on=eib.AddOnReference("ACME-AddOn", eib.AddOnVersion("703.20328353.A08")),
        components=[
            ("Intel-i40en", eib.ComponentVersion("1.8.1.16-1vmw.700.1.0.15843807")),
            ("MRVL-E4-CNA-Driver-Bundle", None),
        ],
    )
    return eib.compose(opened.catalog, spec, name="custom")


@pytest.fixture(scope="module")
def lock(image: eib.Image, opened: eib.Depot) -> Lock:
    return eib.make_lock(image, opened)


def test_a_lock_holds_what_the_image_consists_of(image: eib.Image, lock: Lock) -> None:
    vibs = {vib.id: vib for vib in lock.vibs}
    components = {locked.id: locked for locked in lock.components}

    assert (lock.name, lock.digest, lock.spec, lock.profile) == ("custom", image.digest, image.spec, "")
    assert lock.base_image == BaseImageVersion(VERSION)
    assert {key for key, locked in components.items() if not locked.is_reserved} == {
        entry.component.id for entry in image.components
    }
    assert components[OLD].source is ComponentSource.USER
    stock = components["Intel-i40en:1.11.1.31-1vmw.703.0.20.19193900"]
    assert (stock.is_reserved, stock.source) == (True, ComponentSource.BASE_IMAGE)
    removed = components["HPE-hpv2-hpsa-plugin:1.0.0-3vmw.703.0.20.19193900"]
    assert (removed.is_reserved, removed.source) == (True, ComponentSource.BASE_IMAGE)
    assert {key for key, locked in vibs.items() if locked.is_reserved} == {e.vib.id for e in image.reserved_vibs}
    assert vibs[OLD_VIB].sources == (I40EN_OLD.name,)


def test_the_digests_are_those_of_the_files(lock: Lock, image: eib.Image, opened: eib.Depot) -> None:
    for vib, locked in zip(image.all_vibs, lock.vibs, strict=True):
        with opened.open_vib(vib) as source:
            data = source.read()
        assert (locked.id, locked.size_bytes, locked.sha256) == (vib.id, len(data), hashlib.sha256(data).hexdigest())


def test_a_lock_is_the_same_bytes_wherever_the_depots_lie(tmp_path: Path, image: eib.Image, lock: Lock) -> None:
    for number, source in enumerate((A08, I40EN_OLD, U3G)):
        folder = tmp_path / str(number)
        folder.mkdir()
        shutil.copy(source, folder)
    with eib.open_depot(*sorted(tmp_path.glob("*/*.zip"))) as depot:
        again = eib.compose(depot.catalog, image.spec, name="custom")
        written = eib.write_lock(again, depot, tmp_path / "a.json")

    assert (tmp_path / "a.json").read_bytes() == render_lock(lock)
    assert eib.read_lock(tmp_path / "a.json") == written == lock


def test_a_depot_whose_name_is_no_text_can_be_locked(tmp_path: Path) -> None:
    """Names of files in another encoding come as half surrogates."""
    path = tmp_path / "d\udce9pot.zip"
    try:
        shutil.copy(ESXI_67, path)
    except (OSError, UnicodeError):
        pytest.skip("the file system takes no such name")
    with eib.open_depot(path) as depot:
        image = eib.image_from_profile(depot.catalog, "ESXi-6.7.0-8169922-standard")
        lock = eib.write_lock(image, depot, tmp_path / "x.json")
    assert eib.read_lock(tmp_path / "x.json") == lock
    assert lock.vibs[0].sources == ("d\\udce9pot.zip",)


def test_an_image_that_nobody_could_make_again_is_not_locked(opened: eib.Depot) -> None:
    with pytest.raises(eib.ModelError, match="cannot be locked"):
        eib.make_lock(eib.Image(name="loose"), opened)


def test_a_lock_that_cannot_be_written_leaves_nothing(tmp_path: Path, image: eib.Image, opened: eib.Depot) -> None:
    with pytest.raises(eib.ExportError):
        eib.write_lock(image, opened, tmp_path / "no folder" / "x.json")
    assert list(tmp_path.iterdir()) == []


# Rebuilding


def test_the_locked_image_comes_back_beside_newer_depots(image: eib.Image, lock: Lock) -> None:
    """The version left open, the release name and the add-on mean what they meant."""
    with eib.open_depot(MARVELL_NEW, I40EN_NEW, A09, U3F, I40EN_OLD, A08, U3G) as depot:
        assert eib.compose(depot.catalog, image.spec, name="custom") != image
        assert eib.compose_locked(depot, lock) == image


def test_an_image_of_a_profile_is_locked_by_the_profiles_name() -> None:
    with eib.open_depot(ESXI_67) as depot:
        image = eib.image_from_profile(depot.catalog, "ESXi-6.7.0-8169922-standard")
        lock = eib.make_lock(image, depot)
        assert (lock.spec, lock.profile, lock.components) == (None, "ESXi-6.7.0-8169922-standard", ())
        assert eib.compose_locked(depot, lock) == image
    assert messages(lock, U3G)[0] == "the image profile ESXi-6.7.0-8169922-standard is not loaded"


def test_the_bundle_gives_the_locked_image_and_so_does_the_disc(
    tmp_path: Path, image: eib.Image, lock: Lock, opened: eib.Depot
) -> None:
    """A disc states no digests, so its VIBs are read."""
    eib.export_bundle(image, opened, tmp_path / "x.zip")
    eib.export_iso(image, opened, tmp_path / "x.iso")
    for name in ("x.zip", "x.iso"):
        with eib.open_depot(tmp_path / name) as depot:
            assert eib.compose_locked(depot, lock) == image


def messages(lock: Lock, *sources: Path) -> list[str]:
    """What ``compose_locked`` has against these depots."""
    return [finding.message for finding in refusal(lock, *sources).findings]


def refusal(lock: Lock, *sources: Path) -> eib.ComposeError:
    with eib.open_depot(*sources) as depot, pytest.raises(eib.ComposeError) as caught:
        eib.compose_locked(depot, lock)
    assert {finding.code for finding in caught.value.findings} == {"lock-differs"}
    assert {finding.severity for finding in caught.value.findings} == {eib.Severity.ERROR}
    return caught.value


def test_a_catalog_that_states_every_digest_is_enough(image: eib.Image, lock: Lock, opened: eib.Depot) -> None:
    assert eib.compose_locked(opened.catalog, lock) == image


def test_what_a_catalog_alone_cannot_know_an_opened_depot_measures(tmp_path: Path) -> None:
    """A disc states no digest; what was measured is in the image, with the names of its sources."""
    with eib.open_depot(ESXI_67) as depot:
        image = eib.image_from_profile(depot.catalog, "ESXi-6.7.0-8169922-standard")
        lock = eib.make_lock(image, depot)
        eib.export_iso(image, depot, tmp_path / "x.iso")
    with eib.open_depot(tmp_path / "x.iso") as disc:
        with pytest.raises(eib.ComposeError) as caught:
            eib.compose_locked(disc.catalog, lock)
        again = eib.compose_locked(disc, lock)
        locked = eib.make_lock(again, disc)
    first = caught.value.findings[0]
    assert first.message == f"the sha-256 checksum of the VIB {lock.vibs[0].id} is not known"
    assert "from the opened depot" in first.remedy
    assert again.digest == image.digest
    assert [(vib.id, vib.sha256) for vib in locked.vibs] == [(vib.id, vib.sha256) for vib in lock.vibs]
    assert {vib.sources for vib in locked.vibs} == {("x.iso",)}


def with_vib(lock: Lock, vib_id: str, **fields: Any) -> Lock:
    return attrs.evolve(lock, vibs=[attrs.evolve(vib, **fields) if vib.id == vib_id else vib for vib in lock.vibs])


def with_component(lock: Lock, component_id: str, **fields: Any) -> Lock:
    return attrs.evolve(
        lock, components=[attrs.evolve(c, **fields) if c.id == component_id else c for c in lock.components]
    )


def test_a_missing_depot_is_named_with_all_that_it_would_bring(lock: Lock) -> None:
    error = refusal(lock, U3G, A08)

    assert [finding.message for finding in error.findings] == [
        f"the component {OLD} is not loaded",
        f"the VIB {OLD_VIB} is not loaded",
    ]
    assert [finding.cause for finding in error.findings] == [
        "loaded instead: 1.11.1.31-1vmw.703.0.20.19193900",
        f"the lock found it in {I40EN_OLD.name}",
    ]
    assert error.message == "the depots do not give the image of the lock"
    assert error.found == "; ".join(finding.message for finding in error.findings)
    assert error.expected == "exactly the image custom"
    assert error.hint == f"the lock was made from {A08.name}, {I40EN_OLD.name}, {U3G.name}"


def test_another_release_is_told_from_the_top_down(lock: Lock) -> None:
    error = refusal(lock, U3F, A09, I40EN_OLD)
    said = [(finding.message, finding.cause) for finding in error.findings]

    assert said[0] == (f"the base image {VERSION} is not loaded", "loaded instead: 7.0.3-0.50.20036589")
    assert said[1] == ("the add-on ACME-AddOn:703.20328353.A08 is not loaded", "loaded instead: 703.20328353.A09")
    assert ("the component Acme-Agent:703.1.0.8-26 is not loaded", "loaded instead: 703.1.0.9-31") in said
    assert error.found.endswith(f"; and {len(said) - 3} more")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param(
            lambda lock: with_vib(lock, OLD_VIB, sha256=SHA_1),
            [f"the VIB {OLD_VIB} has another sha-256 checksum"],
            id="another checksum",
        ),
        pytest.param(
            lambda lock: attrs.evolve(lock, vibs=[vib for vib in lock.vibs if vib.id != OLD_VIB]),
            [f"the VIB {OLD_VIB} is in the image, but not in the lock"],
            id="a VIB too many",
        ),
        pytest.param(
            lambda lock: attrs.evolve(lock, components=[c for c in lock.components if c.name != "Acme-oem-build"]),
            ["the component Acme-oem-build:703.8.0-20328353 is in the image, but not in the lock"],
            id="a component too many",
        ),
        pytest.param(
            lambda lock: with_vib(lock, STOCK_VIB, is_reserved=False),
            [f"the VIB {STOCK_VIB} is reserved, in the lock it is installed"],
            id="reserved now",
        ),
        pytest.param(
            lambda lock: with_vib(lock, OLD_VIB, is_reserved=True),
            [f"the VIB {OLD_VIB} is installed, in the lock it is reserved"],
            id="installed now",
        ),
        pytest.param(
            lambda lock: with_component(lock, OLD, source=ComponentSource.SOLUTION),
            [f"the component {OLD} is effective from the user, in the lock it is effective from the solution"],
            id="another source",
        ),
        pytest.param(
            lambda lock: with_component(lock, OLD, is_reserved=True, source=None),
            [f"the component {OLD} is effective from the user, in the lock it is reserved"],
            id="reserved component",
        ),
        pytest.param(
            lambda lock: attrs.evolve(lock, digest=SHA_1),
            ["the image digest differs, though components and files are the same"],
            id="another digest",
        ),
        pytest.param(
            lambda lock: attrs.evolve(
                lock,
                spec=attrs.evolve(
                    lock.spec,
                    hardware_support=[eib.HardwareSupportReference(manager="m", package="firmware", version="1.0")],
                ),
            ),
            ["no loaded depot has the hardware support package firmware:1.0"],
            id="a package that is not loaded",
        ),
    ],
)
def test_each_difference_has_its_own_words(lock: Lock, change: Any, expected: list[str]) -> None:
    assert messages(change(lock), U3G, A08, I40EN_OLD) == expected


def test_another_checksum_shows_both(lock: Lock) -> None:
    (finding,) = refusal(with_vib(lock, OLD_VIB, sha256=SHA_1), U3G, A08, I40EN_OLD).findings
    true_digest = next(vib.sha256 for vib in lock.vibs if vib.id == OLD_VIB)

    assert finding.items == (OLD_VIB,)
    assert finding.cause == (
        f"loaded {true_digest[:16]}..., locked 1111111111111111...: built again without a new version, or changed"
    )


# The rules behind, without files


def bare(**fields: Any) -> Lock:
    return Lock(name="x", digest=SHA_1, **fields)


def test_what_is_the_same_has_no_differences() -> None:
    assert check_same(MODEL, MODEL) == ()
    assert check_same(MODEL, attrs.evolve(MODEL, vibs=[attrs.evolve(MODEL.vibs[0], sources=["elsewhere.zip"])])) == ()


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param(
            attrs.evolve(MODEL, components=MODEL.components[:1]),
            ["the component Acme-net:0.9-1 is not in the image, but in the lock"],
            id="component gone",
        ),
        pytest.param(
            attrs.evolve(MODEL, vibs=[]),
            ["the VIB ACM_bootbank_net_1.0-1 is not in the image, but in the lock"],
            id="VIB gone",
        ),
        pytest.param(
            with_vib(MODEL, MODEL.vibs[0].id, sha256=SHA_1, is_reserved=True),
            [
                "the VIB ACM_bootbank_net_1.0-1 has another sha-256 checksum",
                "the VIB ACM_bootbank_net_1.0-1 is reserved, in the lock it is installed",
            ],
            id="two things at once",
        ),
        pytest.param(
            attrs.evolve(MODEL, base_image=BaseImageVersion("7.0.3-0.50.20036589"), digest=SHA_2),
            [
                f"the base image is 7.0.3-0.50.20036589, in the lock {VERSION}",
            ],
            id="another base image",
        ),
    ],
)
def test_two_locks_are_compared_item_by_item(found: Lock, expected: list[str]) -> None:
    findings = check_same(MODEL, found)

    assert [finding.message for finding in findings] == expected
    assert {finding.code for finding in findings} <= codes_in(sys.modules[check_same.__module__])


def test_both_spellings_of_a_9x_base_image_are_one() -> None:
    catalog = eib.Catalog(base_images=[eib.BaseImage(version=BaseImageVersion("9.0.2.0.25148076"))])
    lock = bare(spec=eib.make_spec(base_image="9.0.2"), base_image=BaseImageVersion("9.0.2-0.25148076"))

    assert check_loaded(catalog, lock) == ()
    image = image_of_lock(catalog, lock)
    assert image.base_image == catalog.base_images[0]


class NoStore:
    """Holds nothing: for VIBs of which everything is known."""

    def open_vib(self, vib: eib.Vib) -> BinaryIO:
        raise eib.NotInDepotError(vib.id)


def with_files(catalog: eib.Catalog) -> eib.Catalog:
    """The catalog as if each VIB's file were known."""
    return attrs.evolve(
        catalog,
        vibs=[
            vib.with_file(VibFile(size_bytes=1, sha256=hashlib.sha256(repr(vib).encode()).hexdigest()))
            for vib in catalog.vibs
        ],
    )


@settings(max_examples=share(150), suppress_health_check=[HealthCheck.too_slow])
@given(depots())
def test_whatever_is_loaded_besides_the_locked_image_comes_back(depot: catalogs.Depot) -> None:
    """Higher versions of everything, which an open version would take, and other bytes of every VIB id."""
    wanted = [part.name for solution in depot.catalog.solutions for part in solution.components]
    hypothesis.assume(len(wanted) == len(set(wanted)))
    catalog = with_files(depot.catalog)
    image = compose(catalog, depot.spec)
    lock = parse_lock(render_lock(eib.make_lock(image, NoStore())), where="x")
    other = [vib.with_file(VibFile(size_bytes=2, sha256="0" * 64)) for vib in catalog.vibs]
    more = attrs.evolve(
        catalog,
        components=sorted(
            (*catalog.components, *(component(name, "9.0-1") for name in COMPONENT_NAMES)),
            key=lambda item: (item.name, item.version),
        ),
        vibs=sorted((*catalog.vibs, *other), key=lambda vib: (vib.id, vib.fingerprint)),
    )
    hypothesis.event(f"open versions: {sum(version is None for _, version in depot.spec.components)}")

    assert check_loaded(more, lock) == ()
    again = image_of_lock(more, lock)

    assert check_same(lock, eib.make_lock(again, NoStore())) == ()
    assert again.digest == image.digest
    assert without_history(again) == without_history(image)


def without_history(image: eib.Image) -> eib.Image:
    """Without who beat whom, which no output tells: what the user chose too, a lock calls the user's alone."""
    components = [attrs.evolve(entry, overridden=()) for entry in image.components]
    return attrs.evolve(image, components=components, removed=(), reserved_vibs=())


def test_a_vib_id_with_two_contents_gets_the_locked_one() -> None:
    chosen, other = (
        catalogs.vib("net", summary=summary).with_file(VibFile(size_bytes=1, sha256=digest))
        for summary, digest in (("one", SHA_2), ("two", SHA_1))
    )
    stock = catalogs.Stock()
    net = component("Acme-net", "1.0-1", [chosen.id])
    stock.components.append(net)
    stock.base_image(net)
    stock.vibs = [vib.with_file(VibFile(size_bytes=1, sha256="3" * 64)) for vib in stock.vibs]
    spec = catalogs.spec()
    image = compose(attrs.evolve(stock.catalog(), vibs=(*stock.vibs, chosen)), spec)
    lock = eib.make_lock(image, NoStore())
    both = attrs.evolve(stock.catalog(), vibs=(*stock.vibs, other, chosen))

    assert compose(both, spec).unchosen_vibs == (chosen.id,)
    assert image_of_lock(both, lock) == image


class OneVib:
    """Holds the bytes of every VIB, the same ones, and counts how often they are read."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.opened = 0

    def open_vib(self, vib: eib.Vib) -> BinaryIO:  # noqa: ARG002 - one for all
        self.opened += 1
        return io.BytesIO(self.data)


def test_a_vib_without_stated_digest_is_read() -> None:
    store = OneVib(b"bytes")
    image = eib.Image(name="x", spec=catalogs.spec(), vibs=[eib.InstalledVib(vib=catalogs.vib("net"))])
    (locked,) = eib.make_lock(image, store).vibs

    assert (locked.sha256, locked.size_bytes) == (hashlib.sha256(b"bytes").hexdigest(), len(b"bytes"))
    assert (locked.sources, store.opened) == ((), 1)


# Another machine

_REBUILD = """
import sys
import esximage_builder as eib

lock, bundle, *depots = sys.argv[1:]
with eib.open_depot(*depots) as depot:
    image = eib.compose_locked(depot, eib.read_lock(lock))
    eib.export_bundle(image, depot, bundle)
    eib.export_iso(image, depot, bundle + ".iso")
    eib.write_lock(image, depot, bundle + ".json")
"""


def test_a_rebuild_elsewhere_is_the_same_bytes(tmp_path: Path, image: eib.Image, opened: eib.Depot) -> None:
    """Another time zone, language, hash seed, order of depots, and newer depots besides."""
    here, there = tmp_path / "here.zip", tmp_path / "there.zip"
    eib.export_bundle(image, opened, here)
    eib.export_iso(image, opened, f"{here}.iso")
    lock = eib.write_lock(image, opened, f"{here}.json")
    subprocess.run(
        [sys.executable, "-c", _REBUILD, f"{here}.json", there, MARVELL_NEW, A09, I40EN_OLD, A08, U3G],
        check=True,
        cwd=ROOT,
        env=clean_environment(TZ="Pacific/Kiritimati", LC_ALL="tr_TR.UTF-8", PYTHONHASHSEED="1"),
    )

    for suffix in ("", ".iso"):
        first, second = (hashlib.sha256(tmp_path.joinpath(f"{path}{suffix}").read_bytes()) for path in (here, there))
        assert first.hexdigest() == second.hexdigest(), suffix
    # The other add-on brings some of the VIBs too; nothing else in the lock is different.
    assert without_sources(eib.read_lock(f"{there}.json")) == without_sources(lock)


def without_sources(lock: Lock) -> Lock:
    return attrs.evolve(lock, vibs=[attrs.evolve(vib, sources=()) for vib in lock.vibs])

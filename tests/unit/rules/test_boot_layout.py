"""Local names, module order and archives; by table, and against the lists of real discs."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from hypothesis import given, strategies as st
from support.memory_catalogs import payload, vib
from support.stock_modules import STOCK_MODULES

from esximage_builder.models.image import Image, InstalledVib
from esximage_builder.models.vib import SoftwarePlatform
from esximage_builder.rules.boot_layout import (
    GENERATIONS,
    boot_modules,
    disc_names,
    generation_of,
    local_names,
)
from esximage_builder.versions import BaseImageVersion

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from esximage_builder.models.vib import Payload, Vib

_DPU = [SoftwarePlatform("8.0", "esxio")]


def _image(vibs: Iterable[Vib]) -> Image:
    return Image(name="image", vibs=[InstalledVib(vib=made) for made in vibs])


def _modules(*vibs: Vib, **options: Any) -> list[str]:
    return [module.local_name for module in boot_modules(_image(vibs), **options)]


class TestLocalNames:
    """Eight characters of the payload's name, a letter of its type and a counter."""

    @pytest.mark.parametrize(
        ("name", "kind", "expected"),
        [
            pytest.param("vmx", "vgz", "vmx.v00", id="vgz"),
            pytest.param("k", "boot", "k.b00", id="boot"),
            pytest.param("tools", "tgz", "tools.t00", id="tgz"),
            pytest.param("lpfc", "vzstd", "lpfc.v00", id="vzstd keeps the letter"),
            pytest.param("isolinux.bin", "boot_iso_bios", "isolinux.b00", id="cut before the dot"),
            pytest.param("BOOTx64.EFI", "boot_loader_efi", "bootx64..b00", id="lower case, cut behind the dot"),
            pytest.param("BOOTIA32.EFI", "boot_loader_efi", "bootia32.b00", id="eight before the dot"),
            pytest.param("efiboot.img", "eltorito_image_efi", "efiboot..e00", id="El Torito"),
            pytest.param("ldlinux.sys", "boot_com32_bios", "ldlinux..b00", id="COM32"),
            pytest.param("mboot.c32", "boot_com32_bios", "mboot.c3.b00", id="cut behind the dot"),
            pytest.param("menu.c32", "boot_com32_bios", "menu.c32.b00", id="dots are kept"),
            pytest.param("osl.txt", "text", "osl.txt.t00", id="text"),
            pytest.param("metadata.xml", "upgrade", "metadata.u00", id="upgrade"),
            pytest.param("fatBootSector", "boot_com32_bios", "fatboots.b00", id="capital letters"),
            pytest.param("ne1000-intelnuc", "vgz", "ne1000_i.v00", id="hyphens become underscores"),
            pytest.param("lsu-lsi-", "vgz", "lsu_lsi_.v00", id="also the last"),
            pytest.param("a b+c", "vgz", "a_b_c.v00", id="whatever is no letter, digit or dot"),
            pytest.param("naïve", "vgz", "na_ve.v00", id="letters of other languages"),
        ],
    )
    def test_examples(self, name: str, kind: str, expected: str) -> None:
        made = vib("x", payloads=[payload(name, kind)])
        assert local_names([made]) == {(made.id, name): expected}

    @pytest.mark.parametrize(
        ("vibs", "expected"),
        [
            pytest.param(
                [("lsi-msgpt2", "lsi-msgp"), ("lsi-msgpt3", "lsi-msgp"), ("lsi-msgpt35", "lsi-msgp")],
                ["lsi_msgp.v00", "lsi_msgp.v02", "lsi_msgp.v01"],
                id="ids compare as text: lsi-msgpt35_ comes before lsi-msgpt3_",
            ),
            pytest.param(
                [("nvmxnet3", "nvmxnet3"), ("nvmxnet3-ens", "nvmxnet3")],
                ["nvmxnet3.v01", "nvmxnet3.v00"],
                id="a hyphen comes before the underscore of the version",
            ),
            pytest.param(
                [("a", "ne1000"), ("b", "ne1000-i"), ("c", "ne1000-x")],
                ["ne1000.v00", "ne1000_i.v00", "ne1000_x.v00"],
                id="other names do not count",
            ),
        ],
    )
    def test_counted_in_the_order_of_ids(self, vibs: list[tuple[str, str]], expected: list[str]) -> None:
        made = [vib(name, payloads=[payload(content)], vendor="VMW") for name, content in vibs]
        for order in itertools.permutations(made):
            names = local_names(order)
            assert [names[item.id, item.payloads[0].name] for item in made] == expected

    def test_payloads_of_one_vib_go_by_name(self) -> None:
        made = vib(
            "esx-base",
            payloads=[payload("safeboot.efi", "boot_loader_efi"), payload("safeboot.c32", "boot_com32_bios")],
        )
        assert local_names([made]) == {
            (made.id, "safeboot.c32"): "safeboot.b00",
            (made.id, "safeboot.efi"): "safeboot.b01",
        }

    def test_letters_count_apart(self) -> None:
        made = [vib("a", payloads=[payload("btldr", "tgz")]), vib("b", payloads=[payload("btldr", "vgz")])]
        assert sorted(local_names(made).values()) == ["btldr.t00", "btldr.v00"]

    def test_the_99th_and_what_follows(self) -> None:
        """Beyond 99 three digits, for which the name gives up one character; not seen in real files."""
        made = [vib(f"lsi{number:03d}", payloads=[payload("lsi-msgp")]) for number in range(102)]
        names = list(local_names(made).values())
        assert names[98:] == ["lsi_msgp.v98", "lsi_msgp.v99", "lsi_msg.v100", "lsi_msg.v101"]
        assert len(set(names)) == 102

    @pytest.mark.parametrize(
        ("first", "second", "expected"),
        [
            pytest.param(("a", "features.gz"), ("b", ""), ["features.gz", "b.v00"], id="taken as it is"),
            pytest.param(("x", "x.v00"), ("x", ""), ["x.v00", "x.v01"], id="a counted name makes way for it"),
            pytest.param(("x", ""), ("x", "x.v00"), ["x.v00", "x.v00"], id="not if it comes later: taken twice"),
            pytest.param(("x", "x.gz"), ("y", "x.gz"), ["x.gz", "x.gz"], id="two fixed ones: taken twice"),
        ],
    )
    def test_fixed_names(self, first: tuple[str, str], second: tuple[str, str], expected: list[str]) -> None:
        """The disc tells those apart that are taken twice: see ``disc_names``."""
        vibs = [
            vib(f"v{number}", payloads=[payload(name, vfat_name=fixed)])
            for number, (name, fixed) in enumerate((first, second))
        ]
        names = list(local_names(vibs).values())
        assert names == expected
        assert len(set(disc_names(names))) == 2


def _boot(name: str, order: int | None = None) -> Payload:
    return payload(name, "boot", boot_order=order)


def _base() -> Vib:
    """What makes esx-base special, its payloads in no order."""
    vgz = [payload(name, boot_order=100) for name in ("s", "sb", "tpm", "vim", "vmx")]
    others = [
        payload("btldr"),
        _boot("procfs", 99),
        _boot("k", 50),
        payload("features", "boot", boot_order=49, vfat_name="features.gz"),
        _boot("b", 10),
        payload("osl.txt", "text"),
        payload("mboot.c32", "boot_com32_bios"),
        payload("isolinux.bin", "boot_iso_bios"),
        payload("BOOTx64.EFI", "boot_loader_efi"),
        payload("efiboot.img", "eltorito_image_efi"),
        payload("precheck.py", "upgrade"),
    ]
    return vib("esx-base", vendor="VMware", payloads=[*vgz, *others])


_BASE_MODULES = ["b.b00", "features.gz", "k.b00", "procfs.b00", "vmx.v00", "vim.v00", "tpm.v00", "sb.v00", "s.v00"]


class TestModules:
    """What the boot loader loads, in its order."""

    def test_kernel_first_then_boot_payloads_then_five_backwards(self) -> None:
        assert _modules(_base()) == [*_BASE_MODULES, "btldr.v00"]

    def test_boot_payloads_of_other_vibs_go_between(self) -> None:
        microcode = vib(
            "cpu-microcode",
            vendor="VMware",
            payloads=[_boot("uc_hygon", 52), _boot("uc_amd", 52), _boot("uc_intel", 51)],
        )
        assert _modules(microcode, _base())[:7] == [
            "b.b00",
            "features.gz",
            "k.b00",
            "uc_intel.b00",
            "uc_amd.b00",
            "uc_hygon.b00",
            "procfs.b00",
        ]

    def test_a_boot_payload_without_order_comes_after_those_with(self) -> None:
        late = vib("late", payloads=[_boot("late")])
        assert _modules(late, _base())[4:6] == ["late.b00", "vmx.v00"]

    def test_the_rest_goes_by_vib_id_then_payload_name(self) -> None:
        vibs = [
            vib("zz", vendor="INT", payloads=[payload("second"), payload("first")]),
            vib("aa", vendor="VMW", payloads=[payload("aa")]),
            vib("tools-light", vendor="VMware", type="locker", payloads=[payload("tools", "tgz")]),
            vib("aa", vendor="dell", payloads=[payload("custom")]),
            vib("zz", vendor="VMware", payloads=[payload("zz", "vzstd")]),
        ]
        rest = ["first.v00", "second.v00", "aa.v00", "btldr.v00", "zz.v00", "tools.t00", "custom.v00"]
        for order in itertools.permutations([*vibs, _base()]):
            assert _modules(*order) == [*_BASE_MODULES, *rest]

    def test_overlays_come_last(self) -> None:
        vibs = [
            vib("aaa", vendor="AAA", overlay=True, payloads=[payload("gc")]),
            vib("esx-xserver", vendor="VMware", overlay=True, payloads=[payload("xorg"), _boot("odd", 1)]),
            vib("tools-light", vendor="VMware", type="locker", payloads=[payload("tools", "tgz")]),
        ]
        assert _modules(*vibs, _base())[len(_BASE_MODULES) :] == [
            "btldr.v00",
            "tools.t00",
            "odd.b00",
            "gc.v00",
            "xorg.v00",
        ]

    def test_without_tools(self) -> None:
        tools = vib("tools-light", type="locker", payloads=[payload("tools", "tgz")])
        assert _modules(tools, with_tools=False) == []
        assert _modules(tools) == ["tools.t00"]

    def test_vibs_of_data_processing_units_are_none_and_take_no_names(self) -> None:
        """Their ids come first, and still the host's VIB has the first name."""
        units = [
            vib("bmcal-esxio", vendor="VMware", payloads=[payload("bmcal")], software_platforms=_DPU),
            attrs.evolve(_base(), name="esxio-base", software_platforms=_DPU),
        ]
        host = vib(
            "bmcal", vendor="VMware", payloads=[payload("bmcal")], software_platforms=[*_DPU, SoftwarePlatform("8.0")]
        )
        assert _modules(*units, host) == ["bmcal.v00"]

    def test_modules_know_where_they_come_from(self) -> None:
        base = _base()
        kernel = boot_modules(_image([base]))[0]
        assert (kernel.vib, kernel.payload.name, kernel.local_name) == (base, "b", "b.b00")


class TestDiscNames:
    """8.3, all different, and unchanged where possible."""

    @pytest.mark.parametrize(
        ("names", "taken", "expected"),
        [
            pytest.param(["vmx.v00", "features.gz"], [], ["vmx.v00", "features.gz"], id="legal ones stay"),
            pytest.param(["tboot"], [], ["tboot"], id="without extension"),
            pytest.param(["odd.name.v00"], [], ["odd_name.v00"], id="one dot is enough"),
            pytest.param(["odd.name.v00", "odd_name.v00"], [], ["odd_nam0.v00", "odd_name.v00"], id="legal ones first"),
            pytest.param(["x.v00", "x.v00", "x.v00"], [], ["x.v00", "x0.v00", "x1.v00"], id="taken twice"),
            pytest.param(["boot.cfg"], ["boot.cfg"], ["boot0.cfg"], id="taken by another file"),
            pytest.param(["boot.cfg", "boot0.cfg"], ["boot.cfg"], ["boot1.cfg", "boot0.cfg"], id="and by a module"),
            pytest.param(["lsi_msg.v100", "lsi_msg.v101"], [], ["lsi_msg.v10", "lsi_msg0.v10"], id="past 99"),
            pytest.param(["a-b c.v00"], [], ["a_b_c.v00"], id="other characters"),
            pytest.param([".gz", "a.", "é", ""], [], ["gz", "a", "_", "_0"], id="parts missing"),
            pytest.param([], ["x"], [], id="none"),
        ],
    )
    def test_examples(self, names: list[str], taken: list[str], expected: list[str]) -> None:
        assert disc_names(names, taken=taken) == tuple(expected)

    _NAMES = st.one_of(
        st.from_regex(r"[ab]{1,9}(\.[ab0]{1,4})?", fullmatch=True),
        st.text("ab._-é", max_size=10),
        st.just("aaaaaaaa.a"),
    )

    @given(st.lists(_NAMES, max_size=30), st.sets(st.from_regex(r"[ab]{1,8}(\.[ab]{1,3})?", fullmatch=True)))
    def test_always_legal_and_different(self, names: list[str], taken: set[str]) -> None:
        found = disc_names(names, taken=taken)
        assert len(found) == len(names)
        assert len(set(found)) == len(found)
        assert taken.isdisjoint(found)
        for place, (name, on_disc) in enumerate(zip(names, found, strict=True)):
            assert re.fullmatch(r"[a-z0-9_]{1,8}(\.[a-z0-9_]{1,3})?", on_disc)
            if re.fullmatch(r"[a-z0-9_]{1,8}(\.[a-z0-9_]{1,3})?", name) and name not in {*taken, *names[:place]}:
                assert on_disc == name


_TWO = ("imgdb.tgz", "imgpayld.tgz")
_FOUR = ("imgdb.tgz", "basemisc.tgz", "resvibs.tgz", "imgpayld.tgz")
_FIVE = ("imgdb.tgz", "basemisc.tgz", "resvibs.tgz", "esxiodpt.tgz", "imgpayld.tgz")


@pytest.mark.parametrize(
    ("version", "archives", "kernelopt", "has_build"),
    [
        pytest.param("6.5.0-0.0.4564106", _TWO, "runweasel", False, id="6.5"),
        pytest.param("6.7.0-0.0.8169922", _TWO, "cdromBoot runweasel", False, id="6.7"),
        pytest.param("7.0.0-1.25.16324942", _TWO, "cdromBoot runweasel", True, id="7.0b"),
        pytest.param("7.0.1-0.0.16850804", _TWO, "cdromBoot runweasel", True, id="7.0 U1"),
        pytest.param("7.0.2-0.0.17630552", _FOUR, "cdromBoot runweasel", True, id="7.0 U2"),
        pytest.param("7.0.3-0.120.23794019", _FOUR, "cdromBoot runweasel", True, id="7.0 U3"),
        pytest.param("8.0.0-1.0.20513097", _FIVE, "runweasel cdromBoot", True, id="8.0"),
        pytest.param("8.0.3-0.70.24674464", _FIVE, "runweasel cdromBoot", True, id="8.0 U3e"),
        pytest.param("9.1.1.0.25714478", _FIVE, "runweasel cdromBoot", True, id="9.1.1"),
        pytest.param("10.0.0.0.99999999", _FIVE, "runweasel cdromBoot", True, id="later ones as the latest"),
        pytest.param("", _FIVE, "runweasel cdromBoot", True, id="unknown as the latest"),
    ],
)
def test_generation(version: str, archives: tuple[str, ...], kernelopt: str, *, has_build: bool) -> None:
    found = generation_of(BaseImageVersion(version) if version else None)
    assert (found.archives, found.kernelopt, found.has_build) == (archives, kernelopt, has_build)


def test_generations_come_latest_first_and_cover_all() -> None:
    starts = [generation.first for generation in GENERATIONS]
    assert starts == sorted(starts, reverse=True)
    assert starts[-1] == (0, 0, 0)


# Against the discs of others: boot.cfg files of installers as found in public places.


@attrs.frozen(kw_only=True)
class RealList:
    """What one real file loads.

    Attributes:
        key: The first eight characters of the file name, which are of its digest.
        text: Everything in it that names a version.
        modules: Kernel and modules, without folders, archives and what templates add.
        archives: The generated archives at the end.
    """

    key: str
    text: str
    modules: tuple[str, ...]
    archives: tuple[str, ...]

    @property
    def version(self) -> BaseImageVersion:
        """The release, with an invented build: of ``build=``, else of the title."""
        match = re.search(r"(?m)^build=([0-9.-]+)$", self.text) or re.search(
            r"(?i)esxi[-_ ]([0-9])\.?([0-9])\.?([0-9])?(?:u|-update)?([0-9])?", self.text
        )
        assert match is not None, self.key
        if match.lastindex == 1:
            return BaseImageVersion(match[1])
        return BaseImageVersion(f"{match[1]}.{match[2]}.{match[4] or match[3] or 0}-0.0.1")


def _read_list(path: Path) -> RealList | None:
    text = re.sub(r"\{\{.*?\}\}", "", path.read_text(encoding="utf-8"))
    values = dict(re.findall(r"(?m)^([a-z]+)=(.*)$", text))
    if "modules" not in values:
        return None
    paths = (values["kernel"], *values["modules"].split("---"))
    names = [item.strip().rpartition("/")[2] for item in paths if item.strip()]
    count = len(list(itertools.takewhile(lambda name: not name.endswith(".tgz"), names)))
    return RealList(key=path.name[:8], text=text, modules=tuple(names[:count]), archives=tuple(names[count:]))


# boot-order of boot payloads: 7.0 and later, and 6.7 and earlier where it differs. Not known, but
# following from the lists: tboot before b, and a between chardevs and user (6.5).
_ORDERS = {
    "tboot": 5, "b": 10, "jumpstrt": 47, "useropts": 48, "features": 49, "k": 50,
    "uc_intel": 51, "uc_amd": 52, "uc_hygon": 52, "procfs": 99,
}  # fmt: skip
_OLD_ORDERS = _ORDERS | {
    "chardevs": 99, "a": 100, "user": 100, "procfs": 101, "uc_intel": 200, "uc_amd": 201, "uc_hygon": 201,
}  # fmt: skip
_ORDERED_VGZ = frozenset({"vmx", "vim", "tpm", "sb", "s"})
_OVERLAYS = {"xorg": "VMware_bootbank_esx-xserver", "gc": "VMware_bootbank_gc"}

# Stock discs: whose VIB carries which payload. All that is not here is VMW_bootbank_ and a driver. Known
# from published VIB lists of 6.7, 7.0 and 8.0; only from these lists themselves: whose qlnativefc was in
# 6.5, whose rste before 7.0, and that weaselin was esx-base's in 6.5.
_STOCK_OWNERS = _OVERLAYS | {
    "btldr": "VMware_bootbank_esx-base",
    "dvfilter": "VMware_bootbank_esx-dvfilter-generic-fastpath",  # from 8.0 U3
    "esx_dvfi": "VMware_bootbank_esx-dvfilter-generic-fastpath",
    "esx_ui": "VMware_bootbank_esx-ui",
    "esxio_co": "VMware_bootbank_esxio-combiner",
    "esxupdt": "VMware_bootbank_esx-update",
    "tpmesxup": "VMware_bootbank_esx-update",
    "weaselin": "VMware_bootbank_esx-update",
    "clusters": "VMware_bootbank_clusterstore",
    "drivervm": "VMware_bootbank_drivervm-gpu-base",
    "elx_esx_": "VMware_bootbank_elx-esx-libelxima.so",
    "emulex_e": "VMware_bootbank_emulex-esx-elxnetcli",
    "infravis": "VMware_bootbank_infravisor",
    "native_m": "VMware_bootbank_native-misc-drivers",
    "vmware_e": "VMware_bootbank_vmware-esx-esxcli-nvme-plugin",
    "hbrsrv": "VMware_bootbank_vmware-hbrsrv",
    "vcls_pod": "VMware_bootbank_vcls-pod-crx",
    "vsanheal": "VMware_bootbank_vsanhealth",
    "vsanmgmt": "VMware_bootbank_vsanhealth",
    "tools": "VMware_locker_tools-light",
    "drpy": "RKN_bootbank_DRPY-Agent",
    "payload1": "RKN_bootbank_DRPY-FW-RULE",
    **{name: f"VMware_bootbank_{name}" for name in ("bmcal", "crx", "loadesx", "trx", "vdfs", "vsan")},
    "vds_vsip": "VMware_bootbank_vds-vsip",
}  # fmt: skip
_STOCK_PLUGIN = re.compile(r"lsu(v2)?_")


def _owner(name: str, version: BaseImageVersion) -> str:
    """The id of the VIB of a stock disc that carries the payload, up to its version."""
    base = name.rpartition(".")[0]
    if base.startswith("uc_"):
        return "VMware_bootbank_cpu-microcode"
    if base in {*_OLD_ORDERS, *_ORDERED_VGZ} or (base == "weaselin" and version.fields[:2] < (6, 7)):
        return "VMware_bootbank_esx-base"
    if base in _STOCK_OWNERS:
        return _STOCK_OWNERS[base]
    is_vmwares = (
        _STOCK_PLUGIN.match(base)
        or (base == "qlnative" and version.fields[:2] >= (6, 7))
        or (base == "rste" and version.major < 7)
    )
    return f"{'VMware' if is_vmwares else 'VMW'}_bootbank_{base.replace('_', '-')}"


def _payload_of(name: str, orders: dict[str, int]) -> Payload:
    """A payload that gets this local name: base, letter, and the counter if the rule counts right."""
    base, _, extension = name.rpartition(".")
    if extension == "gz":
        return payload(base, "boot", vfat_name=name, boot_order=orders[base])
    kind = {"b": "boot", "v": "vgz", "t": "tgz"}[extension[0]]
    order = orders[base] if kind == "boot" else (100 if base in _ORDERED_VGZ else None)
    return payload(base.replace("_", "-"), kind, boot_order=order)


def _vibs_of(real: RealList, owners: Sequence[str]) -> list[Vib]:
    orders = _OLD_ORDERS if real.version.major < 7 else _ORDERS
    contents: dict[tuple[str, int], list[Payload]] = {}
    for name, owner in zip(real.modules, owners, strict=True):
        made = _payload_of(name, orders)
        # VIBs whose payloads have one name cannot be one VIB; their ids go on in the order of the list.
        place = sum(made.name == other.name for key, group in contents.items() if key[0] == owner for other in group)
        contents.setdefault((owner, place), []).append(made)
    vibs = []
    for (owner, place), payloads in contents.items():
        vendor, kind, name = owner.split("_", 2)
        is_twin = (owner, 1) in contents
        vibs.append(
            vib(
                f"{name}{place}" if is_twin else name,
                vendor=vendor,
                type=kind,
                payloads=payloads,
                overlay=owner in _OVERLAYS.values(),
            )
        )
    return vibs


_WITHOUT_LIST = {"3283bc0f": "a note in place of the file, without modules"}


@pytest.fixture(scope="module")
def real_lists(realdata: Path) -> list[RealList]:
    found = [_read_list(path) for path in sorted((realdata / "boot_cfg").rglob("*")) if path.is_file()]
    return [real for real in found if real is not None]


def test_every_real_file_is_looked_at(real_lists: list[RealList], realdata: Path) -> None:
    files = {path.name[:8] for path in (realdata / "boot_cfg").rglob("*") if path.is_file()}
    assert files - {real.key for real in real_lists} == set(_WITHOUT_LIST)
    assert len(real_lists) >= 40


_STOCK = (
    "032f3335", "0418e6db", "0d79a2b5", "0e94837f", "112e49a6", "120d335b", "12847be4", "1b57b7cc", "2aac8fb2",
    "35289030", "44ccf691", "9ba2ee2b", "0703b6c3", "3b71b07c", "7ea5c77e", "ecd7b094", "fe376d35",
)  # fmt: skip
"""Stock discs of 6.5 to 8.0 U2, some with two VIBs of RackN on top."""


def test_stock_lists(real_lists: list[RealList]) -> None:
    """With the ids that the VIBs of stock discs have, our rule gives each real list, name by name."""
    stock = [real for real in real_lists if real.key in _STOCK]
    assert len(stock) == len(_STOCK)
    for real in stock:
        vibs = _vibs_of(real, [_owner(name, real.version) for name in real.modules])
        assert _modules(*reversed(vibs)) == list(real.modules), real.key


@pytest.mark.parametrize("version", STOCK_MODULES)
def test_stock_lists_of_the_fixtures_releases(version: str) -> None:
    """The same, with the lists of the releases that fixtures take after."""
    modules = STOCK_MODULES[version]
    real = RealList(key=version, text=f"build={version}", modules=modules, archives=())
    vibs = _vibs_of(real, [_owner(name, real.version) for name in modules])

    assert _modules(*reversed(vibs)) == list(modules)
    assert len(modules) == {"7": 92, "8": 105}[version[0]]


def test_vendors_lists(real_lists: list[RealList]) -> None:
    """Vendors' ids are not known, so the lists give them: ascending in the order of the list.

    What is left to prove then: boot payloads, the descending five, overlays last, and that all
    counters go up along the list, over all vendors.
    """
    for real in real_lists:
        bases = [name.rpartition(".")[0] for name in real.modules]
        owners = [
            "V000_bootbank_esx-base"
            if base in {*_OLD_ORDERS, *_ORDERED_VGZ}
            else _OVERLAYS.get(base, f"V{place:03d}_bootbank_x")
            for place, base in enumerate(bases)
        ]
        vibs = _vibs_of(real, owners)
        assert _modules(*reversed(vibs)) == list(real.modules), real.key


_OTHER_ARCHIVES = {
    "1b57b7cc": "7.0 U2a, put together by RackN with tools of 7.0.1 or earlier: no basemisc, no resvibs",
    "333d583e": "7.0 U2a with Cisco's add-on, put together the same way",
}


def test_real_archives(real_lists: list[RealList]) -> None:
    """Each list ends in the archives of its generation, but for those that were made with other tools."""
    assert {real.key for real in real_lists} >= set(_OTHER_ARCHIVES)
    for real in real_lists:
        expected = _TWO if real.key in _OTHER_ARCHIVES else generation_of(real.version).archives
        assert real.archives == expected, real.key


def test_data_processing_units_change_nothing_in_a_real_list(real_lists: list[RealList]) -> None:
    """8.0 U2 has VIBs for them whose payloads would take the first names: its list proves they do not count."""
    real = next(real for real in real_lists if real.key == "9ba2ee2b")
    vibs = _vibs_of(real, [_owner(name, real.version) for name in real.modules])
    units = [
        vib(f"{made.name}-esxio", vendor=made.vendor, payloads=made.payloads, software_platforms=_DPU)
        for made in vibs
        if made.name in ("bmcal", "esxio-combiner", "nmlx5-co", "vmware-esx-esxcli-nvme-plugin")
    ]
    assert len(units) == 4
    assert _modules(*units, *vibs) == list(real.modules)

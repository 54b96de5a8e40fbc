"""Which VIBs a synthetic depot has, and how large: the plan that ``make_depot`` carries out.

Names of system VIBs and payloads are those of a stock base image, since rules and exports go
by them; shares of the bytes are rounded from public listings; drivers are made up.
"""

from __future__ import annotations

import random
from typing import NamedTuple, final

import attrs

from esximage_builder.models.constraint import Constraint, Provide
from esximage_builder.versions import VibVersion
from esximage_builder.vocabulary import Relation, VibType

__all__ = ["SMALLEST_COUNT", "VERSION", "PlannedPayload", "PlannedVib", "plan_vibs"]

VERSION = "7.0.3-0.55.20328353"
"""Of the base image and its system VIBs."""

_DRIVER_SUFFIX = "1vmw.703.0.20.19193900"
_SMALLEST_PAYLOAD = 600


@final
@attrs.frozen(kw_only=True)
class PlannedPayload:
    """A payload to make: its length is met to a few per cent for gzip types, exactly for others."""

    name: str
    type: str
    size_bytes: int
    boot_order: int | None = None
    vfat_name: str = ""


@final
@attrs.frozen(kw_only=True)
class PlannedVib:
    """A VIB to make."""

    name: str
    component: str
    version: str
    payloads: tuple[PlannedPayload, ...]
    type: str = VibType.BOOTBANK.value
    depends: tuple[Constraint, ...] = ()
    provides: tuple[Provide, ...] = ()
    tags: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    is_overlay: bool = False


class _System(NamedTuple):
    """A system VIB: its share of all bytes, of which each payload gets as much as the others."""

    name: str
    component: str
    share: float
    payloads: tuple[str, ...]
    file_count: int


_SYSTEM = (
    _System("esx-update", "esx-update", 0.020, ("esxupdt", "tpmesxup", "weaselin"), 250),
    _System("loadesx", "esx-update", 0.004, ("loadesx",), 30),
    _System("vsan", "ESXi", 0.075, ("vsan",), 400),
    _System("vsanhealth", "ESXi", 0.055, ("vsanheal", "vsanmgmt"), 700),
    _System("crx", "ESXi", 0.035, ("crx",), 10),
    _System("clusterstore", "ESXi", 0.015, ("clusters",), 60),
    _System("esx-ui", "ESXi", 0.015, ("esx_ui",), 40),
    _System("esx-xserver", "ESXi", 0.012, ("xorg",), 120),
    _System("vdfs", "ESXi", 0.010, ("vdfs",), 50),
    _System("gc", "ESXi", 0.006, ("gc",), 20),
    _System("native-misc-drivers", "ESXi", 0.002, ("native_m",), 5),
    _System("trx", "ESXi", 0.001, ("trx",), 5),
)
_BASE_SHARE = 0.32
_TOOLS_SHARE = 0.22
# esx-base: name, type, boot order, fixed local name, share of what esx-base gets
_BASE_PAYLOADS = (
    ("b", "boot", 10, "", 0.01),
    ("jumpstrt", "boot", 47, "jumpstrt.gz", 0.0),
    ("useropts", "boot", 48, "useropts.gz", 0.0),
    ("features", "boot", 49, "features.gz", 0.0),
    ("k", "boot", 50, "", 0.06),
    ("procfs", "boot", 99, "", 0.01),
    ("vmx", "vgz", 100, "", 0.27),
    ("vim", "vgz", 100, "", 0.20),
    ("tpm", "vgz", 100, "", 0.01),
    ("sb", "vgz", 100, "", 0.26),
    ("s", "vgz", 100, "", 0.16),
    ("btldr", "vgz", None, "", 0.02),
)
_RAW_PAYLOADS = (
    ("isolinux.bin", "boot_iso_bios", 40 * 1024),
    ("efiboot.img", "eltorito_image_efi", 1024 * 1024),
    ("BOOTx64.EFI", "boot_loader_efi", 200 * 1024),
    ("crypto64.efi", "boot_loader_efi", 120 * 1024),
    ("mboot.c32", "boot_com32_bios", 90 * 1024),
    ("menu.c32", "boot_com32_bios", 50 * 1024),
    ("precheck.py", "upgrade", 60 * 1024),
    ("README", "text", 2 * 1024),
)
SMALLEST_COUNT = len(_SYSTEM) + 2


def plan_vibs(count: int, *, total_bytes: int, seed: int, first: int = 0) -> list[PlannedVib]:
    """Plan a base image.

    Args:
        count: VIBs, at least ``SMALLEST_COUNT``.
        total_bytes: About how many bytes all of them have.
        seed: The same gives the same plan.
        first: Number of the first driver: plans with other numbers share only their system VIBs.
    """
    if count < SMALLEST_COUNT:
        raise SystemExit(f"a base image has at least {SMALLEST_COUNT} VIBs")
    chance = random.Random(seed)
    total_bytes -= sum(size for _, _, size in _RAW_PAYLOADS)
    planned = [_plan_esx_base(total_bytes), _plan_tools(total_bytes)]
    planned += [_plan_system(row, total_bytes) for row in _SYSTEM]
    weights = [chance.lognormvariate(0, 1) for _ in range(count - len(planned))]
    share = 1 - _BASE_SHARE - _TOOLS_SHARE - sum(row.share for row in _SYSTEM)
    scale = share * total_bytes / (sum(weights) or 1)
    planned += [_plan_driver(number, weight * scale, chance) for number, weight in enumerate(weights, first)]
    return planned


def _sized(size_bytes: float) -> int:
    return max(_SMALLEST_PAYLOAD, int(size_bytes))


def _paths(folder: str, count: int) -> tuple[str, ...]:
    return tuple(f"{folder}/part{number // 40:02}/invented-{number:04}.so" for number in range(count))


def _constraint(name: str, relation: Relation, version: str) -> Constraint:
    return Constraint(name, relation, VibVersion(version))


def _plan_esx_base(total_bytes: int) -> PlannedVib:
    share = total_bytes * _BASE_SHARE
    return PlannedVib(
        name="esx-base",
        component="ESXi",
        version=VERSION,
        payloads=(
            *(
                PlannedPayload(name=name, type=kind, size_bytes=_sized(part * share), boot_order=order, vfat_name=vfat)
                for name, kind, order, vfat, part in _BASE_PAYLOADS
            ),
            *(PlannedPayload(name=name, type=kind, size_bytes=size) for name, kind, size in _RAW_PAYLOADS),
        ),
        depends=(
            _constraint("esx-update", Relation.GREATER_EQUAL, "7.0.3-0.55"),
            _constraint("esx-update", Relation.LESS, "7.0.3-0.56"),
        ),
        provides=(
            Provide("esx-version", VibVersion(VERSION)),
            *(Provide(f"vmkapi_2_{minor}_0_0") for minor in range(10)),
            Provide("vmkapi_incompat_2_9_0_0"),
        ),
        files=_paths("usr/lib/esx-base", 3000),
    )


def _plan_tools(total_bytes: int) -> PlannedVib:
    size = _sized(total_bytes * _TOOLS_SHARE)
    return PlannedVib(
        name="tools-light",
        component="VMware-VM-Tools",
        version="12.0.0.19345655-20036589",
        type=VibType.LOCKER.value,
        payloads=(PlannedPayload(name="tools", type="tgz", size_bytes=size),),
        depends=(_constraint("esx-version", Relation.GREATER_EQUAL, "6.6.0"),),
        files=_paths("packages/vmtools", 60),
    )


def _plan_system(row: _System, total_bytes: int) -> PlannedVib:
    size = _sized(row.share * total_bytes / len(row.payloads))
    return PlannedVib(
        name=row.name,
        component=row.component,
        version=VERSION,
        payloads=tuple(PlannedPayload(name=name, type="vgz", size_bytes=size) for name in row.payloads),
        depends=(_constraint("esx-version", Relation.GREATER_EQUAL, "7.0.3"),),
        files=_paths(f"usr/lib/{row.name}", row.file_count),
        is_overlay=row.name in ("esx-xserver", "gc"),
    )


def _plan_driver(number: int, size: float, chance: random.Random) -> PlannedVib:
    name = f"d{number:06}"
    return PlannedVib(
        name=name,
        component=f"Invented-{name}",
        version=f"{chance.randrange(1, 20)}.{chance.randrange(50)}.{chance.randrange(50)}.0-{_DRIVER_SUFFIX}",
        payloads=(PlannedPayload(name=name, type="vgz", size_bytes=_sized(size)),),
        depends=(Constraint("vmkapi_2_9_0_0"), Constraint("vmkapi_incompat_2_9_0_0")),
        tags=("driver", "module"),
        files=(
            f"etc/vmware/default.map.d/{name}.map",
            f"usr/lib/vmware/vmkmod/{name}",
            *_paths(f"usr/share/hwdata/{name}", chance.randrange(12)),
        ),
    )

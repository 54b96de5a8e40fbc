"""What VIBs are to each other on each system, in words; and that a finding names all that makes it true."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.finding_calls import codes_in
from support.memory_catalogs import Stock, cut_down, esx_base, platforms, vib

from esximage_builder.models.image import Image, InstalledVib
from esximage_builder.rules import vib_relations
from esximage_builder.rules.validate import validate

if TYPE_CHECKING:
    from esximage_builder.findings import Finding
    from esximage_builder.models.vib import Vib

DPU = platforms("esxio 8.0")
BOTH = platforms("embeddedEsx 8.0", "esxio 8.0")
KERNEL = vib("esxio-base", "8.0.3-1", software_platforms=DPU, provides=("vmkapi_2_13_0_0",))
API = vib("api", provides=("acme-api = 2.0",))


def image_of(*vibs: Vib) -> Image:
    every = sorted((*vibs, esx_base()), key=lambda made: made.id)
    return Image(name="image", vibs=[InstalledVib(vib=made) for made in every])


def dpu(name: str, **fields: Any) -> Vib:
    return vib(name, software_platforms=DPU, **fields)


CASES = {
    "a DPU's need, met on the host only": (
        [API, dpu("tool", depends=("acme-api",))],
        "missing-dependency",
        "ACM_bootbank_tool_1.0-1 requires acme-api, which the image does not have on data processing units",
        "only VIBs for the host provide acme-api",
    ),
    "a host's need, met on DPUs only": (
        [dpu("api", provides=("acme-api",)), vib("tool", depends=("acme-api",))],
        "missing-dependency",
        "ACM_bootbank_tool_1.0-1 requires acme-api, which the image does not have",
        "only VIBs for data processing units provide acme-api",
    ),
    "the need of a VIB for both": (
        [API, KERNEL, vib("tool", depends=("acme-api",), software_platforms=BOTH)],
        "missing-dependency",
        "ACM_bootbank_tool_1.0-1 requires acme-api, which the image does not have on data processing units",
        "only VIBs for the host provide acme-api",
    ),
    "built for another DPU release": (
        [KERNEL, dpu("net", depends=("vmkapi_2_11_0_0",))],
        "missing-dependency",
        "ACM_bootbank_net_1.0-1 requires vmkapi_2_11_0_0, which the image does not have on data processing units",
        "the driver was built for other ESXi releases; this base image provides vmkapi_2_13_0_0",
    ),
    "both declare a conflict": (
        [vib("a", conflicts=("b", "b << 2.0")), vib("b", conflicts=("a",))],
        "conflict",
        "ACM_bootbank_a_1.0-1 cannot be installed together with ACM_bootbank_b_1.0-1",
        "both declare it: ACM_bootbank_a_1.0-1 a conflict with b and b << 2.0, ACM_bootbank_b_1.0-1 one with a",
    ),
    "one name twice on DPUs": (
        [dpu("net"), vib("net", "2.0-1", files=(), software_platforms=BOTH)],
        "duplicate-vib-name",
        "the image has 2 VIBs named net",
        "a data processing unit keeps one version of a VIB name",
    ),
    "replaced on DPUs": (
        [dpu("new", replaces=("old",)), vib("old", software_platforms=BOTH)],
        "replaced-vib-present",
        "ACM_bootbank_old_1.0-1 is still there beside ACM_bootbank_new_1.0-1, which replaces it",
        "a data processing unit would remove the replaced VIB",
    ),
    "a path on DPUs": (
        [dpu("a", files=("bin/x",)), dpu("b", files=("bin/x",))],
        "file-conflict",
        "1 files belong to more than one VIB: bin/x",
        "only a VIB marked as overlay may cover the files of another, and only one of each path",
    ),
}


@pytest.mark.parametrize(("vibs", "code", "message", "cause"), CASES.values(), ids=CASES)
def test_findings(vibs: list[Vib], code: str, message: str, cause: str) -> None:
    image = image_of(*vibs)
    (finding,) = validate(image).findings
    assert (finding.code, finding.message, finding.cause) == (code, message, cause)
    left = validate(cut_down(image, finding)).findings
    assert (finding.code, finding.items) in {(other.code, other.items) for other in left}


def test_every_code_is_tested() -> None:
    assert codes_in(vib_relations) == {code for _, code, _, _ in CASES.values()}


def test_what_is_offered_is_for_the_same_system() -> None:
    for need, given, is_offered in ((DPU, DPU, True), (DPU, (), False), ((), DPU, False), ((), BOTH, True)):
        stock = Stock(vibs=[vib("api", provides=("acme-api",), software_platforms=given)])
        found: Finding
        (found,) = validate(
            image_of(vib("tool", depends=("acme-api",), software_platforms=need)), stock.catalog()
        ).errors
        assert ("ACM_bootbank_api_1.0-1" in found.remedy) is is_offered

"""The kickstart file: what would stop the installer is said before the disc is written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esximage_builder.findings import Severity
from esximage_builder.formats.kickstart import KICKSTART_DISC_NAME, check_kickstart, kickstart_option

GOOD = b"vmaccepteula\ninstall --firstdisk --overwritevmfs\nrootpw x\nreboot\n"
LINE_ENDS = "kickstart-line-ends"
NO_INSTALL = "kickstart-no-install"


@pytest.mark.parametrize(
    ("data", "codes"),
    [
        pytest.param(GOOD, [], id="good"),
        pytest.param(GOOD.rstrip(), [], id="no-final-line-end"),
        pytest.param(b"  Install --firstdisk\n", [], id="blanks-and-case"),
        pytest.param(b"upgrade --firstdisk\n", [], id="upgrade"),
        pytest.param(b"installorupgrade --firstdisk\n", [], id="either"),
        pytest.param(b"\xff\xfe\ninstall\n", [], id="no-utf-8"),
        pytest.param(GOOD.replace(b"\n", b"\r\n"), [LINE_ENDS], id="windows-line-ends"),
        pytest.param(b"", [NO_INSTALL], id="empty"),
        pytest.param(b"# install --firstdisk\n", [NO_INSTALL], id="comment"),
        pytest.param(b"#install\nreinstall\n--install\n", [NO_INSTALL], id="look-alikes"),
        pytest.param(b"vmaccepteula\r\n", [LINE_ENDS, NO_INSTALL], id="both"),
    ],
)
def test_findings_say_what_is_wrong(data: bytes, codes: list[str]) -> None:
    findings = check_kickstart(data, where="ks.cfg")
    assert [finding.code for finding in findings] == codes
    assert all(finding.where == "ks.cfg" and finding.cause and finding.remedy for finding in findings)


def test_only_a_missing_install_line_is_an_error() -> None:
    line_ends, no_install = check_kickstart(b"\r\n", where="ks.cfg")
    assert (line_ends.severity, no_install.severity) == (Severity.WARNING, Severity.ERROR)


@given(st.binary(max_size=100))
def test_content_never_raises(data: bytes) -> None:
    assert isinstance(check_kickstart(data, where="x"), tuple)


def test_the_kernel_option_has_the_case_of_the_disc() -> None:
    assert kickstart_option() == "ks=cdrom:/KS_CUST.CFG" == f"ks=cdrom:/{KICKSTART_DISC_NAME}"
    assert kickstart_option("KS.CFG") == "ks=cdrom:/KS.CFG"

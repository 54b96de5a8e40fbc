"""The kickstart file: what would stop the installer is said before the disc is written."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from esximage_builder.documents.kickstart import (
    check_kickstart,
    check_kickstart_options,
)
from esximage_builder.findings import Severity

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
        pytest.param(GOOD.replace(b"\n", b"\r"), [LINE_ENDS], id="old-macintosh-line-ends"),
        pytest.param(b"%post\ninstall -m 755 x /bin/x\n", [NO_INSTALL], id="in-a-script-only"),
        pytest.param(b"%pre\nls\n%post\ninstall a b\n", [NO_INSTALL], id="in-the-second-script-only"),
        pytest.param(b"%firstboot\nls\n%end\ninstall\n", [], id="after-the-end-of-a-script"),
        pytest.param(b"install\n%post --interpreter=busybox\nls\n", [], id="before-a-script"),
        pytest.param(b"include /tmp/more.cfg\n", [NO_INSTALL], id="may-be-included"),
        pytest.param(b"install\n%include /tmp/more.cfg\n", [], id="includes-more"),
    ],
)
def test_findings_say_what_is_wrong(data: bytes, codes: list[str]) -> None:
    findings = check_kickstart(data, where="ks.cfg")
    assert [finding.code for finding in findings] == codes
    assert all(finding.where == "ks.cfg" and finding.cause and finding.remedy for finding in findings)


def test_only_a_missing_install_line_is_an_error() -> None:
    line_ends, no_install = check_kickstart(b"\r\n", where="ks.cfg")
    assert (line_ends.severity, no_install.severity) == (Severity.WARNING, Severity.ERROR)


@pytest.mark.parametrize("line", [b"include /tmp/more.cfg\n", b"%include /tmp/more.cfg\n"])
def test_an_install_line_that_may_be_included_is_only_a_warning(line: bytes) -> None:
    (finding,) = check_kickstart(line, where="ks.cfg")
    assert (finding.code, finding.severity) == (NO_INSTALL, Severity.WARNING)


def test_an_include_in_a_script_excuses_nothing() -> None:
    (finding,) = check_kickstart(b"%post\ninclude x\n", where="ks.cfg")
    assert finding.severity is Severity.ERROR


@given(st.binary(max_size=100))
def test_content_never_raises(data: bytes) -> None:
    assert isinstance(check_kickstart(data, where="x"), tuple)


DISC = ("BOOT.CFG", "KS_CUST.CFG", "UPGRADE/PREP.PY")


@pytest.mark.parametrize(
    ("options", "codes"),
    [
        pytest.param("", [], id="none"),
        pytest.param("ks=cdrom:/KS_CUST.CFG", [], id="exact"),
        pytest.param("ks=cdrom:/UPGRADE/PREP.PY", [], id="in-a-folder"),
        pytest.param("a=1 ks=cdrom:/ks_cust.cfg b", ["kickstart-path-case"], id="lower-case"),
        pytest.param("ks=cdrom:/Ks_Cust.Cfg", ["kickstart-path-case"], id="mixed-case"),
        pytest.param("ks=cdrom:/OTHER.CFG", ["kickstart-not-on-disc"], id="not-there"),
        pytest.param("ks=cdrom:", ["kickstart-not-on-disc"], id="no-name"),
        pytest.param("ks=usb:/ks.cfg", [], id="stick"),
        pytest.param("ks=http://server/KS.cfg", [], id="server"),
        pytest.param("blocks=cdrom:/x disks=3", [], id="other-options"),
        pytest.param("ks=usb ks=cdrom:/x", ["kickstart-named-twice", "kickstart-not-on-disc"], id="two"),
    ],
)
def test_options_that_lead_nowhere_are_errors(options: str, codes: list[str]) -> None:
    findings = check_kickstart_options(options, has_kickstart=False, disc_names=DISC)
    assert [finding.code for finding in findings] == codes
    assert all(finding.severity is Severity.ERROR and finding.cause and finding.remedy for finding in findings)


def test_the_wrong_case_is_answered_with_the_right_one() -> None:
    (finding,) = check_kickstart_options("ks=cdrom:/ks_cust.cfg", has_kickstart=False, disc_names=DISC)
    assert finding.remedy == "write ks=cdrom:/KS_CUST.CFG"
    assert finding.items == ("ks=cdrom:/ks_cust.cfg", "KS_CUST.CFG")


def test_an_option_beside_a_kickstart_file_is_one_too_many() -> None:
    findings = check_kickstart_options("ks=http://server/ks.cfg", has_kickstart=True, disc_names=DISC)
    assert [(finding.code, finding.items) for finding in findings] == [
        ("kickstart-named-twice", ("ks=http://server/ks.cfg",))
    ]
    assert check_kickstart_options("a=b", has_kickstart=True, disc_names=DISC) == ()


def test_a_network_boot_has_no_disc() -> None:
    (finding,) = check_kickstart_options("ks=cdrom:/KS_CUST.CFG", has_kickstart=False, disc_names=None)
    assert finding.code == "kickstart-not-on-disc"


@given(st.text(max_size=60), st.booleans(), st.lists(st.text(max_size=8)))
def test_options_never_raise(options: str, has_kickstart: bool, names: list[str]) -> None:  # noqa: FBT001 - drawn
    assert isinstance(check_kickstart_options(options, has_kickstart=has_kickstart, disc_names=names), tuple)

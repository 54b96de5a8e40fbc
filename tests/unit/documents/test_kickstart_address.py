"""Addresses of kickstart files: the documented forms and no other."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, strategies as st

from esximage_builder.documents.kickstart_address import (
    KickstartAddress,
    KickstartSource,
)
from esximage_builder.errors import ModelError


@pytest.mark.parametrize(
    ("text", "source", "place"),
    [
        ("cdrom:/KS_CUST.CFG", KickstartSource.CDROM, "/KS_CUST.CFG"),
        ("usb:/KS.CFG", KickstartSource.USB, "/KS.CFG"),
        ("usb", KickstartSource.USB, ""),
        (" ks=usb:/ks/a.cfg ", KickstartSource.USB, "/ks/a.cfg"),
        ("file://etc/vmware/weasel/ks.cfg", KickstartSource.FILE, "//etc/vmware/weasel/ks.cfg"),
        ("http://server/ks.cfg", KickstartSource.HTTP, "//server/ks.cfg"),
        ("https://[fe80::1]:8443/a?host=1", KickstartSource.HTTPS, "//[fe80::1]:8443/a?host=1"),
        ("ftp://server/ks.cfg", KickstartSource.FTP, "//server/ks.cfg"),
        ("nfs://server/export/ks.cfg", KickstartSource.NFS, "//server/export/ks.cfg"),
    ],
)
def test_each_documented_form_is_read(text: str, source: KickstartSource, place: str) -> None:
    address = KickstartAddress.from_text(text)
    assert address == KickstartAddress(source, place)
    assert address.option == f"ks={text.strip().removeprefix('ks=')}"
    assert address.needs


@pytest.mark.parametrize(
    "text",
    [
        "", "ks=", "cdrom", "cdrom:", "cdrom:/", "cdrom:KS.CFG", "usb:", "usb:/", "usb://KS.CFG", "http:/server/ks",
        "http://", "http://server", "http://server/", "HTTP://server/ks.cfg", "nfs:server/ks", "ks.cfg", "file:",
        "http://server/k s.cfg", "http://server/ks.cfg\nnext", "http://server/\x00", "floppy:/ks.cfg",
    ],
)  # fmt: skip
def test_what_the_installer_does_not_know_is_refused(text: str) -> None:
    with pytest.raises(ModelError, match="none that the installer knows"):
        KickstartAddress.from_text(text)


def test_tftp_is_refused_with_the_reason() -> None:
    with pytest.raises(ModelError, match="none that the installer knows") as caught:
        KickstartAddress.from_text("tftp://server/ks.cfg")
    assert "TFTP" in caught.value.hint


@given(st.text(max_size=60))
def test_what_is_read_is_written_the_same(text: str) -> None:
    with contextlib.suppress(ModelError):
        address = KickstartAddress.from_text(text)
        assert KickstartAddress.from_text(address.option) == address

"""``isolinux.cfg``: read as the BIOS loader reads it, and what starts if nobody presses a key."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from esximage_builder.documents.isolinux_cfg import BootMenuEntry, parse_isolinux_cfg, render_isolinux_cfg
from esximage_builder.errors import EsxImageError, LimitExceededError

STOCK = render_isolinux_cfg("ESXi 8", has_menu=True)
INSTALL = BootMenuEntry(
    label="install", command="KERNEL", target="mboot.c32", append="-c boot.cfg", title="ESXi 8 ^Installer"
)


def test_the_menu_of_a_disc_starts_the_installer_first() -> None:
    menu = parse_isolinux_cfg(STOCK)

    assert menu.started == INSTALL
    assert menu.menu_program == "menu.c32"
    assert [entry.label for entry in menu.entries] == ["install", "hddboot"]
    assert menu.entries[1] == BootMenuEntry(
        label="hddboot", command="LOCALBOOT", target="0x80", title="^Boot from local disk"
    )
    assert (menu.unknown, menu.followed) == ((), ())


def test_a_disc_without_menu_program_starts_the_label_that_is_named() -> None:
    menu = parse_isolinux_cfg(render_isolinux_cfg("ESXi 8", has_menu=False))

    assert (menu.default, menu.menu_program) == ("install", "")
    assert menu.started == INSTALL


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(STOCK.replace(b"KERNEL", b"kernel").replace(b"LABEL", b"Label"), id="case"),
        pytest.param(STOCK.replace(b"\n", b"\r\n"), id="Windows line ends"),
        pytest.param(b"# by hand\n\n" + STOCK.replace(b" ", b"  \t"), id="comments and blanks"),
    ],
)
def test_how_a_menu_is_spelt_does_not_matter(data: bytes) -> None:
    assert parse_isolinux_cfg(data).entries == parse_isolinux_cfg(STOCK).entries


OTHER = b"LABEL other\nKERNEL other.c32\nAPPEND x\n"


@pytest.mark.parametrize(
    ("data", "target", "append"),
    [
        pytest.param(STOCK.replace(b"DEFAULT menu.c32", b"DEFAULT other.c32 a"), "other.c32", "a", id="a program"),
        pytest.param(b"UI other.c32\n" + STOCK, "other.c32", "", id="a program as user interface"),
        pytest.param(b"ONTIMEOUT other\n" + STOCK + OTHER, "other.c32", "x", id="the label after the time"),
        pytest.param(STOCK + OTHER + b"MENU DEFAULT\n", "other.c32", "x", id="the label that is marked"),
        pytest.param(STOCK.replace(b"menu.c32", b"other") + OTHER, "other.c32", "x", id="the label that is named"),
        pytest.param(STOCK.replace(b"menu.c32", b"other b") + OTHER, "other.c32", "x b", id="with more options"),
        pytest.param(b"DEFAULT mboot.c32 -c boot.cfg", "mboot.c32", "-c boot.cfg", id="the loader itself"),
        pytest.param(b"DEFAULT a\nAPPEND z\nLABEL a\nKERNEL other.c32\n", "other.c32", "z", id="options for all"),
    ],
)
def test_what_starts_by_itself_is_known(data: bytes, target: str, append: str) -> None:
    started = parse_isolinux_cfg(data).started

    assert started is not None
    assert (started.target, started.append) == (target, append)


@pytest.mark.parametrize("data", [b"", STOCK.replace(b"DEFAULT", b"DEFOULT"), b"DEFAULT menu.c32\n"])
def test_without_default_nothing_starts(data: bytes) -> None:
    assert parse_isolinux_cfg(data).started is None


def test_lines_that_are_not_known_and_files_that_go_on_are_kept() -> None:
    menu = parse_isolinux_cfg(STOCK + b"INCLUDE a.cfg\nMENU INCLUDE b.cfg\nLOADX y\n")

    assert menu.followed == ("a.cfg", "INCLUDE b.cfg")
    assert menu.unknown == ("LOADX y",)


def test_a_name_with_a_line_break_begins_no_command() -> None:
    assert b"\nDEFAULT b" not in render_isolinux_cfg("a\nDEFAULT b", has_menu=True)


def test_a_menu_has_a_limit() -> None:
    with pytest.raises(LimitExceededError):
        parse_isolinux_cfg(STOCK, max_bytes=len(STOCK) - 1)


@given(st.binary(max_size=300))
def test_any_bytes_give_a_menu_or_our_error(data: bytes) -> None:
    try:
        menu = parse_isolinux_cfg(data)
    except EsxImageError:
        return
    assert menu.started is None or menu.started.label

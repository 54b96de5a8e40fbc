"""``boot.cfg``: read as the boot loader reads it, written as the stock disc has it."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING

import attrs
import pytest
from hypothesis import given, settings, strategies as st
from support import schema_strategies as strategies

from esximage_builder.documents.boot_cfg import BootCfg, BootModuleLine, parse_boot_cfg, render_boot_cfg
from esximage_builder.errors import EsxImageError, LimitExceededError, MalformedDocumentError, ModelError

if TYPE_CHECKING:
    from pathlib import Path

STOCK = b"""bootstate=0
title=Loading ESXi installer
timeout=5
prefix=
kernel=/b.b00
kernelopt=runweasel cdromBoot
modules=/jumpstrt.gz --- /useropts.gz --- /k.b00 --- /imgdb.tgz --- /imgpayld.tgz
build=8.0.3-0.0.24022510
updated=0
"""
MODULES = ("/jumpstrt.gz", "/useropts.gz", "/k.b00", "/imgdb.tgz", "/imgpayld.tgz")
MODEL = BootCfg(
    kernel="/b.b00",
    kernelopt="runweasel cdromBoot",
    modules=[BootModuleLine(name) for name in MODULES],
    build="8.0.3-0.0.24022510",
)


def parsed(data: bytes) -> BootCfg:
    return parse_boot_cfg(data, where="BOOT.CFG")


def test_the_stock_file_is_read_and_written_byte_for_byte() -> None:
    assert parsed(STOCK) == MODEL
    assert render_boot_cfg(MODEL) == STOCK


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(STOCK.replace(b"\n", b"\r\n"), id="windows-line-ends"),
        pytest.param(STOCK.rstrip(b"\n"), id="no-final-line-end"),
        pytest.param(b"\n# made by hand\n" + STOCK.replace(b"\n", b"\n\n"), id="comments-and-blank-lines"),
        pytest.param(STOCK.replace(b"=", b" \t=  "), id="blanks-around-the-sign"),
        pytest.param(STOCK.replace(b"runweasel ", b"runweasel \t  "), id="runs-of-blanks"),
        pytest.param(STOCK.replace(b"kernelopt", b"KernelOpt"), id="key-case"),
        pytest.param(b"\n".join(sorted(STOCK.splitlines())), id="key-order"),
        pytest.param(STOCK.replace(b"prefix=\n", b""), id="no-prefix"),
        pytest.param(STOCK + b"updated=0\n", id="key-twice"),
        pytest.param(STOCK.replace(b"modules=", b"modules=--- ") + b" ", id="separator-first"),
    ],
)
def test_how_a_file_is_spelt_does_not_matter(data: bytes) -> None:
    assert parsed(data) == MODEL


@pytest.mark.parametrize("letter", [b"\x1c", b"\x1e", "\x85".encode(), "\u2028".encode(), "\xa0".encode()])
def test_only_what_the_loader_takes_for_a_blank_or_a_line_end_is_one(letter: bytes) -> None:
    """Python splits lines and words at more letters than C does."""
    found = parsed(STOCK.replace(b"runweasel ", b"runweasel" + letter).replace(b"/k.b00", b"/k" + letter + b".b00"))

    assert found.kernelopt == f"runweasel{letter.decode()}cdromBoot"
    assert found.modules[2] == BootModuleLine(f"/k{letter.decode()}.b00")


def test_modules_may_have_options() -> None:
    data = STOCK.replace(b"/k.b00", b"/k.b00 -v  --x").replace(b"/imgdb.tgz", b"../blob/imgdb.tgz")
    modules = parsed(data).modules
    assert modules[2] == BootModuleLine("/k.b00", "-v --x")
    assert modules[3].file_name == "../blob/imgdb.tgz"
    assert [str(module) for module in modules][2] == "/k.b00 -v --x"


def test_a_missing_bootstate_is_not_a_valid_one() -> None:
    without = parsed(STOCK.replace(b"bootstate=0\n", b""))
    assert without.bootstate is None
    assert b"bootstate" not in render_boot_cfg(without)
    assert parsed(STOCK.replace(b"bootstate=0", b"bootstate=")).bootstate == 0


def test_missing_keys_have_the_boot_loader_s_defaults() -> None:
    assert parsed(b"") == BootCfg(bootstate=None, title="")
    assert parsed(b"modules=\nkernelopt=\n").modules == ()


def test_unknown_keys_survive() -> None:
    data = STOCK + b"norts=1\nkernelopts=x y\nERRTIMEOUT=-1\n"
    boot_cfg = parsed(data)
    assert boot_cfg.extra == (("norts", "1"), ("kernelopts", "x y"), ("errtimeout", "-1"))
    assert parsed(render_boot_cfg(boot_cfg)) == boot_cfg


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b"kernel", id="no-sign"),
        pytest.param(b"=x", id="no-key"),
        pytest.param(b"a b=x", id="blank-in-key"),
        pytest.param(b"  b.b00 --- c.b00", id="rest-of-a-broken-line"),
        pytest.param(b"\x1f\x8b\x08\x00", id="gzip"),
        pytest.param(b"{{range .Env}}kernel=b", id="template"),
    ],
)
@pytest.mark.parametrize("data", [b"", STOCK], ids=["alone", "behind-the-stock-file"])
def test_a_line_without_a_key_and_a_sign_is_passed_over(data: bytes, line: bytes) -> None:
    assert parsed(data + line + b"\n") == parsed(data)


@pytest.mark.parametrize("separator", [b"---", b" ---", b"--- ", b"\t---\t", b"------", b" --- --- "])
def test_modules_are_split_with_and_without_blanks(separator: bytes) -> None:
    assert parsed(STOCK.replace(b" --- ", separator)) == MODEL


@pytest.mark.parametrize(("line", "seconds"), [(b"", 5), (b"timeout=\n", 0), (b"timeout = \n", 0), (b"timeout=9\n", 9)])
def test_an_empty_timeout_is_none_at_all(line: bytes, seconds: int) -> None:
    assert parsed(STOCK.replace(b"timeout=5\n", line)).timeout_seconds == seconds


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(b"timeout=soon\n", "timeout is no number", id="timeout"),
        pytest.param(b"bootstate=x\n", "bootstate is no number", id="bootstate"),
        pytest.param(b"updated=" + b"9" * 5000, "updated is no number", id="updated"),
    ],
)
def test_a_number_that_is_none_is_malformed(data: bytes, message: str) -> None:
    with pytest.raises(MalformedDocumentError, match=re.escape(message)) as caught:
        parsed(data)
    assert caught.value.where == "BOOT.CFG"


def test_a_file_is_bounded() -> None:
    with pytest.raises(LimitExceededError):
        parse_boot_cfg(STOCK, where="x", max_bytes=10)


@pytest.mark.parametrize(
    "boot_cfg",
    [
        pytest.param(attrs.evolve(MODEL, title="x\nkernel=/evil.b00"), id="title"),
        pytest.param(attrs.evolve(MODEL, kernelopt="x\r\nmodules="), id="kernelopt"),
        pytest.param(attrs.evolve(MODEL, modules=[BootModuleLine("a.b00", "x\ny=1")]), id="module"),
        pytest.param(attrs.evolve(MODEL, extra=[("a\nb", "x")]), id="key"),
        pytest.param(attrs.evolve(MODEL, modules=[BootModuleLine("a.b00"), BootModuleLine("\x1d")]), id="last"),
        pytest.param(attrs.evolve(MODEL, build="1\n"), id="at-the-end"),
    ],
)
def test_a_line_break_cannot_smuggle_in_a_key(boot_cfg: BootCfg) -> None:
    with pytest.raises(ModelError, match="line break"):
        render_boot_cfg(boot_cfg)


@settings(max_examples=150)
@given(strategies.boot_cfgs())
def test_what_is_written_is_read_back(boot_cfg: BootCfg) -> None:
    written = render_boot_cfg(boot_cfg)
    assert parsed(written) == boot_cfg
    assert render_boot_cfg(parsed(written)) == written


@settings(max_examples=150)
@given(st.binary(max_size=80) | strategies.mangled(STOCK))
def test_any_bytes_raise_only_our_errors(data: bytes) -> None:
    with contextlib.suppress(EsxImageError):
        boot_cfg = parsed(data)
        assert parsed(render_boot_cfg(boot_cfg)) == boot_cfg


def test_real_files_are_read(realdata: Path) -> None:
    """Templates (``.tmpl``) hold actions of Go's template language: no boot loader reads them either."""
    files = [path for path in sorted(realdata.glob("boot_cfg/*/*")) if path.suffix != ".tmpl"]
    real = [path for path in files if b"This is a placeholder" not in path.read_bytes()]
    assert len(real) >= 6
    for path in real:
        boot_cfg = parsed(path.read_bytes())
        assert boot_cfg.kernel.lower().endswith("b.b00"), path.name
        assert len(boot_cfg.modules) > 20, path.name
        assert parsed(render_boot_cfg(boot_cfg)) == boot_cfg


def test_real_notes_about_a_file_say_nothing_to_the_boot_loader(realdata: Path) -> None:
    notes = [path for path in realdata.glob("boot_cfg/*/*") if b"This is a placeholder" in path.read_bytes()]
    assert notes
    for path in notes:
        assert parsed(path.read_bytes()).kernel == ""

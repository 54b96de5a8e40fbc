"""``esximage vib``: what is written, what it says as text and as JSON, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.changed_depots import DEPOTS, ROOT
from support.vib_sources import AGENT, AGENT_TOML, DRIVER, DRIVER_TOML, lay_out, standing_in

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from support.command_line import Runner

LOOSE = DEPOTS / "homelab-tweaks-1.0.0-1.vib"
KEYS = ROOT / "fixtures" / "keys"
CASES = pytest.mark.parametrize(("laid", "text"), [(AGENT, AGENT_TOML), (DRIVER, DRIVER_TOML)], ids=["agent", "driver"])


def create(run: Runner, folder: Path, laid: Mapping[str, Any], text: str, *more: object) -> Any:
    (folder / "vib.toml").write_text(text)
    if not (folder / "source").exists():
        lay_out(folder / "source", laid)
    return run(
        "vib", "create", folder / "source", "--description", folder / "vib.toml", "--out", folder / "x.vib", *more
    )


def test_create_says_what_was_made_and_warns_of_paths(run: Runner, tmp_path: Path) -> None:
    outcome = create(run, tmp_path, AGENT, AGENT_TOML)

    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.splitlines()[:5] == [
        "ACM_bootbank_acme-agent_1.2.3-4",
        "  Acceptance level  CommunitySupported",
        "  Released          2024-01-31T00:00:00+00:00",
        "  Signature         none",
        "  Payload acme-age  vgz, 12,328 bytes (0.0 MiB)",
    ]
    assert "[warning] path-above-level" in outcome.out
    assert "what: etc/acme.conf\n" in outcome.out


@CASES
def test_create_as_json(run: Runner, tmp_path: Path, laid: Mapping[str, Any], text: str) -> None:
    answer = create(run, tmp_path, laid, text, "--json").json

    assert answer["path"] == str(tmp_path / "x.vib")
    assert answer["size_bytes"] == (tmp_path / "x.vib").stat().st_size
    assert answer["vib"] == run("vib", "info", tmp_path / "x.vib", "--json").json
    assert [item["code"] for item in answer["findings"]] == (["path-above-level"] if laid is AGENT else [])


@CASES
def test_info_verify_and_extract_of_what_was_made(
    run: Runner, tmp_path: Path, laid: Mapping[str, Any], text: str
) -> None:
    create(run, tmp_path, laid, text)
    info = run("vib", "info", tmp_path / "x.vib")
    verified = run("vib", "verify", tmp_path / "x.vib")
    extracted = run("vib", "extract", tmp_path / "x.vib", "--out", tmp_path / "out", "--stage")

    assert (info.code, verified.code, extracted.code) == (0, 0, 0)
    assert "Payloads (" in info.out
    assert verified.out == run("verify", tmp_path / "x.vib").out
    inner = "acme-age" if laid is AGENT else ""
    assert standing_in(tmp_path / "out/payloads" / inner) == {
        name: (0o644 if name == "README" else mode, content) for name, (mode, content) in laid.items()
    }  # a payload that is no tree has no mode


def test_info_says_everything_that_a_descriptor_does(run: Runner, tmp_path: Path) -> None:
    text = f"""\
{AGENT_TOML}
description = "More of it"
depends = ["esx-version >= 8.0.0"]
conflicts = ["old"]
replaces = ["older"]
provides = ["acme-api = 1.2"]
software-tags = ["driver"]
maintenance-mode = {{ required = true, on-install = false }}
hardware-platforms = [{{ vendor = "ACME", model = "R1" }}]
software-platforms = ["8.0"]
stateless-ready = true
urls = {{ KB1 = "https://example.org" }}
"""
    create(run, tmp_path, AGENT, text)
    shown = " ".join(run("vib", "info", tmp_path / "x.vib").out.split())
    answer = run("vib", "--json", "info", tmp_path / "x.vib").json

    for words in (
        "Description More of it", "Depends on esx-version >= 8.0.0", "Conflicts with old", "Replaces older",
        "Provides acme-api = 1.2", "Tags driver", "Maintenance mode needed, not needed to install",
        "Machines ACME R1", "For embeddedEsx 8.0", "Stateless ready yes", "Overlay no",
        "Address KB1 https://example.org", "Files (4)",
    ):  # fmt: skip
        assert words in shown
    assert answer["maintenance_mode"] == {"required": True, "on_install": False, "on_remove": None}
    assert answer["depends"] == ["esx-version >= 8.0.0"]
    assert answer["payloads"][0]["checksums"][0]["verify_process"] == "gunzip"
    assert answer["files"][0] == "etc/acme.conf"


def test_extract_says_what_was_left_out(run: Runner, tmp_path: Path) -> None:
    create(run, tmp_path, DRIVER, DRIVER_TOML)
    as_text = run("vib", "extract", tmp_path / "x.vib", "--out", tmp_path / "out")
    as_json = run("vib", "extract", tmp_path / "x.vib", "--out", tmp_path / "out", "--force", "--json")

    assert "Left out  README: no tree of files; --stage has them" in as_text.out
    assert as_json.json["left_out"] == ["README"]
    assert as_json.json["entries"][0] == "usr/"


def test_a_signed_vib_says_so(run: Runner, tmp_path: Path) -> None:
    keys = ("--key", KEYS / "TEST-ONLY-key.pem", "--certificate", KEYS / "TEST-ONLY-certificate.pem")
    outcome = create(run, tmp_path, AGENT, f'acceptance-level = "accepted"\n{AGENT_TOML}', *keys)

    assert outcome.code == 0
    assert "Signature         made with your key" in outcome.out
    assert "path-above-level" not in outcome.out
    first = (tmp_path / "x.vib").read_bytes()
    assert create(run, tmp_path, AGENT, f'acceptance-level = "accepted"\n{AGENT_TOML}', *keys, "--force").code == 0
    assert (tmp_path / "x.vib").read_bytes() == first
    assert run("vib", "info", tmp_path / "x.vib", "--json").json["signed"] is True


def test_a_vib_that_is_not_whole_ends_with_1(run: Runner, tmp_path: Path) -> None:
    create(run, tmp_path, AGENT, AGENT_TOML)
    (tmp_path / "x.vib").write_bytes((tmp_path / "x.vib").read_bytes()[:-10])

    assert run("vib", "verify", tmp_path / "x.vib").code == 1
    assert run("vib", "verify", tmp_path / "x.vib", "--json").json["passed"] is False


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["create", "{source}", "--description", "{none}", "--out", "{out}"], "source-unreadable", "cannot be read"),
        (["create", "{none}", "--description", "{toml}", "--out", "{out}"], "source-unreadable", "cannot be read"),
        (["create", "{source}", "--description", "{wrong}", "--out", "{out}"], "invalid-field", "unknown key"),
        (["create", "{source}", "--description", "{toml}", "--out", "{toml}", "--force"], "export-error", "is read"),
        (
            ["create", "{source}", "--description", "{toml}", "--out", "{out}", "--key", "x"],
            "invalid-model",
            "together",
        ),
        (["create", "{source}", "--description", "{toml}"], "invalid-model", "--out"),
        (["info", "{toml}"], "not-a-depot", "no VIB"),
        (["verify", "{toml}"], "not-a-depot", "no VIB"),
        (["extract", "{toml}", "--out", "{out}"], "not-a-depot", "no VIB"),
        (["extract", str(LOOSE), "--out", "{source}"], "export-error", "there already"),
    ],
)
def test_bad_input_exits_with_2_and_says_why(
    run: Runner, tmp_path: Path, arguments: list[str], code: str, message: str
) -> None:
    (tmp_path / "vib.toml").write_text(AGENT_TOML)
    (tmp_path / "wrong.toml").write_text(f'vendro = "x"\n{AGENT_TOML}')
    lay_out(tmp_path / "source", AGENT)
    places = {"none": "none", "toml": "vib.toml", "wrong": "wrong.toml", "source": "source", "out": "x.vib"}
    given = [item.format(**{key: tmp_path / name for key, name in places.items()}) for item in arguments]
    outcome = run("vib", *given, "--json")

    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.error["code"] == code
    assert message in outcome.error["message"]
    assert not (tmp_path / "x.vib").exists()

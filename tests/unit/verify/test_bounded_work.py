"""Verifying does work once: one hasher for an algorithm, one reading of a menu, a thousand findings of a check."""

from __future__ import annotations

import time

from esximage_builder.checksums import hashers_for
from esximage_builder.codes import make_finding
from esximage_builder.documents.isolinux_cfg import parse_isolinux_cfg
from esximage_builder.verify.checklist import Certainty, Checklist
from esximage_builder.verify.disc_menu import check_menu_words, menu_lines


def test_checksums_of_one_algorithm_share_a_hasher() -> None:
    """A descriptor may list thousands of them for one payload."""
    found = hashers_for(["sha-256", "sha-1", "sha-256", "unheard-of", "sha-256"])
    assert list(found) == ["sha-256", "sha-1"]


def test_a_menu_of_one_long_line_is_not_compared_letter_by_letter() -> None:
    """The time for that grows as the square of the length."""
    data = b"LABEL a\n" + b"e" * 900_000
    started = time.process_time()
    assert list(check_menu_words(menu_lines(data), parse_isolinux_cfg(data), "e" * 900_000)) == []
    assert time.process_time() - started < 2


def test_findings_of_a_check_are_bounded_and_the_rest_is_counted() -> None:
    """The count stands by severity and code, so that no error hides behind a thousand warnings."""
    checks = Checklist("a.zip")
    missing = [make_finding("vib-missing", f"{n}", items=(f"{n}",)) for n in range(1_500)]
    wrong = [make_finding("vib-path-wrong", f"{n}", items=(f"{n}",)) for n in range(20)]
    is_passed = checks.ask("vibs", "are they there?", Certainty.CONFIRMED, [*missing, *wrong])
    (check,) = checks.result("vlcm").checks
    assert not is_passed
    assert len(check.findings) == 1_002
    assert [finding.message for finding in check.findings[1_000:]] == [
        "500 more findings of this kind are not listed",
        "20 more findings of this kind are not listed",
    ]

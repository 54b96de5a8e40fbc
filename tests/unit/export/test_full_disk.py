"""Full disks and long names: every output says what it needs, leaves nothing, and takes the longest names there are."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from support.changed_depots import ROOT, clean_environment
from support.full_disk import OUTPUTS, outputs_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

IN_A_NAMESPACE = ("unshare", "--user", "--map-root-user", "--mount")


def require_namespace(mount: Path) -> None:
    """Skip where a small file system of one's own cannot be had."""
    if sys.platform != "linux" or shutil.which("unshare") is None:
        pytest.skip("there are no mount namespaces here")
    tried = subprocess.run(
        [*IN_A_NAMESPACE, "mount", "-t", "tmpfs", "-o", "size=64k", "esximage-test", str(mount)],
        capture_output=True,
        text=True,
        check=False,
    )
    if tried.returncode:
        pytest.skip(f"no file system can be mounted in a namespace: {tried.stderr.strip()}")


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    work, mount = tmp_path_factory.mktemp("work"), tmp_path_factory.mktemp("full")
    require_namespace(mount)
    done = subprocess.run(
        [*IN_A_NAMESPACE, sys.executable, str(ROOT / "tests" / "support" / "full_disk.py"), str(work), str(mount)],
        env=clean_environment(PYTHONPATH=os.pathsep.join([str(ROOT), str(ROOT / "tests")])),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return answer


@pytest.mark.parametrize("output", OUTPUTS)
def test_a_full_disk_is_our_error_with_the_size_that_is_needed(ended: dict[str, dict[str, Any]], output: str) -> None:
    """A real one: the kernel has no block left."""
    found = ended[output]
    assert found["code"] == "export-error", found
    assert found["left"] == []
    assert "No space left on device" in found["message"] or "not enough room" in found["message"]
    needed = found["expected"].removeprefix("room for at least ").removesuffix(" bytes")
    assert int(needed) > 0, found
    assert "0 bytes free" in found["found"]
    assert "room" in found["hint"]


def test_every_output_is_tried(ended: dict[str, dict[str, Any]]) -> None:
    assert set(ended) == set(OUTPUTS)


@pytest.fixture(scope="module")
def writers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Callable[[Path], Any]]:
    return outputs_of(tmp_path_factory.mktemp("work"))


@pytest.mark.parametrize("output", OUTPUTS)
def test_a_name_of_255_bytes_is_written(tmp_path: Path, writers: dict[str, Callable[[Path], Any]], output: str) -> None:
    """What stands beside the target while it is written has a name that the file system takes, too."""
    writers[output](tmp_path / ("n" * 255))
    assert max(len(path.name) for path in tmp_path.iterdir()) == 255

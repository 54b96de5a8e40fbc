"""Merging sources: what every source holds is in the catalog, or somebody says why not."""

from __future__ import annotations

from typing import Any, cast

import pytest

from esximage_builder.depot.merge import merge_sources
from esximage_builder.depot.source import SourceContents


def test_a_release_unit_of_an_unknown_kind_is_never_left_out_silently() -> None:
    contents = SourceContents("depot.zip", units=[cast("Any", "a fifth kind")])

    with pytest.raises(AssertionError, match="a fifth kind"):
        merge_sources([contents])

"""Judging what anybody made: bundles, discs and VIBs, check by check."""

"""Writing images out: bundle, disc, network boot tree, lock file, bill of materials."""

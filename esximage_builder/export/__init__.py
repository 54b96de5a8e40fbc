"""Writing images out: bundle, ISO, network boot tree, lock, bill of materials, report."""

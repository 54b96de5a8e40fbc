"""Writing images out: bundle, ISO, report."""

"""ESXi's documents, one module each: ``parse_x`` and ``render_x`` side by side."""

"""The grammar: one module per container or document, parse and render side by side."""

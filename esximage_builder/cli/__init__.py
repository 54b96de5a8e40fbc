"""The command line ``esximage``: one module a verb, each a thin layer over the library."""

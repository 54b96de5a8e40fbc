"""How Sphinx makes the site of the pages that docs/build_site.py lays out; see docs/decisions/0021-docs-site.md."""

# ruff: noqa: INP001, A001 - Sphinx reads this as a script, and gives the names

from importlib.metadata import version as installed_version

project = "esximage_builder"
author = "the esximage_builder project"
copyright = author
version = release = installed_version("esximage-builder")
language = "en"

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]
root_doc = "index"
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}

# Links are written for readers of the files too, so anchors are made as GitHub makes them.
myst_heading_anchors = 4
myst_enable_extensions = ["attrs_block"]

autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_member_order = "bysource"
autodoc_class_signature = "mixed"
autodoc_preserve_defaults = True
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 100

copybutton_prompt_text = "$ "
copybutton_selector = "div:not(.output) > div.highlight > pre"
copybutton_only_copy_prompt_lines = True
copybutton_line_continuation_character = "\\"
copybutton_remove_prompts = True

html_theme = "furo"
html_title = "esximage_builder"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
# Nothing that changes from build to build.
html_last_updated_fmt = None
pygments_style = "friendly"
pygments_dark_style = "monokai"

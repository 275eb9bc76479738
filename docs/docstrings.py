"""Griffe calls a section of code "Examples"; docstrings here say "Example" where there is one."""

import re
from typing import Any

import griffe


class Examples(griffe.Extension):
    """Lets `Example:` be read as `Examples:`, so that doctests are set as code."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Called for each documented object."""
        if obj.docstring is not None:
            obj.docstring.value = re.sub(r"^( *)Example:$", r"\1Examples:", obj.docstring.value, flags=re.MULTILINE)

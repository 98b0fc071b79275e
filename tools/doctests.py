"""An extension of griffe: docstrings → the same, with their doctests as code; Markdown would take them for quotations."""

import re
from typing import Any

from griffe import Extension

DOCTEST = re.compile(r"^>>> .*\n?(?:^(?!$).*\n?)*", re.MULTILINE)


class Doctests(Extension):  # type: ignore[misc, unused-ignore] # griffe may not be there
    """Frames doctests, as the site shows them."""

    def on_object(self, *, obj: Any, **_: Any) -> None:
        """Frame the doctests of an object."""
        if not obj.is_alias and obj.docstring:
            obj.docstring.value = DOCTEST.sub(framed, obj.docstring.value)


def framed(doctest: re.Match[str]) -> str:
    """Return a doctest as a block of code."""
    return f"```pycon\n{doctest[0].rstrip()}\n```\n"

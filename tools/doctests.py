"""Show doctests as code in the site: an extension of griffe. Markdown alone would show them as quotations."""

import re
from typing import Any

from griffe import Extension

DOCTEST = re.compile(r"^>>> .*\n?(?:^(?!$).*\n?)*", re.MULTILINE)


class Doctests(Extension):  # type: ignore[misc, unused-ignore] # griffe may not be there
    """Puts each doctest of a docstring into a block of code."""

    def on_object(self, *, obj: Any, **_: Any) -> None:
        """Put the doctests of an object into blocks of code."""
        if not obj.is_alias and obj.docstring:
            obj.docstring.value = DOCTEST.sub(format_doctest, obj.docstring.value)


def format_doctest(doctest: re.Match[str]) -> str:
    """Return a doctest as a block of code."""
    return f"```pycon\n{doctest[0].rstrip()}\n```\n"

"""What the tests of the extension ask of a page that was converted, or refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from lxml import html

from vaedocs.site.pages import PageErrors

if TYPE_CHECKING:
    from conftest import Convert


def words(markup: str) -> str:
    """The text a reader sees: MathML and verbatim LaTeX left out."""
    tree = html.fromstring(f"<div>{markup}</div>")
    for hidden in tree.xpath('//*[@class="katex-mathml"]'):
        hidden.drop_tree()
    return " ".join(tree.text_content().replace("\u200b", "").split())


def complaint(convert: Convert, text: str, **options: object) -> str:
    with pytest.raises(PageErrors) as caught:
        convert(text, **options)
    return str(caught.value)

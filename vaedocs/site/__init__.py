"""Checked mathematics on a page: a Python-Markdown extension, and a gate over the built HTML.

Any site that reads Python-Markdown can use it (MkDocs, Zensical)::

    markdown_extensions:
      - vaedocs.site
    extra_css: [assets/vaedocs/vaedocs.css]
    extra_javascript: [assets/vaedocs/vaedocs.js]

The options are described in the page "Use it on your own site".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vaedocs.site.extension import CheckedPages


def makeExtension(**options: Any) -> CheckedPages:  # noqa: N802 (the name Python-Markdown calls)
    """What Python-Markdown calls for ``vaedocs.site`` in ``markdown_extensions``."""
    from vaedocs.site.extension import CheckedPages

    return CheckedPages(**options)

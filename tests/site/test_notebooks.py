"""The formulas of notebook pages."""

from __future__ import annotations

from pathlib import Path

import pytest

from vaedocs.site import notebooks

HERE = Path(__file__).parent


CELL = (
    '<div class="jupyter-wrapper"><!-- Load mathjax --><script src=""></script>'
    "<!-- End of mathjax configuration -->"
    '<script type="module">import("https://cdn.example/mermaid.js")</script>'
    '<div class="jp-RenderedHTMLCommon jp-RenderedMarkdown jp-MarkdownOutput">'
    "<div><p>Inline $a_1 &lt; b$, <code>$x$</code>, $5 and $6.</p></div>"
    "<p>$$\n\\begin{aligned} a &amp;= b \\end{aligned}\n$$</p></div>"
    "<div><pre>print('$y$')</pre><p>$z$</p></div></div>"
)


def test_a_notebooks_formulas_are_typeset(tmp_path: Path) -> None:
    (tmp_path / "lab.html").write_text(CELL, "utf-8")
    (tmp_path / "page.html").write_text("<p>$x$</p>", "utf-8")
    assert notebooks.rewrite_all(tmp_path) == (1, [])
    text = (tmp_path / "lab.html").read_text(encoding="utf-8")
    assert "<script" not in text
    assert text.count("<math") == 2
    assert "<code>$x$</code>, $5 and $6." in text
    assert "<pre>print('$y$')</pre><p>$z$</p>" in text, "only Markdown cells are read"
    assert '<p><div class="vaedocs-equation"' not in text
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == "<p>$x$</p>"
    assert notebooks.rewrite_all(tmp_path) == (1, [])
    assert (tmp_path / "lab.html").read_text(encoding="utf-8") == text


def test_a_notebooks_mistake_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "lab.html").write_text(CELL.replace("a_1", "\\bad"), "utf-8")
    assert notebooks.main([str(tmp_path)]) == 1
    assert "lab.html: KaTeX cannot read $\\bad < b$: Undefined" in capsys.readouterr().err

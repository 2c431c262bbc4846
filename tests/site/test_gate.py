# ruff: noqa: E501 (a table of pairs reads better with each pair on one line)
"""Every rule of the gate is shown to fire, and a sound page to pass."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from vaedocs.site.gate import RULES, inspect, main

HEAD = '<link rel="stylesheet" href="assets/vaedocs/vaedocs.css">'
PANEL = '<details><summary>s</summary><section class="vaedocs-panel">p</section></details>'
DRAWN = '<span class="katex-display"><span class="katex">x</span></span>'
SOUND = (
    f'<div class="vaedocs-equation" id="eq-1" data-verdict="proved">{DRAWN}{PANEL}</div>'
    '<p id="a">A page <a href="#a">here</a>, <a href="b/">there</a>, <a href="b/#far">far</a>, '
    '<a href="https://example.org/x">out</a>; it costs $5, 1/2 // 3, a {set}.</p>'
    "<pre><code>/// $$ {{ code }}</code></pre>"
    '<img src="dot.png" alt="A dot"><svg role="img"><title>T</title></svg>'
)


@pytest.fixture
def built(tmp_path: Path) -> Path:
    site = tmp_path / "site"
    (site / "b").mkdir(parents=True)
    (site / "assets" / "vaedocs").mkdir(parents=True)
    (site / "assets" / "vaedocs" / "vaedocs.css").write_text("a{b:url(data:x)}", encoding="utf-8")
    (site / "dot.png").write_bytes(b"")
    write(site / "b" / "index.html", '<p id="far">Far</p>')
    write(site / "index.html", SOUND)
    return site


def write(file: Path, body: str, head: str = HEAD) -> None:
    if file.parent.name == "b":
        head = head.replace('href="', 'href="../')
    page = f"<!doctype html><html><head>{head}</head><body><main>{body}</main></body></html>"
    file.write_text(page, encoding="utf-8")


def rules(site: Path, **options: bool) -> list[str]:
    return [f"{finding.rule}: {finding.message}" for finding in inspect(site, **options)]


def test_a_sound_site_passes(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert rules(built) == []
    assert main([str(built)]) == 0
    assert capsys.readouterr().out == "2 pages pass.\n"


EQUATION = '<div class="vaedocs-equation" id="e"{}>{}</div>'
FIRES = [
    (EQUATION.format("", DRAWN), "display without a verdict: e was never checked"),
    (DRAWN, 'display without a verdict: typeset outside the extension: "x"'),
    (EQUATION.format(' data-verdict="refuted"', PANEL), "e is refuted and published"),
    (EQUATION.format(' data-verdict="vacuous" data-wrong', PANEL), "e is vacuous and published"),
    (EQUATION.format(' data-verdict="proved" data-wrong', PANEL), "e is shown as wrong but is proved"),
    (EQUATION.format(' data-verdict="sure"', PANEL), 'e has the unknown verdict "sure"'),
    (EQUATION.format(' data-verdict="proved"', ""), "e has no panel to open"),
    ("<p>/// source | a.b</p>", 'leftover syntax: /// in "/// source | a.b"'),
    ("<p>--8&lt;-- \"a.py\"</p>", "leftover syntax: --8<--"),
    ("<p>a $$ x $$</p>", "leftover syntax: $$"),
    (r"<p>a $\alpha$</p>", "leftover syntax: $\\"),
    (r"<p>\label{eq:a}</p>", "leftover syntax: \\label"),
    (r"<p>see \eqref{eq:a}</p>", "leftover syntax: \\eqref"),
    (r"<p>\begin{aligned}</p>", "leftover syntax: \\begin"),
    ("<p>{{ a.b }}</p>", "leftover syntax: {{ }}"),
    ('<p>!!! note "T"</p>', "leftover syntax: !!! or ???"),
    ("<p>Text {: .wide }</p>", "leftover syntax: {: } attributes"),
    ("<p>\x02wzxhzdk:3\x03</p>".replace("\x02", "").replace("\x03", ""), "a placeholder"),
    ('<p>ok <em>and</em> tail $$</p>', "leftover syntax: $$"),
    ("<pre><code> </code></pre>", "empty code box"),
    ('<img src="dot.png">', "missing alt text: img dot.png"),
    ('<img src="dot.png" alt=" ">', "missing alt text: img dot.png"),
    ('<svg role="img"></svg>', "missing alt text: an svg"),
    ('<figure class="vaedocs-figure" data-object="a.b"><svg><title>T</title></svg></figure>',
     "missing alt text: figure a.b"),
    ('<span class="katex-error">x</span>', 'formula: KaTeX could not read "x"'),
    ('<p id="a"></p><p id="a"></p>', "duplicate id: a"),
    ('<a href="c/">x</a>', 'dead link: href="c/" leads to no file'),
    ('<a href="b/#near">x</a>', 'dead link: href="b/#near" leads to no anchor "near"'),
    ('<a href="#near">x</a>', 'dead link: href="#near" leads to no anchor "near"'),
    ('<a href="b.md">x</a>', 'dead link: href="b.md" leads to no file'),
    ('<script src=""></script>', 'dead link: src="" is empty'),
    ('<img src="no.png" alt="N">', 'dead link: src="no.png" leads to no file'),
    ('<style>@font-face{src:url(no.woff2)}</style>', "dead link: url(no.woff2) leads to no file"),
    ('<script src="https://cdn.example/a.js"></script>',
     "request to another host: https://cdn.example/a.js"),
    ('<img src="//cdn.example/a.png" alt="a">', "request to another host: //cdn.example/a.png"),
    ('<img srcset="//cdn.example/a.png 2x" alt="a">', "request to another host: //cdn.example/a.png"),
    ('<iframe src="https://video.example/"></iframe>', "request to another host"),
    ('<p style="background:url(https://i.example/a)">x</p>', "request to another host"),
    ('<style>@import "https://f.example/a.css";</style>', "request to another host"),
    ('<link rel="preconnect" href="https://f.example">', "request to another host"),
    ('<div class="mermaid">a</div>', "request to another host: a mermaid diagram"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "expected"), FIRES)
def test_each_rule_fires(built: Path, body: str, expected: str) -> None:
    write(built / "index.html", body)
    found = rules(built)
    assert any(expected in line for line in found), found


def test_the_page_and_line_are_named(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(built / "b" / "index.html", '\n\n<p id="far">/// sauce</p>')
    assert main([str(built)]) == 1
    assert f"{built / 'b' / 'index.html'}:3: leftover syntax: ///" in capsys.readouterr().out


def test_mathematics_needs_its_style_sheet(built: Path) -> None:
    write(built / "index.html", SOUND, head="")
    assert any("no style sheet for mathematics" in line for line in rules(built))
    write(built / "index.html", SOUND, head="<style>.katex-display{margin:0}</style>")
    assert rules(built) == [], "it may stand in the page itself"


def test_style_sheets_are_read_too(built: Path) -> None:
    (built / "more.css").write_text("a{}\n@font-face{src:url(https://f.example/a)}", "utf-8")
    assert "request to another host: https://f.example/a" in rules(built)


def test_a_site_below_a_path(built: Path) -> None:
    head = HEAD + '<link rel="canonical" href="https://book.example/vae/">'
    write(built / "index.html", '<a href="/vae/b/">x</a><img src="/vae/dot.png" alt="a">', head)
    write(built / "b" / "index.html", "", head="")
    write(built / "404.html", '<a href="https://book.example/vae/c/">x</a><a href="/b/">y</a>')
    assert rules(built) == [
        'dead link: href="/b/" leaves the site, which is at /vae/',
        'dead link: href="https://book.example/vae/c/" leads to no file',
    ]


def test_the_ledger_agrees_with_the_pages(built: Path) -> None:
    def book(identifier: str, verdict: str) -> str:
        displays = [{"page": "index.md", "id": identifier, "verdict": verdict}]
        text = json.dumps({"displays": displays})
        return f'<p id="far">x</p><template id="vaedocs-ledger">{text}</template>'

    write(built / "b" / "index.html", book("eq-1", "proved"))
    assert rules(built) == []
    write(built / "b" / "index.html", book("eq-1", "computed"))
    assert set(rules(built)) == {
        "ledger: eq-1 computed stands in the ledger but on no page",
        "ledger: eq-1 proved is not in the ledger",
    }


def test_unchecked_asks_for_no_verdict_but_for_all_else(built: Path) -> None:
    write(built / "index.html", EQUATION.format("", DRAWN) + "<p>$$</p>")
    assert rules(built, unchecked=True) == ['leftover syntax: $$ in "$$"']


def test_two_builds_are_compared(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = built.parent / "other"
    shutil.copytree(built, other)
    assert main([str(built), "--like", str(other)]) == 0
    write(other / "index.html", SOUND.replace("proved", "computed").replace("eq-1", "eq:a"))
    assert main([str(built), "--like", str(other)]) == 1
    told = capsys.readouterr().out
    assert f"index.html:1: not the same build: eq-1 is proved, and not there in {other}" in told
    assert f"eq:a is not there, and computed in {other}" in told


def test_no_site(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)]) == 1
    assert "build the site first" in capsys.readouterr().err


def test_no_rule_is_without_a_case() -> None:
    named = {"verdicts", "leftovers", "formulas", "code_boxes", "descriptions", "identifiers",
             "links", "foreign_requests", "ledger"}  # fmt: skip
    assert {rule.__name__ for rule in RULES} == named

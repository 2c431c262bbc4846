"""How displays and hypotheses read: a table of pairs, and the words of every refusal."""

# ruff: noqa: E501

from __future__ import annotations

import time

import parser_table
import pytest
from brief_tree import tree

from vaedocs.derivation import syntax as s
from vaedocs.derivation.errors import NotCheckable
from vaedocs.derivation.parser import parse, parse_statements

ALL = [
    pytest.param(latex, expected, id=f"{topic}: {latex}")
    for topic, pairs in parser_table.TOPICS.items()
    for latex, expected in pairs
]


@pytest.mark.parametrize(("latex", "expected"), ALL)
def test_reads(latex: str, expected: str) -> None:
    assert tree(parse(latex)) == expected


@pytest.mark.parametrize(("text", "expected"), parser_table.STATEMENTS)
def test_reads_hypotheses(text: str, expected: str) -> None:
    assert " ;; ".join(tree(chain) for chain in parse_statements(text)) == expected


# Spellings of one thing read as one thing.
SAME = [
    [r"D_{KL}(q\|p)", r"D_\text{KL}(q\,||\,p)", r"D_{\mathrm{KL}}\left(q \parallel p\right)",
     r"D_{\mathbb{KL}}\bigl(q \,\big\|\, p\bigr)", r"D_{KL}(q \mid\mid p)", r"D_{KL}(q∥p)",
     r"\KL{q}{p}", r"D_{\operatorname{KL}} \left( q \middle\| p \right)", r"D_{KL}(q|\!|p)"],
    [r"\mathbb{E}_{q(z|x)}[f]", r"\mathbb E_{q(z \mid x)}\left[f\right]", r"E_{q(z\vert x)}\{f\}",
     r"\operatorname{E}_{q(z|x)}\big[f\big]", r"\operatorname*{\mathbb E}_{q(z|x)} [f]",
     r"\mathop{\mathbb{E}}\limits_{q(z|x)}\Bigl(f\Bigr)", r"\underset{q(z|x)}{\mathbb{E}}[f]",
     r"\langle f \rangle_{q(z|x)}", r"\left<f\right>_{q(z|x)}", r"\E_{q(z|x)}[f]", "𝔼_{q(z|x)}[f]"],
    [r"\int q(z)\,dz", r"\int dz\,q(z)", r"\int{q(z)\,dz}", r"\int q(z)\mathrm{d}z", "∫q(z)dz",
     r"\int q(z) \text{d} z", r"\int_z q(z) \, dz", r"\int_z q(z)", r"\int q(\mathbf z) d\mathbf{z}",
     r"\int\limits_z q(z) \mathbf{dz}"],
    [r"x^\top", r"x^T", r"x^{T}", r"x^{\mathsf T}", r"x^{\mathrm{T}}", r"x^\intercal", r"\mathbf{x}^{\!\top}",
     r"{\bf x}^T", r"\boldsymbol{x}^T", r"\bm x^T", r"\vec{x}^T", "xᵀ"],
    [r"a \leq b", r"a \le b", r"a \leqslant b", "a <= b", "a ≤ b", r"a \overset{}{\leq} b"],
    [r"a := b", r"a \coloneqq b", r"a \triangleq b", r"a \stackrel{\text{def}}{=} b",
     r"a \overset{\Delta}{=} b", r"a \overset{\mathrm{def}}{=} b", "a ≜ b", "a ≔ b"],
    [r"\sigma_j^2", r"\sigma^2_j", r"{\sigma_j}^2", r"\sigma_{j}^{2}", "σ_j²"],
    [r"\frac{1}{2}", r"\frac12", r"\tfrac12", r"\dfrac1{2}", "½"],
    [r"\|x\|^2", r"\lVert x \rVert^2", r"||x||^2", r"\left\|x\right\|^2", r"\Vert x \Vert^2", "‖x‖²"],
    [r"\arg\max_\theta f", r"\argmax_\theta f", r"\operatorname*{arg\,max}_{\theta} f",
     r"\underset{\theta}{\operatorname{argmax}} f", r"\mathop{\mathrm{arg\,max}}_\theta f"],
    [r"p_{\text{data}}", r"p_{data}", r"p_{\mathrm{data}}", r"p_\text{data}", r"p_{\rm data}"],
    [r"\log p(x)", r"\ln p(x)", r"log p(x)", r"\log{p(x)}", r"\log \left( p(x) \right)"],
    [r"x_{<t}", r"x_{\leq t-1}"],
]  # fmt: skip


@pytest.mark.parametrize("spellings", SAME, ids=lambda spellings: spellings[0])
def test_spellings_of_one_thing(spellings: list[str]) -> None:
    def reading(latex: str) -> str:
        text = tree(parse(latex)).replace("[q || p]", "(q || p)")
        return text

    assert {reading(latex) for latex in spellings} == {reading(spellings[0])}


# Spellings that differ by little and mean different things.
DIFFERENT = [
    (r"\log p(x) \cdot q", r"\log (p(x) \cdot q)"),
    (r"\sum_i a_i + b", r"\sum_i (a_i + b)"),
    (r"\mathbb{E}[X]^2", r"\mathbb{E}[X^2]"),
    (r"\mathbb{E}_q \log p - g", r"\mathbb{E}_q [\log p - g]"),
    (r"\varphi", r"\phi"),
    (r"\mathcal{L}", r"L"),
    (r"D_{KL}(q \| p)", r"D_{KL}(p \| q)"),
    (r"D_{KL}(q \| p)", r"D_{KL}(q, p)"),
    (r"x_{\leq t}", r"x_{<t}"),
    (r"-a + b", r"-(a + b)"),
    (r"1/2 (a)", r"1/(2 (a))"),
    (r"\mathbb{R}^{NM}", r"\mathbb{R}^{N \times M}"),
    (r"\|x\|", r"|x|"),
    (r"\theta^*", r"\theta"),
    (r"\hat{x}", r"x"),
]


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_small_differences_count(one: str, other: str) -> None:
    assert tree(parse(one)) != tree(parse(other))


# --------------------------------------------------------------------------------- refusals
QUESTION = "is this factor inside the logarithm?"
LOG_HINT = r"write \log\left( … \right), or put \cdot before the factor if it is outside"
# latex, the piece below which the caret stands, message, part of the hint
REFUSALS = [
    (r"\log p(x)q(z)", "q", QUESTION, LOG_HINT),
    (r"\log p(x \mid z)\,p(z)", "p(z)", QUESTION, LOG_HINT),
    (r"\log \frac{p(x)}{q(x)} q(x)", "q(x)", QUESTION, LOG_HINT),
    (r"\log\pi_k \mathcal{N}(x)", r"\mathcal{N}(x)", QUESTION, LOG_HINT),
    (r"\log x \log y", r"\log y", QUESTION, LOG_HINT),
    (r"\log (a)(b)", "(b)", QUESTION, LOG_HINT),
    (r"\log x / 2", "/ 2", "is this divisor inside the logarithm?", LOG_HINT),
    (r"\nabla_\theta \log p_\theta(x) R", "R", QUESTION, LOG_HINT),
    (r"\nabla_x f(x) g(x)", "g(x)", "does the derivative act on this factor too?", "brackets"),
    (r"\log (x)^2", "^2", "does this script belong to the logarithm or to its argument?", r"\log"),
    (r"\mathbb{E}_q(z-a)^2", "^2", "does this power belong inside the expectation?", r"\left[(…)^2\right]"),
    (r"1/2\sigma^2", r"\sigma^2", "does this factor belong to the denominator?", r"\frac{…}{…}"),
    (r"\prod_i p(x_i) c", "c", "is this factor inside the product?", r"\prod"),
    (r"-\sum_i x_i + y_i", "y_i", "does the sum reach over this term too?", "brackets around all"),
    (r"a = b \qquad (c)", "c", "is this a factor or the name of the equation?", r"\tag{a}"),
    (r"\sum_{\text{all } z} p(z)", r"\text", "words below a sum", "index alone"),
    (r"\det A p(x)", "p(x)", "is this factor inside the determinant?", r"\det\left("),
    (r"2{a+b}", "{a+b}", "braces are not printed, so the reader takes this sum apart", r"\left("),
    (r"{a b}^2", "^2", "a script behind braces that are not printed", "brackets"),
    (r"\int q(z)", r"\int", "the integral has no differential", "write dz at its end"),
    (r"p(x) = \int p(x|z) p(z)", r"\int", "the integral has no differential", "dz"),
    (r"\mathbb{E}_q", "", "the expectation of what?", "brackets"),
    (r"a \pm b", r"\pm", r"\pm is not part of the language", "two statements at once"),
    (r"a \xcancel{b}", r"\xcancel", r"\xcancel is not part of the language", "without it"),
    (r"\foo{x}", r"\foo", r"\foo is not part of the language", r"\text{…}"),
    (r"a \overset{d}{=} b", r"\overset", "equality in distribution is not part", "densities"),
    (r"a^b^c", "^c", "a second superscript", "brackets"),
    (r"a_b_c", "_c", "a second subscript", "braces"),
    (r"2 3", "3", "two numbers side by side", r"\cdot"),
    (r"1e-5", "1e-5", "is 1e-5 a power of ten?", "10^{-5}"),
    (r"a - -b", "-b", "two signs in a row", "brackets"),
    (r"a \cdot +b", "+b", r"+ right behind \cdot", "brackets"),
    (r"a / -b", "-b", "- right behind /", "brackets"),
    (r"\log \prod_{i=1}^n a_i \cdot b", "b", "is this factor inside the logarithm?", "left("),
    (r"c / \prod_{i=1}^n a_i \cdot b", "b", "belong to the denominator?", "brackets"),
    (r"\log {2\pi} x", "x", "is this factor inside the logarithm?", "left("),
    (r"\nabla_x f(x) g(x)", "g", "does the derivative act on this factor too?", "brackets"),
    (r"a_n \cdot \dots \circ a_1", "\\dots", "dots in a quotient or a composition", ""),
    (r"a \cdot --b", "-b", r"- right behind \cdot", "brackets"),
    (r"\left( a \right", r"\right", r"\right of which bracket?", r"\right("),
    (r"(a", "(", "( is never closed", "close it"),
    (r"a)", ")", ") closes nothing", "open it or remove it"),
    (r"\left( a \right\}", r"\right", r"( is closed by \}", "in the order"),
    (r"\frac{(a}{b)}", "(a", "( is not closed inside these braces", "close it first"),
    (r"{a", "{", "this brace is never closed", "add }"),
    (r"a}", "}", "this brace closes nothing", "remove it"),
    (r"\begin{aligned} a", r"\begin", r"\begin{aligned} is never closed", "close it"),
    (r"\begin{tikzcd} a \end{tikzcd}", r"\begin", "the environment tikzcd is not part", "aligned"),
    (r"a = = b", "= b", "= right behind =", "missing between"),
    (r"a =", "", "something is missing before the end of the formula", ""),
    (r"p(x, )", ")", "something is missing before )", "write what stands there"),
    (r"p()", "(", "a call without arguments", "applied to"),
    (r"a = b \text{ or } a = c", r"\text", "two statements with “or” between them", "each"),
    (r"\sum_{1}^{N} x_i", "1", "which index starts here?", "i = 1"),
    (r"\sum^{N} x_i", r"\sum", "which index ends here?", r"\sum_{i=1}^{N}"),
    (r"\left[ x \right]_0^1", r"\left", "limits behind a bracket", "difference"),
    (r"a \geq \dots \geq b", r"\dots", "dots in place of a side of a relation", "in between"),
    (r"x_1 + \dots - x_n", r"\dots", "the signs around these dots differ", ""),
    ("a # b", "#", "the character '#' is not part of the language", "LaTeX"),
    (r"\hat{x + y}", "{", "hat", "name"),
    ("", "", "there is no formula here", "write one"),
    (r"\begin{aligned} a &= b \\ & c d \end{aligned}", "c", "neither a relation nor a sign", "="),
    (r"\exp^{x}", "^", "a power of exp", r"e^{…}"),
    (r"\text{if $x$}", r"\text", r"mathematics inside \text{…}", "close the text"),
]  # fmt: skip


@pytest.mark.parametrize(("latex", "at", "message", "hint"), REFUSALS, ids=lambda v: str(v)[:40])
def test_refuses_with_place_and_hint(latex: str, at: str, message: str, hint: str) -> None:
    with pytest.raises(NotCheckable) as caught:
        parse(latex)
    refusal = caught.value
    assert message in refusal.message
    assert hint in refusal.hint
    assert refusal.source == latex
    if at:
        assert latex[refusal.start :].startswith(at), latex[refusal.start :]


def test_refusal_tells_line_column_and_caret() -> None:
    latex = "\\begin{aligned}\n\\mathcal{L} &= \\mathbb{E}_{q}[\\log p(x \\mid z) p(z)] \\\\\n&= b\\end{aligned}"
    with pytest.raises(NotCheckable) as caught:
        parse(latex)
    refusal = caught.value
    assert (refusal.line, refusal.column) == (2, 48)
    row, caret = refusal.excerpt().split("\n")
    assert row == "\\mathcal{L} &= \\mathbb{E}_{q}[\\log p(x \\mid z) p(z)] \\\\"
    assert caret.index("^") == row.index("p(z)]")


def test_refusal_in_a_hypothesis_points_into_the_whole_text() -> None:
    text = "c > 0\nq(z) = \\log p(x) q(x)"
    with pytest.raises(NotCheckable) as caught:
        parse_statements(text)
    assert (caught.value.line, caught.value.column) == (2, 18)


# ------------------------------------------------------------------------------ rows and spans
def rows(latex: str) -> list[int]:
    return [link.row for chain in parse(latex).chains for link in chain.links]


def test_rows_count_relations_in_reading_order() -> None:
    assert rows(r"z = e\,x, \qquad \hat{x} = d\,z") == [1, 2]
    assert rows(r"\begin{aligned} A &= B \\ &= C \\ &\geq D \end{aligned}") == [1, 2, 3]
    assert rows(r"a = b \leq c \\ d = e") == [1, 2, 3]


def test_index_ranges_and_conditions_are_no_rows() -> None:
    display = parse(
        r"y_i = f(x_i), \quad i = 1, \dots, N \\ a = b \quad \text{for all } a > 0 \\ c = d"
    )
    assert [link.row for chain in display.chains for link in chain.links] == [1, 2, 3]
    assert [len(chain.qualifier) for chain in display.chains] == [1, 1, 0]


def test_a_relation_alone_goes_on_from_the_chain_before() -> None:
    (chain,) = parse("a = b \\\\ \\geq 0").chains
    assert [link.symbol for link in chain.links] == ["=", ">="]
    (alone,) = parse(r"\geq 0").chains
    assert alone.left is None


def test_spans_point_at_what_was_typed() -> None:
    latex = r"\log p(x) = \mathcal{L} + D_{KL}(q\|p)"
    (chain,) = parse(f"$$ {latex} $$").chains
    source = f"$$ {latex} $$"
    (link,) = chain.links
    assert chain.left is not None
    assert source[slice(*chain.left.span)] == r"\log p(x)"
    assert source[slice(*link.span)] == "="
    assert isinstance(link.right, s.Sum)
    assert [source[slice(*term.span)] for _, term in link.right.terms] == [
        r"\mathcal{L}",
        r"D_{KL}(q\|p)",
    ]


def test_hypotheses_have_offsets_into_the_whole_text() -> None:
    text = "c > 0;\n  x discrete\nA \\in \\mathbb{R}^{2} symmetric"
    assert [text[slice(*chain.span)] for chain in parse_statements(text)] == [
        "c > 0",
        "x discrete",
        "A \\in \\mathbb{R}^{2}",
    ]
    assert parse_statements(text)[2].words == "symmetric"


def test_label_and_hints() -> None:
    display = parse(
        "\\label{eq:elbo} \\begin{aligned} a &= b \\\\ % by: Bayes\n &\\stackrel{(b)}{\\geq} c &&"
        " \\text{Jensen's inequality} \\end{aligned}"
    )
    assert display.label == "eq:elbo"
    assert [link.hint for link in display.chains[0].links] == [
        "Bayes",
        "(b) Jensen's inequality",
    ]


def test_words_behind_a_statement_are_kept() -> None:
    (chain,) = parse(r"\mathrm{KL}(q \| p) \geq 0 \text{ with equality iff } q = p").chains
    assert not chain.qualifier
    assert "with equality iff" in chain.words
    assert "q = p" in chain.words


def test_speed_of_a_six_row_derivation() -> None:
    best = min(timed(SIX_ROWS) for _ in range(20))
    assert best < 0.003 * 3  # 1 ms where it was written; the bound leaves room for a slow machine


SIX_ROWS = r"""\begin{aligned}
\log p_\theta(x) &= \mathbb{E}_{q_\phi(z|x)}\left[\log p_\theta(x)\right] \\
&= \mathbb{E}_{q_\phi(z|x)}\left[\log \frac{p_\theta(x,z)}{p_\theta(z|x)}\right] \\
&= \mathbb{E}_{q_\phi(z|x)}\left[\log \left(\frac{p_\theta(x,z)}{q_\phi(z|x)}\frac{q_\phi(z|x)}{p_\theta(z|x)}\right)\right] \\
&= \mathbb{E}_{q_\phi(z|x)}\left[\log \frac{p_\theta(x,z)}{q_\phi(z|x)}\right]
 + \mathbb{E}_{q_\phi(z|x)}\left[\log \frac{q_\phi(z|x)}{p_\theta(z|x)}\right] \\
&= \mathcal{L}_{\theta,\phi}(x) + D_{KL}\left(q_\phi(z|x)\,\|\,p_\theta(z|x)\right) \\
&\geq \mathcal{L}_{\theta,\phi}(x)
\end{aligned}"""


def timed(latex: str) -> float:
    started = time.process_time()
    parse(latex)
    return time.process_time() - started

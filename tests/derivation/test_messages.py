"""The words of refusals: what is wrong, at which line and column, and what to write instead."""

import pytest

from vaedocs.derivation import check
from vaedocs.derivation.report import DEFINITION, FAILURES, NOT_CHECKABLE, REFUTED

# text, line, column, a part of the message, a part of the hint
REFUSED = [
    (r"\text{where } w = 2 a", 1, 1, "“where” cannot begin", "outside the display"),
    (r"\lim_{n\to\infty} \frac{1}{n} = 0", 1, 1, "limits are not", "at every value"),
    (r"\prod_{k=0}^\infty r^k = 2", 1, 1, "products without end", "up to n"),
    (r"x \cup y = 2", 1, 1, "operations on sets", r"P(A \cup B)"),
    ("1000! = 3", 1, 1, "this number is too large", ""),
    (r"\frac{1} = 1", 1, 10, "= cannot stand here", "an argument is missing"),
    (r"\mathbb{E}[3] = 3", 1, 1, "an expectation must name its density", r"\mathbb{E}_{q"),
    (r"\mathbb{E}_{5}[z] = 3", 1, 13, "a random variable is needed here", "name one"),
    (r"p(x + 1) = p(x, z)", 1, 3, "inside p(…) stand random variables", "p(x = "),
    (r"\log p(x) \geq \mathcal{L}", 1, 16, r"\mathcal{L} is not defined", r"given: \mathcal{L} :="),
    ("h(X^2) = h(X)", 1, 1, "not known to be one to one", "X > 0"),
    (r"\mathcal{N}(0, 1) = 3", 1, 1, "a distribution is no number", "for its density at z"),
    (r"\mathcal{N}(x; 0) = 3", 1, 1, "takes 2 parameters, found 1", r"\mathcal{N}(\mu, \sigma^2)"),
    ("p(x) + q(x)", 1, 1, "this display claims nothing", "write an equation"),
    (r"\nabla \log p(x) = 0", 1, 1, "a gradient must say in which variable", r"\nabla_\phi"),
    (r"D_{KL}(q(z|x)) = 0", 1, 1, "KL needs two densities", r"\,\|\,"),
    (r"G(p \| q) \geq 0", 1, 1, "which divergence G is, nobody said", "define it above"),
    (r"\arg\min_{3} x = 2", 1, 11, "an optimum is taken over a name", "variable below it"),
    (r"\max x = 2", 1, 1, "max must say over what", r"\max_\phi"),
    (r"x_1 + \dots + x = 2", 1, 1, "it is not clear how this list goes on", r"\sum_{i=1}^{n}"),
    (r"A \otimes B = C", 1, 1, r"\otimes is not in the language", r"\odot"),
    (r"\int p(x) = 1", 1, 1, "the integral has no differential", "dz"),
    (r"f(x) \to 3", 1, 6, "is no relation that can be decided", "an inequality"),
    (r"\log p(x \mid z) p(z) = 0", 1, 18, "inside the logarithm?", r"\log\left("),
    (r"\frac{d y}{d x} = 3", 1, 1, "nothing says how y depends on x", "write y(x)"),
    (r"\sin^{-1}(x) = 2", 1, 1, "is this the inverse function of sin", r"\arcsin"),
    (
        r"1 + \sum_{x \in \mathcal{D}} f(x) = \sum_{x \in \mathcal{B}} f(x)",
        1,
        17,
        "what \\mathcal{B} and \\mathcal{D} share",
        "number the data",
    ),
    (r"D_{KL}(q(z)\|p(z|x)) = \mathbb{E}[\log q(z)]", 1, 24, "over p or q?", r"\mathbb{E}_{q(z)}"),
    (
        r"\log p(x) \geq \mathbb{E}[\log p(x, z) - \log q(z|x)]",
        *(1, 16, "over p or q?", r"\mathbb{E}_{q(z \mid x)}[\dots] or \mathbb{E}_{p(x, z)}"),
    ),
    (r"p(x, y) = \frac{1}{4} e^{-|x| - |y|}", 1, 11, "a joint density", "of each variable"),
    (r"p(x) = \frac{1}{\pi (1 + x^2)}", 1, 8, "could not be found out", "name a family"),
    (r"1 + (AB)_{ij} = 0", 1, 5, "no shape of A, B is known", r"say A \in \mathbb{R}^{N \times M}"),
    (r"1 + \delta(x - 3) = 0", 1, 5, "Dirac's delta", r"\int \delta(x - a)"),
    (r"\arg\max_k a_k = 3", 1, 1, "up to what does k run", r"k = 1, \dots, K"),
    (r"h(X + Y) = 1", 1, 1, "in 2 variables", "name the new variable"),
    (r"1 + f(X \geq a) = 3", 1, 7, "a relation stands where a value is needed", "an integral"),
    (r"\prod_x p(x) = 1", 1, 1, "a product over all values", r"\prod_{i=1}^{N}"),
    (
        "\\begin{aligned}\na &= a \\\\\n  &= \\mathbb{E}[3]\n\\end{aligned}",
        *(3, 6, "an expectation must name its density", r"\mathbb{E}_{q"),
    ),
    (r"D_{KL}(p\|q) = 0 \iff p = q", 1, 14, "neither side of this equivalence", "beyond"),
]

# text, given, column in what is given, a part of the message, a part of the hint
MISUNDERSTOOD = [
    ("p(z) = 1", "z is nice", 1, "“is nice” are not understood", "the language knows"),
    ("p(z) = 1", "z", 1, "says nothing of what it names", "write a relation"),
    ("p(z) = 1", r"z \in \mathcal{Q}(3)", 7, "this set is not in the language", r"\mathbb{R}^{N}"),
    ("p(z) = 1", r"p(y = 1) = a", 1, "probability of the other values", r"y \in \{0, 1\}"),
    ("p(z) = 1", r"c > 0; z is nice", 8, "“is nice” are not understood", "the language knows"),
    ("p(x) = 1", "g(x|z) is a conditional density of z", 1, "do not fit", "of x given z"),
    ("p(x) = 1", "p(x) is not a density of x", 1, "“is not a density of x” are not", "knows"),
    ("p(x) = 1", "p(x) is a uniform density", 1, "over how many values p(x)", "over K values"),
    ("p(x) = 1", "each a_i is not positive", 6, "“is not positive” are not", "knows"),
    ("p(x) = 1", "x takes K odd values", 1, "“takes K odd values” are not", "knows"),
    ("p(x) = 1", "m is the mean of p(x) without outliers", 1, "are not understood", "knows"),
    (
        "L = 1",
        r"L := \mathbb{E}_{p(z)}[f(x, z)]; L does not depend on x",
        34,
        "does depend on x",
        "",
    ),
    ("f(x) = 1", "f does not depend on x", 1, "f does depend on x", ""),
    (
        *(
            "p(z) = 1",
            r"L := \mathbb{E}_{q(z)}[\log p_\theta(x|z)]; L does not depend on \theta",
            45,
        ),
        *("not understood", ""),
    ),
    (
        *("p(x) = 1", r"A \in \mathbb{R}^{d \times d}; \|A\|_F^2 := 2 \mathrm{tr}(A^T A)", None),
        *("has a meaning of its own, and cannot be defined anew: it is", "another name"),
    ),
    (
        *("p(x) = 1", r"\mathbb{E}_q is the expectation over q(z|x) but not over x", 1),
        *("is not understood", "write it in LaTeX"),
    ),
    ("p(x) = 1", r"\propto as functions of z alone", 1, "not understood", ""),
    ("p(x) = 1", "x_{ij} is the i-th entry of x_i", 1, "is not read as an entry", "which length"),
    (
        *("H(X) = 0", r"X \in \{0, 2, \dots, K\}", 7),
        *("not clear how this set goes on", r"\{1, \dots, K\}"),
    ),
    (
        *("A^{1/2} = A", r"A \in \mathbb{R}^{N \times N}", None),
        *("this power of a matrix", "inverses and products"),
    ),
]

# text, given, a part of the message of something that cannot be right
MISFITS = [
    ("x + y = 0", r"x \in \mathbb{R}^N; y \in \mathbb{R}^M", "in R^M and cannot be added"),
    ("x x = 0", r"x \in \mathbb{R}^N", r"write \odot for the elementwise product"),
    (r"\det A = 1", r"A \in \mathbb{R}^{N \times M}", "det needs a square matrix, this is N×M"),
    (r"A x = A", r"x \in \mathbb{R}^N; A \in \mathbb{R}^{N \times N}", "the left side is in R^N"),
    (r"D_{KL}(q(z|x) \| p(x)) \geq 0", "", "compares two densities of the same variable"),
]


def the_failure(text, given=""):
    rows = [row for row in check(text, given).rows if row.verdict in FAILURES]
    assert rows, "nothing was refused"
    return rows[0]


@pytest.mark.parametrize(("text", "line", "column", "message", "hint"), REFUSED)
def test_a_refusal_says_what_where_and_what_to_write(text, line, column, message, hint):
    row = the_failure(text)
    assert row.verdict == NOT_CHECKABLE
    assert message in row.message
    assert hint in row.hint
    assert (row.line, row.column) == (line, column)


@pytest.mark.parametrize(("text", "given", "column", "message", "hint"), MISUNDERSTOOD)
def test_a_hypothesis_that_is_not_understood_is_an_error(text, given, column, message, hint):
    row = the_failure(text, given)
    assert row.verdict == NOT_CHECKABLE
    assert message in row.message
    assert hint in row.hint
    if column is not None:
        assert row.message.startswith("in what is given")
        assert row.excerpt.split("\n")[-1].index("^") + 1 == column


@pytest.mark.parametrize(("text", "given", "message"), MISFITS)
def test_shapes_and_spaces_that_do_not_fit_are_refuted_without_numbers(text, given, message):
    row = the_failure(text, given)
    assert row.verdict == REFUTED
    assert message in row.message


@pytest.mark.parametrize(
    ("last", "verdicts"),
    [
        ("z^\\top W z", {1: "proved", 2: REFUTED}),
        ("z^\\top W^\\top W z", {1: "proved", 2: "proved"}),
    ],
)
def test_a_row_that_goes_on_in_the_next_line_keeps_its_number(last, verdicts):
    given = r"W \in \mathbb{R}^{N \times M}; z \in \mathbb{R}^M; x \in \mathbb{R}^N"
    text = rf"\|x - W z\|^2 &= (x - W z)^\top (x - W z) \\ &= x^\top x - 2 x^\top W z \\ & + {last}"
    assert {row.number: row.verdict for row in check(text, given).rows} == verdicts


@pytest.mark.parametrize("text", [case[0] for case in REFUSED])
def test_the_caret_stands_below_what_is_refused(text):
    row = the_failure(text)
    if row.excerpt:
        line, caret = row.excerpt.split("\n")
        assert caret.strip("^ ") == ""
        assert caret.index("^") < len(line)


@pytest.mark.parametrize(
    ("last", "around"),
    [
        (r"&= (b + a)^2", "row 1 and row 3 agree with each other"),
        (r"&\geq 4 a b", "row 1 ≥ row 3 holds without it"),
    ],
)
def test_a_wrong_row_between_right_ones_is_named_alone(last: str, around: str) -> None:
    rows = rf"(a + b)^2 &= a^2 + 2 a b + b^2 \\ &= a^2 - 2 a b + b^2 + 1 \\ {last}"
    (row,) = check(rf"\begin{{aligned}} {rows} \end{{aligned}}").wrong
    assert (row.number, row.message) == (2, around)


@pytest.mark.parametrize(
    ("text", "method"),
    [
        (r"\mathrm{foo}(x) = 2", r"introduces \mathrm{foo}(x); nothing is claimed"),
        (r"\mathcal{L} := \mathbb{E}_{q(z)}[z]", r"introduces \mathcal{L}; nothing is claimed"),
        (r"q(z) := \int q(z \mid x) p(x) dx", "introduces q(z); nothing is claimed"),
    ],
)
def test_a_definition_says_what_it_introduces_and_that_it_claims_nothing(
    text: str, method: str
) -> None:
    (row,) = check(text).rows
    assert (row.verdict, row.method) == (DEFINITION, method)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("a + 3 = a + 5", "is the number $5$ right? it would have to be 3"),
        ("a + 3 = a - 3", "did you flip the sign of $3$?"),
        ("a = a + 7", "is $7$ one term too many?"),
        ("2 a = 3 a", "is the coefficient of $a$ right? it would have to be 2"),
    ],
)
def test_a_hint_names_the_number_and_not_one(text: str, hint: str) -> None:
    (row,) = check(text).rows
    assert row.hint == hint


def test_what_an_unknown_energy_leaves_open_is_said() -> None:
    given = r"p(x) = \frac{e^{-E(x)^2}}{\int e^{-E(x)^2} dx}"
    (row,) = check(r"\mathbb{E}_{p(x)}[x \nabla_x E(x)] = 1", given).rows
    assert "unknown exponent" in row.message


@pytest.mark.parametrize(("right", "passes"), [("1", True), ("0", False)])
def test_an_energy_is_taken_to_grow_so_that_its_integrals_exist(right: str, passes: bool) -> None:
    given = r"p(x) = \frac{e^{-E(x)}}{\int e^{-E(x)} dx}"
    (row,) = check(rf"\mathbb{{E}}_{{p(x)}}[x \nabla_x E(x)] = {right}", given).rows
    assert (row.ok, row.verdict == REFUTED) == (passes, not passes), str(row)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (r"\underbrace{\log p(x)}_{\leq 0} + \underbrace{z}_{= z} = z + \log p(x)", r"$\log p(x)$"),
        (r"\underbrace{z^{2}}_{\geq 0} + \overbrace{x^{2}}^{\leq 0} = x^2 + z^2", "$x^{2}$"),
    ],
)
def test_a_brace_that_fails_is_named_by_what_it_holds(text: str, place: str) -> None:
    (row,) = check(text).rows
    assert row.verdict == "refuted"
    assert row.message.startswith(f"the claim in the brace at {place} (")


def test_what_no_instance_decides_is_neither_vacuous_nor_wrong() -> None:
    (row,) = check(r"\min_v \|v\|^2 = 2", r"v \in \mathbb{R}^{11}").rows
    assert row.verdict == NOT_CHECKABLE
    assert row.lines()[0] == "row 1 could not be decided: an optimum over 11 numbers"

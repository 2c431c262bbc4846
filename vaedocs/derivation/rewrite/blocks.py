r"""A Gaussian of two parts in blocks, as a law of one part and a linear law of the other.

``p(x, y) = \mathcal{N}((a; b), (A, B; C, D))`` says that x has the law 𝒩(a, A), and y given x the
law 𝒩(b + C A⁻¹(x - a), S) with a covariance S of its own, so that D = S + C A⁻¹ B. What is claimed
of x given y then follows by Bayes' rule, and is not looked up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from vaedocs.derivation import survey as look
from vaedocs.derivation import syntax as s
from vaedocs.derivation.spelling import spell, walk

ALIKE = frozenset(["~", "=", ":="])
Said = Callable[[s.Node, str, s.Node, str], s.Chain]


def in_parts(display: s.Display, statements: list[s.Chain]) -> tuple[s.Display, list[s.Chain]]:
    """With every Gaussian in blocks of the hypotheses taken apart."""
    statements = [one for chain in statements for one in _with_law(chain, statements)]
    stacks: dict[str, s.Matrix] = {}  # x of "x = (x_1; x_2)", which the densities speak of
    for chain in statements:
        if isinstance(chain.left, s.Name) and chain.only:
            made = _matrix(chain.only.right)
            if made is not None and chain.only.symbol in ALIKE - {"~"}:
                stacks[spell(chain.left)] = made
    inverses = {spell(c.left): (of, c) for c in statements if (of := _inverted(c)) is not None}
    for chain in statements:  # L := S^{-1} = (P, Q; R, T)
        made = _matrix(chain.links[1].right) if len(chain.links) == 2 else None
        if made is not None and spell(chain.left) in inverses:
            stacks[spell(chain.left)] = made
    out: list[s.Chain] = []
    taken: set[str] = set()
    for chain in statements:
        parts = _parts(chain, stacks)
        if parts is None:
            out.append(chain)
            continue
        out += _laws(chain, *parts, statements)
        taken |= {spell(node) for node in _family(chain).groups[-1]} & set(stacks)
        taken |= {spell(n) for n in _values(chain) if len(_values(chain)) == 1}
    inverses = {n: pair for n, pair in inverses.items() if n in stacks and pair[0] in taken}
    gone = taken & {*stacks} | inverses.keys()
    out = [c for c in out if not (isinstance(c.left, s.Name) and spell(c.left) in gone)]
    for name, (of, _) in inverses.items():
        out += _inverse(stacks[of], stacks[name])
    used = {spell(n) for n in walk(display)} | {of for of, _ in inverses.values()}
    for chain in statements:  # of which more is said than the law
        name, made = spell(chain.left), _matrix(chain.links[0].right) if chain.links else None
        if made is not None and len(made.rows[0]) == 2 and name in taken & used:
            out.append(
                s.Chain(chain.left, (replace(chain.links[0], symbol=":="),), span=chain.span)
            )
    out += [replace(chain, links=chain.links[:1]) for _, chain in inverses.values()]
    return display, out


def _with_law(chain: s.Chain, statements: list[s.Chain]) -> list[s.Chain]:
    """With a Gaussian of the covariance S, and ``L := S^{-1} = (P, Q; R, T)``, where only
    ``(P, Q; R, T) := (A, B; C, D)^{-1}`` is said and S is the positive definite (A, B; C, D)."""
    parts = _matrix(chain.left) if chain.left is not None else None
    right = s.bare(chain.links[0].right) if len(chain.links) == 1 else None
    if parts is None or not isinstance(right, s.Power) or spell(right.exponent) != "-1":
        return [chain]
    whole, at = _matrix(right.base), chain.span
    names = [c.left for c in statements if c.only and "positive definite" in c.words]
    named = [c for c in statements if c.left in names and c.only and isinstance(c.left, s.Name)]
    name = next((c.left for c in named if _matrix(c.only.right) == whole), None)  # type: ignore[union-attr]
    if whole is None or name is None or [*map(len, (*whole.rows, *parts.rows))] != [2] * 4:
        return [chain]
    u, v, q, own = (s.Name(n, accents=("breve",), span=at) for n in ("u", "v", "q", "L"))
    family = s.Call(s.Name("N", style="cal", span=at), ((s.Number("0", span=at), name),), span=at)
    law = s.Chain(s.Call(q, ((u, v),), span=at), (s.Link("=", family, span=at),), span=at)
    links = (s.Link(":=", replace(right, base=name), span=at), s.Link("=", parts, span=at))
    return [law, s.Chain(own, links, span=at)]


def _inverted(chain: s.Chain) -> str | None:
    """The S of ``L := S^{-1}``."""
    right = s.bare(chain.links[0].right) if chain.links else None
    if not isinstance(right, s.Power) or not isinstance(chain.left, s.Name):
        return None
    return spell(right.base) if spell(right.exponent) == "-1" else None


def _said(left: s.Node, right: s.Node) -> s.Chain:
    return s.Chain(left, (s.Link(":=", right, span=right.span),), span=left.span)


def _inverse(whole: s.Matrix, parts: s.Matrix) -> list[s.Chain]:
    """What the blocks of the inverse of a matrix in blocks are."""
    ((a, b), (c, d)), ((p, q), (r, t)) = whole.rows, parts.rows
    at = whole.span

    def inverse(node: s.Node) -> s.Node:
        return s.Power(node, s.Sum(((-1, s.Number("1", span=at)),), span=at), span=at)

    def product(*factors: s.Node) -> s.Node:
        return s.Product(factors, ("",) * (len(factors) - 1), span=at)

    def own(one: s.Node, *other: s.Node) -> s.Node:
        r"""The inverse of what is left of a block, ``A^{-1} (I - B D^{-1} C A^{-1})^{-1}``: what
        people write is then derived, and is not what was said here."""
        unit = s.Name("I", span=at)
        terms = ((1, unit), (-1, product(*other, inverse(one))))
        return product(inverse(one), inverse(s.Group(s.Sum(terms, span=at), span=at)))

    def minus(*factors: s.Node) -> s.Node:
        return s.Sum(((-1, product(*factors)),), span=at)

    return [
        _said(p, own(a, b, inverse(d), c)),
        _said(t, own(d, c, inverse(a), b)),
        _said(q, minus(inverse(a), b, t)),
        _said(r, minus(inverse(d), c, p)),
    ]


def _family(chain: s.Chain) -> s.Call:
    right = chain.links[0].right
    assert isinstance(right, s.Call)
    return right


def _values(chain: s.Chain) -> list[s.Node]:
    left = chain.left
    if isinstance(left, s.Call):
        return look.arguments(left)[0]
    return [left] if left is not None else []


def _matrix(node: s.Node) -> s.Matrix | None:
    node = s.bare(node)
    return node if isinstance(node, s.Matrix) and not node.determinant else None


def _parts(
    chain: s.Chain, stacks: dict[str, s.Matrix]
) -> tuple[list[s.Name], list[s.Node], list[list[s.Node]]] | None:
    """The two variables, their means and the blocks of their covariance; None if it is no such
    statement."""
    if len(chain.links) != 1 or chain.links[0].symbol not in ALIKE or chain.left is None:
        return None
    right, left = chain.links[0].right, chain.left
    if not isinstance(right, s.Call) or look.family(right.head) != "normal":
        return None
    if isinstance(left, s.Call) and (look.arguments(left)[1] or not look.is_density_call(left)):
        return None
    mean, spread = (_matrix(n) or stacks.get(spell(n)) for n in right.groups[-1][:2])
    values = _values(chain)
    if len(values) == 1:
        stack = _matrix(values[0]) or stacks.get(spell(values[0]))
        values = [row[0] for row in stack.rows] if stack else values
    names = [value for value in values if isinstance(value, s.Name)]
    if spread is None or len(names) != 2 or len(values) != 2:
        return None
    if [len(row) for row in spread.rows] != [2, 2]:
        return None
    zero = s.Number("0", span=right.span)
    means: list[s.Node] = [row[0] for row in mean.rows] if mean else [zero, zero]
    if len(means) != 2 or (mean is None and spell(right.groups[-1][0]) != "0"):
        return None
    return names, means, [list(row) for row in spread.rows]


def _laws(
    chain: s.Chain,
    names: list[s.Name],
    means: list[s.Node],
    blocks: list[list[s.Node]],
    statements: list[s.Chain],
) -> list[s.Chain]:
    link, span = chain.links[0], chain.span
    (x, y), (a, b), ((first, upper), (lower, last)) = names, means, blocks
    head = chain.left.head if isinstance(chain.left, s.Call) else s.Name("p", span=span)
    family = _family(chain)

    def said(left: s.Node, symbol: str, right: s.Node, words: str = "") -> s.Chain:
        made = replace(link, symbol=symbol, right=right)
        return s.Chain(left, (made,), words=words, span=span)

    def product(*factors: s.Node) -> s.Node:
        return s.Product(factors, ("",) * (len(factors) - 1), span=span)

    def total(*terms: tuple[int, s.Node]) -> s.Node:
        kept = tuple(t for t in terms if not (isinstance(t[1], s.Number) and t[1].text == "0"))
        return s.Group(s.Sum(kept, span=span), span=span)

    out: list[s.Chain] = []
    if isinstance(lower, s.Name) and isinstance(upper, s.Name) and spell(lower) != spell(upper):
        out.append(said(lower, ":=", s.Transpose(upper, span=span)))
    slope = product(
        lower, s.Power(first, s.Sum(((-1, s.Number("1", span=span)),), span=span), span=span)
    )
    own: s.Node = total((1, last), (-1, product(slope, upper)))
    if isinstance(last, s.Name) and spell(last) != spell(first):
        own = replace(x, base="Sigma", style="", accents=("breve",), subscripts=(y,), indices=())
        out.append(said(last, ":=", total((1, own), (1, product(slope, upper)))))
    out += _shapes(said, names, means, blocks, own, statements)

    def density(value: s.Name, given: tuple[s.Name, ...], *parameters: s.Node) -> s.Chain:
        groups = ((value,), given) if given else ((value,),)
        call = s.Call(head, groups, ("|",) * len(given), span=span)
        return said(call, "=", replace(family, groups=(parameters,), separators=()))

    moved = total((1, b), (1, product(slope, total((1, x), (-1, a)))))
    return [*out, density(x, (), a, first), density(y, (x,), moved, own)]


def _shapes(
    said: Said,
    names: list[s.Name],
    means: list[s.Node],
    blocks: list[list[s.Node]],
    own: s.Node,
    statements: list[s.Chain],
) -> list[s.Chain]:
    """The sizes of the blocks: those declared of the variables, or letters of their own where
    capital blocks say that these are vectors."""
    declared: dict[str, s.Node] = {}
    for chain in statements:
        if len(chain.links) == 1 and chain.links[0].symbol == "in" and chain.left is not None:
            space = chain.links[0].right
            items = s.members(chain.left)
            if isinstance(space, s.Power) and spell(space.base) == r"\mathbb{R}":
                declared |= {spell(item): space.exponent for item in items}
    letters = [n.operand if isinstance(n, s.Transpose) else n for n in (row[0] for row in blocks)]
    capital = all(isinstance(n, s.Name) and n.base[0].isupper() for n in letters)
    if not capital and not declared.keys() & {spell(name) for name in names}:
        return []
    sizes = [declared.get(spell(n), s.Name("d", subscripts=(n,), span=n.span)) for n in names]
    out: list[s.Chain] = []

    def of(node: s.Node, *size: s.Node, words: str = "") -> None:
        if not isinstance(node, s.Name) or spell(node) in declared:
            return
        power = s.Product(size, ("times",) * (len(size) - 1), span=node.span)
        exponent = power if len(size) > 1 else size[0]
        space = s.Power(s.Name("R", style="bb", span=node.span), exponent, span=node.span)
        out.append(said(node, "in", space, words))

    for name, mean, size in zip(names, means, sizes, strict=True):
        of(name, size)
        of(mean, size)
    spd = "symmetric positive definite"
    of(blocks[0][0], sizes[0], sizes[0], words=spd)
    of(blocks[0][1], sizes[0], sizes[1])
    if isinstance(blocks[0][1], s.Transpose):
        of(blocks[1][0], sizes[1], sizes[0])
    of(own, sizes[1], sizes[1], words=spd)
    return out

r"""A flow said in one line: ``x = f_K \circ \dots \circ f_1(z)`` as the steps of a sequence."""

from __future__ import annotations

from collections.abc import Iterator

from vaedocs.derivation import syntax as s
from vaedocs.derivation.letters import is_index_letter
from vaedocs.derivation.rewrite.trees import rewritten
from vaedocs.derivation.spelling import names_in, spell, stem


def in_steps(display: s.Display, statements: list[s.Chain]) -> str:
    r"""The steps of every composition that is given: ``h_k := f_k(h_{k-1})`` and x = h_K."""
    taken = {name.base for tree in (*statements, display) for name in names_in(tree)}
    fresh = next(letter for letter in ("h", "u", "v", "g", "s") if letter not in taken | {"s"})
    return "\n".join(text for chain in statements for text in _said(chain, statements, fresh))


def _said(chain: s.Chain, statements: list[s.Chain], fresh: str) -> Iterator[str]:
    made = _equal(chain)
    if not isinstance(made, s.Function) or made.name != "compose" or made.subscript is None:
        return
    items, start, end = s.members(made.argument), made.subscript, chain.left
    first = items[0].start if isinstance(items[0], s.Range) else items[0]
    last = items[-1].stop if isinstance(items[-1], s.Range) else items[-1]
    calls = [one.head for one in (first, last) if isinstance(one, s.Call)]
    heads = [head for head in calls if isinstance(head, s.Name) and len(head.subscripts) == 1]
    if len(heads) < 2 or spell(heads[1].subscripts[0]) != "1" or not isinstance(end, s.Name):
        return
    size = heads[0].subscripts[0]
    letter = spell(size) if is_index_letter(size) else spell(size).lower()

    def at(name: s.Name, index: str) -> str:
        return f"{stem(name)}_{{{index}}}" if len(index) > 1 else f"{stem(name)}_{index}"

    own = isinstance(start, s.Name) and stem(start) == stem(end) and end.subscripts == (size,)
    if own and isinstance(start, s.Name) and [spell(i) for i in start.subscripts] == ["0"]:
        yield f"{at(end, letter)} := {at(heads[0], letter)}({at(end, f'{letter}-1')})"
        return
    step = next((one.left for one in statements if _step(one, heads[0])), None)
    name = step if isinstance(step, s.Name) else s.Name(fresh, span=chain.span)
    if step is None:
        yield f"{at(name, letter)} := {at(heads[0], letter)}({at(name, f'{letter}-1')})"
    if at(name, "0") not in {spell(one.left) for one in statements if one.left}:
        yield f"{at(name, '0')} := {spell(start)}"
    yield f"{spell(end)} = {at(name, spell(size))}"


def _equal(chain: s.Chain) -> s.Node | None:
    return chain.only.right if chain.only and chain.only.symbol in ("=", ":=") else None


def _step(chain: s.Chain, function: s.Name | None = None) -> s.Name | None:
    """The h_k of ``h_k := f_k(h_{k-1})``, with this f."""
    made, name = _equal(chain), chain.left
    if not isinstance(made, s.Call) or not isinstance(name, s.Name) or len(made.items) != 1:
        return None
    (before,) = made.items
    if not isinstance(before, s.Name) or not isinstance(made.head, s.Name):
        return None
    if function is not None and stem(made.head) != stem(function):
        return None
    counts = [f"{spell(one)}-1" for one in name.subscripts] == [spell(i) for i in before.subscripts]
    return name if len(name.subscripts) == 1 and counts and stem(name) == stem(before) else None


def from_start(display: s.Display, statements: list[s.Chain]) -> tuple[s.Display, list[s.Chain]]:
    """With h_0 for z everywhere, where ``h_0 := z`` begins a sequence of steps; and without what
    was said in one line.
    """
    stems = {stem(name) for chain in statements if (name := _step(chain)) is not None}
    begins: dict[str, s.Name] = {}
    kept = []
    for chain in statements:
        made, left = _equal(chain), chain.left
        begun = isinstance(left, s.Name) and stem(left) in stems and spell(left).endswith("_0")
        if begun and isinstance(left, s.Name) and isinstance(made, s.Name):
            begins[spell(made)] = left
            continue
        if not (isinstance(made, s.Function) and made.name == "compose"):
            kept.append(chain)
    if not begins:
        return display, kept
    return rewritten(
        display, kept, lambda n: begins.get(spell(n)) if isinstance(n, s.Name) else None
    )

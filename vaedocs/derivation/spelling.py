"""One spelling for every name: the LaTeX that both the theory and the reports call it by.

Two names are the same exactly if they are spelt the same. Bold is no part of a name, so a page may
write ``\\mathbf{x}`` here and ``x`` there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace

from vaedocs.derivation import syntax as s

_STYLES = {"cal": r"\mathcal", "bb": r"\mathbb", "frak": r"\mathfrak", "rm": r"\mathrm"}
_STYLES["own"] = _STYLES["cal"]  # a letter that is no family, as its author defines it


def children(node: s.Node) -> tuple[s.Node, ...]:
    """The nodes directly below ``node``, in order. Trees are walked often, so a node keeps them."""
    kept: tuple[s.Node, ...] | None = node.__dict__.get("_children")
    if kept is None:
        below = (getattr(node, item.name) for item in fields(node) if item.name != "span")
        kept = tuple(inner for value in below for inner in _nodes(value))
        object.__setattr__(node, "_children", kept)
    return kept


def _nodes(value: object) -> Iterator[s.Node]:
    if isinstance(value, s.Node):
        yield value
    elif isinstance(value, s.Link):
        yield value.right
    elif isinstance(value, tuple):
        for item in value:
            yield from _nodes(item)


def walk(node: s.Node) -> Iterator[s.Node]:
    """``node`` and everything below it, from the outside in. A node that was walked keeps them."""
    kept: tuple[s.Node, ...] | None = node.__dict__.get("_walked")
    if kept is None:
        found, waiting = [], [node]
        while waiting:
            inner = waiting.pop()
            found.append(inner)
            waiting.extend(reversed(children(inner)))
        kept = tuple(found)
        object.__setattr__(node, "_walked", kept)
    return iter(kept)


def names_in(tree: s.Node) -> list[s.Name]:
    """All names in a tree."""
    return [node for node in walk(tree) if isinstance(node, s.Name)]


def letter(base: str, style: str = "") -> str:
    """A letter or word with its style: ``theta`` is ``\\theta``, ``("L", "cal")`` is
    ``\\mathcal{L}``.
    """
    root, _, power = base.partition("^")
    if power:  # \chi^2 and f^{-1} are names of their own
        return f"{letter(root, style)}^{power}"
    plain = base if len(base) == 1 or style or not base.isalpha() else "\\" + base
    if style == "rm" and len(base) == 1:
        return plain
    return f"{_STYLES[style]}{{{base}}}" if style in _STYLES else plain


def stem(name: s.Name) -> str:
    """The name without subscripts and indices."""
    text = letter(name.base, name.style)
    for accent in reversed(name.accents):
        text = f"\\{accent}{{{text}}}"
    return text + "'" * name.primes + ("^*" if name.starred else "")


def spell(node: s.Node | None) -> str:
    """The LaTeX of a small piece of syntax, canonically spaced. A node keeps it, as it does those
    below it.
    """
    if node is None:
        return ""
    kept: str | None = node.__dict__.get("_spelt")
    if kept is None:
        kept = _spelt(node)
        object.__setattr__(node, "_spelt", kept)
    return kept


def _spelt(node: s.Node) -> str:
    match node:
        case s.Name():
            inner = ",".join(spell(part) for part in node.subscripts)
            low = f"_{{{inner}}}" if len(inner) > 1 else (f"_{inner}" if inner else "")
            high = (
                f"^{{({','.join(spell(part) for part in node.indices)})}}" if node.indices else ""
            )
            return stem(node) + low + high
        case s.Number():
            return node.text
        case s.Range():
            return (
                f"{spell(node.start)}:{spell(node.stop)}" if node.start else f"<{spell(node.stop)}"
            )
        case s.Sum():
            parts = [("-" if sign < 0 else "+") + spell(term) for sign, term in node.terms]
            return "".join(parts).removeprefix("+")
        case s.Product():
            return " ".join(spell(factor) for factor in node.factors)
        case s.Group():
            return f"({spell(node.body)})"
        case s.Sequence():
            return ",".join(spell(item) for item in node.items)
        case s.Words():
            return f"\\text{{{node.text}}}"
        case s.Power():
            return f"{spell(node.base)}^{{{spell(node.exponent)}}}"
        case s.Fraction():
            return f"\\frac{{{spell(node.numerator)}}}{{{spell(node.denominator)}}}"
        case s.Relation():
            return f"{spell(node.left)}{node.symbol}{spell(node.right)}"
        case s.Call():
            inner = ""
            for group, separator in zip(node.groups, (*node.separators, ""), strict=False):
                inner += ",".join(spell(item) for item in group) + {
                    "|": r" \mid ",
                    "||": r" \,\|\, ",
                }.get(separator, separator)
            return f"{spell(node.head)}({inner})"
    return f"{type(node).__name__}({','.join(spell(child) for child in children(node))})"


def root_of(node: s.Node) -> s.Name | s.Call | None:
    r"""The \sigma of ``\sigma^2``; the \sigma(t) of ``\sigma^2(t)``."""
    power = node.head if isinstance(node, s.Call) else node
    if not isinstance(power, s.Power) or spell(power.exponent) != "2":
        return None
    base = replace(node, head=power.base) if isinstance(node, s.Call) else power.base
    return base if isinstance(base, s.Name | s.Call) else None

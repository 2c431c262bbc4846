r"""What people say in words that is a formula: over what averages are, whose Jacobian or mean a
letter is, how many values a variable takes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from typing import Any

from vaedocs.derivation import syntax as s
from vaedocs.derivation.errors import NotCheckable
from vaedocs.derivation.parser.phrases import spoken_tail

DOT = r"[\cdot]"
LISTED = r"(?:\s*,\s*(?:and\s+)?|\s+and\s+)"
IS = r"(?:is|are|denotes?)"
ON = r"(?:depends?\s+on|involves?)"
_MOMENTS = {"E": "E", "Var": r"(?:V|[Vv]ar)", "Cov": "[Cc]ov", "Std": "[Ss]td"}
_STYLE = r"\\(?:mathbb|mathbf|operatorname|mathrm|mathcal|text)"
_LETTER = {
    kind: rf"(?:{_STYLE}\s*\{{?\s*{name}\s*\}}?|\\?{name})" for kind, name in _MOMENTS.items()
}
_MEAN = (
    "(?:" + "|".join(_LETTER.values()) + r")(?:\s*_\s*(?:\{(?:[^{}]|\{[^{}]*\})*\}|\\?[A-Za-z]+))?"
)
_BODY = r"(?:\s*\[\s*(?:\\cdot|f)\s*\]|\s*\(\s*\\cdot\s*\))?"
_AVERAGE = r"(?:expect(?:ations?|ed\s+values?)|averages?|means?)"
_MOMENT = r"(?:mean|expectation|variance|covariance)s?(?:\s+(?:matrix|vector))?"
SET = re.compile(rf"(?P<means>{_MEAN}){_BODY}\s*(?::=|=|\\coloneqq)\s*(?P<mean>{_MEAN}){_BODY}")
SAID = re.compile(
    rf"(?:(?P<means>{_MEAN}(?:{LISTED}{_MEAN})*)|(?:all\s+)?{_AVERAGE})\s+(?:{IS}\s+)?"
    rf"(?:(?:the\s+)?{_AVERAGE}\s+)?(?:taken\s+)?"
    r"(?:over|under|with respect to|w\.?r\.?t\.?)\s+\$?(?P<law>.+?)\$?"
)
DENSITIES = re.compile(
    rf"(?P<names>.+?)\s+(?P<words>{IS}\s(?:[\w\s-]*\s)?(?:densit(?:y|ies)|distributions?|p[dm]fs?|"
    r"(?:mass|density)\s+functions?)\b.*)"
)
JACOBIAN = re.compile(
    rf"(?P<name>\S+)\s+{IS}\s+the\s+Jacobian(?:\s+matrix)?\s+of\s+(?:the\s+(?:map|function)\s+)?"
    r"(?P<of>\S+)(?:\s+at\s+(?P<at>.+))?"
)
MOMENT = re.compile(
    rf"(?P<names>.+?)\s+{IS}\s+(?P<what>(?:the\s+)?{_MOMENT}(?:{LISTED}(?:the\s+)?{_MOMENT})*)"
    r"\s+of\s+(?P<law>[^\s(]+\s*\(\s*(?P<of>[^|;()]+?)\s*(?:(?:\\mid|\||;)[^()]*)?\))"
)
CROSS = re.compile(
    rf"(?P<names>\S+)\s+{IS}\s+(?:the\s+)?(?:cross[\s-]?)?covariance(?:\s+matrix)?\s+"
    r"(?:of|between)\s+(?P<one>\S+)\s+and\s+(?P<other>\S+)"
)
LETTER = (
    r"\\(?!bf|bm|mathbf|boldsymbol|mathrm)[A-Za-z]+|(?<![A-Za-z\\])[A-Za-z]"
    r"|(?<=[_{][A-Za-z])[A-Za-z]"
)
TAKES = re.compile(
    r"(?P<names>.+?)\s+takes?\s+(?:on\s+)?(?:(?P<count>\S+)\s+"
    r"(?:(?:different|distinct|possible)\s+)?values|(?:(?:its|the)\s+)?values\s+in\s+(?P<set>\S.*))"
)
EACH = re.compile(r"(?:each|every|all)\s+(?=\\(?!text|mathrm)|[A-Za-z](?![A-Za-z]))")
SPACE = re.compile(
    rf"(?P<names>.+?)\s+(?P<words>{IS}\s(?:[\w\s-]*\s)?(?:densit(?:y|ies)|distributions?|pdfs?))"
    r"\s+(?:on|over)\s+(?P<set>\\(?:mathbb|R\b).*)"
)
OF = re.compile(r"[^(]+\(\s*(?P<of>[^|;(),]+?)\s*(?:(?:\\mid|\||;)[^()]*)?\)")
VANISHES = re.compile(
    r"(?P<names>.+?)\s+(?P<words>(?:vanish(?:es)?|decays?|(?:goes|go|tends?)\s+to\s+(?:zero|0))\s+"
    r"(?:at|on|towards)\s+(?:infinity|(?:the\s+)?boundar(?:y|ies)))"
)
NORMALISER = (
    rf"(?:normali[sz]es|{IS}\s+(?:the|a)\s+(?:normali[sz]er|partition\s+function|"
    r"normali[sz](?:ing|ation)\s+(?:constant|factor))\s+(?:of|for))\s+"
)
NORMALISES = re.compile(rf"(?P<names>\S+)\s+(?P<words>{NORMALISER}.+)")
COUNTS = re.compile(
    rf"(?P<names>\S+)\s+{IS}\s+the\s+(?:total\s+)?number\s+of\s+(?:the\s+)?(?:(?:training|data|"
    r"time|mixture|hidden|latent|diffusion|importance|Monte\s+Carlo)[\s-]+)*(?:steps?|points?|samples|"
    r"examples|observations|components|classes|categories|clusters|dimensions|layers|draws|units|"
    r"particles|experts|features|variables|pixels)"
    r"(?:,\s*(?P<index>[a-z])\s*(?:=|\\in)\s*(?P<run>\\?\{?1\s*,.*))?"
)
FREE = re.compile(rf"(?P<names>.+?)\s+(?P<words>(?:do(?:es)?\s+not|don't|doesn't)\s+{ON}\s.+)")
UP_TO = re.compile(
    r"(?P<sign>\\propto)\s+(?:(?:is\s+)?(?:meant\s+)?as\s+(?:a\s+)?functions?\s+of|in)\s+(?P<on>.+)"
    r"|(?:\w+\s+){0,3}up\s+to\s+(?:an?\s+)?(?:additive\s+|multiplicative\s+)?constants?\s+"
    r"(?:in|(?:that|which)\s+do(?:es)?\s+not\s+depend\s+on|independent\s+of)\s+(?P<of>.+)"
)


def convention(
    text: str, start: int, end: int, parse: Callable[[str], s.Display]
) -> list[s.Chain] | None:
    r"""The statements ``\mathbb{E}[\cdot] := \mathbb{E}_q[\cdot]``, ``J(t) := …`` that these
    characters say; None if they say something else.
    """
    said = text[start:end].rstrip(". ")
    out: list[s.Chain] = []
    for pattern, written in WRITTEN.items():
        known = pattern.fullmatch(said)
        if known is None or not all(
            map(_are_names, filter(None, map(known.groupdict().get, NO_WORDS)))
        ):
            continue
        for latex, words in written(known):
            try:
                chains = parse(latex).chains
            except NotCheckable as error:
                raise NotCheckable(error.message, text, start, end, error.hint) from error
            out += [replace(_placed(chain, (start, end)), words=words) for chain in chains]
        if out:
            return out
    return None


def is_convention(chain: s.Chain) -> bool:
    """Whether a statement says over what averages are."""
    left, right = chain.left, chain.only and chain.only.right
    dot = s.Name("cdot", span=chain.span)
    means = isinstance(left, s.Expectation) and isinstance(right, s.Expectation)
    return means and left.body == right.body == dot  # type: ignore[union-attr]


NO_WORDS = ("names", "law", "on", "of", "at", "set", "count", "one", "other")


def _are_names(listed: str) -> bool:
    """Whether formulas stand in a list, and nothing else."""
    return all(spoken_tail(part, 0, len(part)) == len(part) for part in _parts(listed))


def _parts(listed: str) -> list[str]:
    """The members of a list, of which none has brackets left open."""
    out = [""]
    for piece in re.split(rf"({LISTED})", listed):
        if out[-1].count("(") > out[-1].count(")") or out[-1].count("{") > out[-1].count("}"):
            out[-1] += piece
        elif re.fullmatch(LISTED, piece):
            out.append("")
        else:
            out[-1] += piece
    return [part for part in out if part]


def _placed(node: Any, span: s.Span) -> Any:
    """A tree that was read elsewhere, all at the place where it is said."""
    if isinstance(node, tuple):
        return tuple(_placed(item, span) for item in node)
    if not isinstance(node, s.Node | s.Link):
        return node
    kept = {item.name: _placed(getattr(node, item.name), span) for item in fields(node)}
    return replace(node, **{**kept, "span": span})


# -- what is said, in LaTeX, and the words that are left -------------------------------------------

Written = Iterator[tuple[str, str]]


def _averages(known: re.Match[str]) -> Written:
    groups = known.groupdict()
    mean = groups.get("mean") or rf"\mathbb{{E}}_{{{groups['law']}}}"
    for kind in _parts(groups["means"] or r"\mathbb{E}"):
        yield f"{kind}{DOT} := {mean}{DOT}", ""


def _described(known: re.Match[str]) -> Written:
    for name in _parts(known["names"]):
        yield name, known["words"]


def _on_a_space(known: re.Match[str]) -> Written:
    values = [OF.fullmatch(name) for name in _parts(known["names"])]
    for found in values if all(values) else ():
        assert found is not None
        yield rf"{found['of']} \in {known['set']}", ""
        yield found[0], known["words"]


def _counted(known: re.Match[str]) -> Written:
    run, name = known["run"] or "", known["names"]
    last = run.strip("\\{} ").split(",")[-1].strip()
    if not run or last == name:
        yield rf"{name} \in \mathbb{{N}}", ""
    if run and last == name:
        inside = run.strip("\\{} ")
        yield rf"{known['index']} \in \{{{inside}\}}", ""


def _jacobian(known: re.Match[str]) -> Written:
    name, of, at = known["name"], known["of"], known["at"]
    function, _, rest = of.partition("(")
    at = at or rest.removesuffix(")") or "t"
    given = "" if "(" in name or known["at"] or rest else "(t)"
    yield rf"{name}{given} := \frac{{\partial {function}({at})}}{{\partial {at}}}", ""


def _moments(known: re.Match[str]) -> Written:
    names, kinds = _parts(known["names"]), re.split(LISTED, known["what"])
    of = _parts(known["of"])
    if len(names) == len(kinds) and len(of) == 1:
        wanted = [(kind, of * 2) for kind in kinds]
    else:  # \mu_z, \Sigma_{zx} tell by their indices what they are
        marks = [re.findall(LETTER, name)[1:] for name in names]
        known_marks = all(1 <= len(m) <= 2 and {*m} <= {*of} for m in marks)
        said = any("cov" in k for k in kinds), any("mean" in k for k in kinds)
        wanted = [
            ("covariance" if len(m) > 1 or r"\Sigma" in name else "mean", [m[0], m[-1]])
            for name, m in zip(names, marks, strict=True)
            if known_marks
        ]
        if len(kinds) > 2 or not all(said["cov" not in what] for what, _ in wanted):
            return
    for name, (kind, (one, other)) in zip(names, wanted, strict=False):
        made = next((k for k in ("Cov", "Var") if k.lower() in kind), "E")
        letter = r"\mathbb{E}" if made == "E" else rf"\mathrm{{{made}}}"
        inside = one if one == other else f"{one}, {other}"
        yield rf"{name} := {letter}_{{{known['law']}}}[{inside}]", ""


def _cross(known: re.Match[str]) -> Written:
    yield rf"{known['names']} := \mathrm{{Cov}}({known['one']}, {known['other']})", ""


def _values(known: re.Match[str]) -> Written:
    values = known["set"] or rf"\{{1, \dots, {known['count']}\}}"
    named = re.fullmatch(r"\|\s*(\\mathcal\s*\{?\s*[A-Z]\s*\}?)\s*\|", known["count"] or "")
    for name in _parts(known["names"]):
        yield (name, "discrete") if named else (rf"{name} \in {values}", "")


def _up_to(known: re.Match[str]) -> Written:
    signs = r"\propto" if known["sign"] else r"\propto, \text{const}"
    yield ", ".join(_parts(known["on"] or known["of"])), f"up to {signs}"


WRITTEN: dict[re.Pattern[str], Callable[[re.Match[str]], Written]] = {
    SET: _averages,
    SAID: _averages,
    SPACE: _on_a_space,
    DENSITIES: _described,
    VANISHES: _described,
    NORMALISES: _described,
    COUNTS: _counted,
    JACOBIAN: _jacobian,
    MOMENT: _moments,
    CROSS: _cross,
    TAKES: _values,
    FREE: _described,
    UP_TO: _up_to,
}

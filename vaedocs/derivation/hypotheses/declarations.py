r"""Shapes, sets and signs: ``c > 0``, ``U \in \mathbb{R}^{N \times M}``, ``f : \mathbb{R} \to
\mathbb{R}``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations

from sympy import Expr, Integer, oo

from vaedocs.derivation import survey as look
from vaedocs.derivation import syntax as s
from vaedocs.derivation.hypotheses.phrases import Phrases, unread
from vaedocs.derivation.parser import parse_statements
from vaedocs.derivation.rewrite.trees import split_indices
from vaedocs.derivation.spelling import names_in, spell, stem, walk
from vaedocs.derivation.theory import Fact, FunctionInfo, Shape

EVENTS = r"\bevents?\b|(pairwise |mutually )?\b(disjoint|exclusive)\b|\bpartitions?\b"

ARROWS = {r"\to", r"\rightarrow", r"\longrightarrow", r"\leftrightarrow", r"\quad"}


ENDS = ("low end", "high end")  # of an interval, where they belong to it


def _any_of(node: s.Node) -> Iterator[s.Name]:
    r"""The x_i of ``x_1, \dots, x_N``, which speaks of them all."""
    for item in s.members(node):
        first, last = (item.start, item.stop) if isinstance(item, s.Range) else (None, None)
        if isinstance(first, s.Name) and isinstance(last, s.Name) and first != last:
            number, count = first.subscripts, last.subscripts
            if len(number) == len(count) == 1 and isinstance(count[0], s.Name):
                yield replace(first, subscripts=(s.Name("i", span=first.span),))


def _basis(run: s.Node) -> s.Node | None:
    r"""The K of ``\{e_1, \dots, e_K\}``, the one-hot vectors."""
    ends = (run.start, run.stop) if isinstance(run, s.Range) else ()
    marks = [end.subscripts for end in ends if isinstance(end, s.Name) and end.base == "e"]
    if len(marks) == 2 and all(len(mark) == 1 for mark in marks) and spell(marks[0][0]) == "1":
        return marks[1][0]
    return None


class Declarations(Phrases):
    """Reads what a name is, before anything is said with it."""

    def _markov(self, chain: s.Chain) -> bool:
        r"""``X \to Y \to Z``, “X - Y - Z is a Markov chain”: each depends on the one before it."""
        arrows = len(chain.links) > 1 and all(link.symbol == "->" for link in chain.links)
        source = self.source[slice(*chain.span)]
        said, *behind = re.split(r"\s(?=(?:forms?|is|are|an?)\s|\\text|Markov)", source, maxsplit=1)
        markov = any("markov" in words.lower() for words in (*behind, chain.words))
        if not (arrows or markov) or (behind and not markov):
            return False
        words = set(re.findall(r"[a-z]+", " ".join(behind).lower()))
        if words - {"text", "forms", "form", "is", "are", "a", "markov", "chain", "quad"}:
            return False
        names = re.findall(r"\\?[A-Za-z]+(?:_\w|_\{\w+\})?", said)
        names = [name for name in names if name not in ARROWS]
        (line,) = parse_statements(", ".join(names)) if len(names) > 2 else (None,)
        items = self._names(line.left) if line is not None and line.left is not None else []
        slots = [self.reader.slot(item) for item in items if isinstance(item, s.Name)]
        if len(slots) < 3 or len(slots) != len(set(slots)):
            return False
        for head in self._models_of(set(slots)):
            self.reader.register(head, sorted(slots))
            self.theory.independences += [
                (head, frozenset({slots[k]}), frozenset({slots[k - 1]}), frozenset(slots[: k - 1]))
                for k in range(2, len(slots))
            ]
        return True

    def _of_events(self, chain: s.Chain) -> bool:
        r"""``A \cap B = \emptyset``, ``A \subseteq B``, “A and B disjoint”: what never happens."""
        survey, left = self.scope.survey, chain.left
        spoken = left.text if isinstance(left, s.Words) else chain.words
        if not survey.events | survey.partitions or left is None:
            return False
        never: list[s.Node] = []
        if chain.links:
            (link, *more) = chain.links
            empty = isinstance(link.right, s.Name) and link.right.base == "emptyset"
            sides = (left,) if empty else (left, link.right)
            if more or not all(look.is_formula(side, survey.events) for side in sides):
                return False
            if not empty and link.symbol != "subset":
                return False
            other = sides[-1] if empty else s.Function("not", link.right, span=link.span)
            never = [s.Product((left, other), ("cap",), span=chain.span)]
        elif unread(spoken, EVENTS, r"\b[A-Z](_\w+)?\b|\\\w+"):
            return False
        elif re.search(r"disjoint|exclusive", spoken):
            names = names_in(left) or [
                s.Name(letter, span=chain.span) for letter in re.findall(r"\b[A-Z]\b", spoken)
            ]
            pairs = combinations(names, 2)
            never = [s.Product(pair, ("cap",), span=chain.span) for pair in pairs]
        elif not re.search(EVENTS, spoken):
            return False
        if never and survey.events & survey.separate:
            hint = r"say it of two or three events, A \cap B = \emptyset"
            raise self.reader.refuse(chain, "numbered events that exclude each other", hint)
        self.scope.impossible += never
        return True

    def _declaration(self, chain: s.Chain) -> bool:
        if self._of_events(chain) or self._markov(chain):
            return True
        if isinstance(chain.left, s.Words) and not chain.links and not chain.words:
            self._phrase(chain, chain.left.text)
            return True
        if not chain.links and chain.left is not None:
            words = getattr(chain, "words", "")
            if words:
                self._described(chain, chain.left, words)
                return True
            raise self.reader.refuse(
                chain,
                "this hypothesis says nothing of what it names",
                r"write a relation, for example c > 0, or a phrase such as “x discrete”",
            )
        if (
            len(chain.links) == 1
            and chain.links[0].symbol in {"in", "subset"}
            and chain.left is not None
        ):
            target = chain.links[0].right
            every = _any_of(chain.left) if isinstance(target, s.Power) else ()
            for name in (*self._names(chain.left), *every):
                self._member(name, target)
            if words := getattr(chain, "words", ""):
                for name in self._names(chain.left):
                    self._tag_words(name, words, chain)
            return True
        if [link.symbol for link in chain.links] == [":", "->"] and isinstance(chain.left, s.Name):
            made, tags, _, _ = self._set(chain.links[1].right)
            function = spell(chain.left)
            self.scope.valued.add(function)
            self.theory.functions[function] = FunctionInfo(
                function, shape=made, positive="positive" in tags, unit="unit" in tags
            )
            if words := getattr(chain, "words", ""):
                self._tag_words(chain.left, words, chain)
            return True
        if (
            all(link.symbol in {"<", ">", "<=", ">=", "succ", "succeq"} for link in chain.links)
            and chain.links
        ):
            signs = self._signs(chain)
            if signs and chain.words and chain.left is not None:
                for name in self._names(chain.left):
                    self._tag_words(name, chain.words, chain)
            return signs
        return self._dimension(chain)

    def _member(self, node: s.Node, target: s.Node) -> None:
        if isinstance(target, s.Name) and not target.subscripts and target.style != "bb":
            return  # a space with a name says nothing about the numbers in it
        if isinstance(node, s.Name) and self._counted(node, target):
            return
        made, tags, values, interval = self._set(target)
        if interval == (0, oo):
            tags, interval = tags | {"positive"}, None
        if isinstance(node, s.Call) and isinstance(node.head, s.Name):
            name = spell(node.head)
            old = self.theory.functions.get(name, FunctionInfo(name))
            self.theory.functions[name] = replace(
                old, shape=made, positive=old.positive or "positive" in tags, unit="unit" in tags
            )
            return
        key = self._key(node)
        number = isinstance(target, s.Name) and (target.style, target.base) == ("bb", "R")
        if made or number:
            self.scope.declared_shapes[key] = made
            if isinstance(node, s.Name) and key.isupper():  # X, of which p(x) is the density
                self.scope.declared_shapes[self.reader.small(key)] = made
        if tags:
            self.scope.declared_tags.setdefault(key, set()).update(tags)
        slot = self.reader.slot(node) if isinstance(node, s.Name) else key
        counts = "integer" in tags or tags >= {"whole", "nonnegative"}
        if counts and not made and slot in self.scope.survey.random:
            interval = (Integer("integer" in tags), oo)
        if values or interval:
            variable = self.reader.variable(slot)
            low, high = interval or (None, None)
            self.theory.variables[slot] = replace(
                variable,
                discrete=bool(values) or counts or variable.discrete,
                values=tuple(values),
                low=low,
                high=high,
            )

    def _counted(self, node: s.Name, target: s.Node) -> bool:
        """Of ``X \\in \\{1, \\dots, K + 1\\}`` with a letter in it: X takes these values."""
        braces = isinstance(target, s.Group) and target.bracket == "{"
        *before, run = s.members(s.bare(target))
        if braces and (size := _basis(run)) is not None:
            self.scope.declared_shapes[self._key(node)] = (self.reader.dimension(size),)
            self._tag(self._key(node), "onehot")
            return True
        if not braces or not isinstance(run, s.Range) or isinstance(run.stop, s.Number):
            return False
        first = [int(n.text) for n in (*before, run.start) if isinstance(n, s.Number)]
        if len(first) <= len(before) or first != [first[0] + k for k in range(len(first))]:
            raise self.reader.refuse(
                target, "it is not clear how this set goes on", r"write \{1, \dots, K\}"
            )
        for name in walk(run.stop) if run.stop is not None else ():
            if isinstance(name, s.Name):
                self.reader.dimension(name)
        low, high = Integer(first[0]), oo if run.stop is None else self.reader.scalar(run.stop)
        slot, other = self.reader.slot(node), spell(node).upper()
        alone = self.scope.survey.uses[slot] < 2 and other not in map(spell, names_in(target))
        if alone and other in self.scope.survey.bare and slot not in self.scope.survey.random:
            slot = other  # H(X)
        if slot in self.scope.survey.random or slot.isupper():
            variable = self.reader.variable(slot)
            self.theory.variables[slot] = replace(variable, discrete=True, low=low, high=high)
            return True
        whole = ("integer",) if low > 0 else ("whole", "nonnegative")
        self._tag(self._key(node), *whole)
        symbol = self.reader.symbol(self._key(node))
        if high == oo:
            return True
        self.theory.add_tags(symbol, "index")
        self.theory.constraints += [
            Fact(">=", symbol, low, f"{symbol} counts from {low}"),
            Fact("<=", symbol, high, f"{symbol} counts to {high}"),
        ]
        return True

    def _set(self, node: s.Node) -> tuple[Shape, set[str], list[Expr], tuple[Expr, Expr] | None]:
        """Shape, tags, values and interval of ``\\mathbb{R}^{N \\times M}``, ``\\{0, 1\\}^D``,
        ``[0, 1]``, ``\\mathbb{N}`` …
        """
        if isinstance(node, s.Power) and spell(node.base) == r"\Delta":
            # The probability vectors with K entries are written Δ^{K-1}: one less is free.
            terms = node.exponent.terms if isinstance(node.exponent, s.Sum) else ()
            less = len(terms) == 2 and (terms[1][0], spell(terms[1][1])) == (-1, "1")
            size = self._size(terms[0][1]) if less else self._size(node.exponent) + 1
            return (size,), {"simplex"}, [], None
        if isinstance(node, s.Power):
            base, tags, values, interval = self._set(node.base)
            sizes = node.exponent
            if isinstance(sizes, s.Words):
                return base, tags, values, interval
            factors = (
                sizes.factors
                if isinstance(sizes, s.Product) and {"dot", "times"} & set(sizes.operators)
                else (sizes,)
            )
            return tuple(self._size(item) for item in factors), tags, values, interval
        if (
            isinstance(node, s.Name)
            and node.style in {"bb", "cal", "rm"}
            and node.base in {"R", "N", "Z", "S"}
        ):
            tags = set()
            low = " ".join(spell(part) for part in node.subscripts)
            if "+" in low or ">" in low:
                tags.add("positive")
            if "0" in low:
                tags = {"nonnegative"}
            if node.base in {"N", "Z"}:
                tags.add("integer" if tags == {"positive"} or low + node.base == "N" else "whole")
            if node.base == "S":
                tags.add("spd")
            return (), tags, [], None
        if isinstance(node, s.Group):
            items = s.members(node.body)
            made = []
            for item in items:
                pieces = self.reader.pieces(item) if isinstance(item, s.Range) else [item]
                made += [self.reader.scalar(piece) for piece in pieces]
            if node.bracket == "{":
                return (), set(), made, None
            if len(made) == 2:
                tags = {"unit"} if (made[0], made[1]) == (0, 1) else set()
                tags |= {"low end"} if node.bracket[0] == "[" else set()
                tags |= {"high end"} if node.bracket in {"[", "(]"} else set()
                return (), tags, [], (made[0], made[1])
        raise self.reader.refuse(
            node,
            "this set is not in the language",
            r"write \mathbb{R}^{N}, \mathbb{R}^{N \times M}, \{0, 1\}, [0, 1] or \mathbb{N}",
        )

    def _size(self, node: s.Node) -> Expr:
        return self.reader.dimension(node)

    def _signs(self, chain: s.Chain) -> bool:
        """``c > 0``, ``\\sigma_j > 0``, ``0 \\le \\lambda \\le 1``, ``M < N``; other comparisons
        are constraints.
        """
        sides = [chain.left, *(link.right for link in chain.links)]
        symbols = [link.symbol for link in chain.links]
        if len(sides) == 3 and symbols in (["<=", "<="], ["<", "<"], ["<=", "<"], ["<", "<="]):
            low, middle, high = sides
            if (
                isinstance(low, s.Number)
                and isinstance(high, s.Number)
                and isinstance(middle, s.Name)
            ) and (low.text, high.text) == ("0", "1"):
                closed = [end for end, sign in zip(ENDS, symbols, strict=True) if sign == "<="]
                self._tag(self._key(middle), "unit", *closed)
                if "<" in symbols[:1]:
                    self._tag(self._key(middle), "positive")
                return True
        if len(sides) == 2 and isinstance(sides[1], s.Number) and sides[1].text == "0":
            targets = self._names(sides[0]) if sides[0] is not None else []
            named = all(isinstance(item, s.Name) for item in targets)
            if named and symbols[0] in {"succ", "succeq"}:
                for item in targets:
                    self._tag(self._key(item), "spd")
                return True
            if all(isinstance(item, s.Name | s.Call) for item in targets) and symbols[0] in {
                ">",
                ">=",
            }:
                for item in targets:
                    if isinstance(item, s.Call):
                        if look.is_density_call(item, self.scope.survey):
                            # densities are positive where they are used: a standing assumption
                            continue
                        self._function_sign(spell(item.head), symbols[0])
                        continue
                    self._tag(self._key(item), "positive" if symbols[0] == ">" else "nonnegative")
                    self._on_half_line(item)
                    if not isinstance(item, s.Name):
                        continue
                    marks = split_indices(item.subscripts)
                    if len(marks) == 2 and spell(marks[0]) == spell(marks[1]):
                        if symbols[0] == ">":  # L_{jj} > 0 is said of the diagonal alone
                            self._tag(stem(item), "positive diagonal")
                    elif len(item.subscripts) == 1:
                        self._tag(stem(item), "positive" if symbols[0] == ">" else "nonnegative")
                return True
        return False

    def _function_sign(self, name: str, symbol: str) -> None:
        """``f(z) > 0`` is said of all values, and ``f(z) \\geq 0`` leaves zero among them."""
        old = self.theory.functions.get(name, FunctionInfo(name))
        self.theory.functions[name] = (
            replace(old, positive=True) if symbol == ">" else replace(old, nonnegative=True)
        )

    def _on_half_line(self, item: s.Node) -> None:
        """A random variable that is never negative takes its values from 0 on."""
        key = self._key(item)
        if not isinstance(item, s.Name) or key != spell(item) or key in self.scope.declared_shapes:
            return
        slot = self.reader.slot(item)
        if slot == key and (key in self.scope.survey.random or key.isupper()):
            variable = self.reader.variable(slot)
            if not (variable.values or variable.discrete):
                self.theory.variables[slot] = replace(variable, low=Integer(0), high=oo)

    def _dimension(self, chain: s.Chain) -> bool:
        """``N = \\dim x``: x is a vector of length N."""
        if len(chain.links) != 1 or chain.links[0].symbol not in {"=", ":="} or chain.left is None:
            return False
        left, right = chain.left, chain.links[0].right
        for one, other in ((left, right), (right, left)):
            if isinstance(one, s.Function) and one.name == "dim":
                target = s.bare(one.argument)
                for name in self._names(target):
                    self.scope.declared_shapes[self._key(name)] = (self.reader.dimension(other),)
                return True
            if isinstance(one, s.Bars) and spell(one.body) in self.scope.survey.sets:
                self.reader.dimension(other)  # as many as there are data: a whole number
        return False

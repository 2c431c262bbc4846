"""Degrees: what a Gaussian average of a polynomial needs to be exact."""

from __future__ import annotations

from typing import Any

from sympy import Expr, Symbol

from vaedocs.derivation import expressions as ex
from vaedocs.derivation.worlds.laws import (
    Law,
)
from vaedocs.derivation.worlds.locations import Locations


class Degrees(Locations):
    def exact_law(self, weight: Expr, name: str) -> Law | None:
        """The law of a weight if the weight is exactly that law's density."""
        if isinstance(weight, ex.Normal):
            return self.law_or_none(weight, name)
        if isinstance(weight, ex.Density) and len(weight.values) == 1:
            slot = weight.values[0][0]
            if self.declared(weight) is not None:
                formula, _ = self.declared(weight)  # type: ignore[misc]
                if not isinstance(formula, ex.Normal):
                    return None
                return self.density_law(weight, slot, name)
            factor = next(f for f in self.context.order[weight.head] if slot in f.slots)
            if isinstance(factor.formula, ex.Normal) and set(factor.conditions) <= {
                s for s, _ in weight.conditions
            }:
                below = {slot}
                for f in self.context.order[weight.head]:
                    if set(f.conditions) & below:
                        below |= set(f.slots)
                if not (below - {slot}) & {s for s, _ in weight.conditions}:
                    return self.density_law(weight, slot, name)
        return None

    def degree(self, e: Any, name: str) -> int | None:
        """The degree of ``e`` as a polynomial in a variable; None if it is none, or none that is
        recognised."""
        if isinstance(e, Symbol):
            if e.name == name:
                return 1
            if e.name in self.context.definitions:
                return self.degree(self.context.definitions[e.name].right, name)
            return 0
        if name not in self.dependencies(e):
            return 0
        if e.is_Add:
            parts = [self.degree(a, name) for a in e.args]
            return None if None in parts else max(parts)  # type: ignore[type-var]
        if e.is_Mul or isinstance(e, ex.Hadamard):
            parts = [self.degree(a, name) for a in e.args]
            return None if None in parts else sum(parts)  # type: ignore[arg-type]
        if e.is_Pow and e.args[1].is_Integer and e.args[1] > 0:
            base = e.args[0]
            n = int(e.args[1])
            if isinstance(base, ex.Norm):
                if n % 2 or str(base.args[1] if len(base.args) > 1 else 2) not in {"2", "F"}:
                    return None
                base = base.args[0]
            d = self.degree(base, name)
            return None if d is None else d * n
        if isinstance(e, (ex.Transpose, ex.Trace, ex.Scalar, ex.Diag, ex.Component)):
            return self.degree(e.args[0], name)
        if isinstance(e, ex.Elementwise) and str(e.args[0]) == "square":
            d = self.degree(e.args[1], name)
            return None if d is None else 2 * d
        if isinstance(e, (ex.Sum,)):
            return self.degree(e.args[0], name)
        if type(e).__name__ == "log":
            return self.log_degree(e.args[0], name)
        return None

    def log_degree(self, e: Any, name: str) -> int | None:
        if e.is_Mul:
            parts = [self.log_degree(a, name) for a in e.args]
            return None if None in parts else max(parts)  # type: ignore[type-var]
        if e.is_Pow and e.args[1].is_number:
            return self.log_degree(e.args[0], name)
        if name not in self.dependencies(e):
            return 0
        if type(e).__name__ == "exp":
            return self.degree(e.args[0], name)
        if isinstance(e, ex.Normal):
            parts = [self.degree(a, name) for a in e.args]
            if parts[0] is None or parts[1] is None or parts[2] != 0:
                return None
            return 2 * max(parts[0], parts[1])
        if isinstance(e, ex.Density) and self.declared(e) is None:
            pairs = (*e.values, *e.conditions)
            if any(not isinstance(v, Symbol) for _, v in pairs):
                return None
            order = self.context.order[e.head]
            left = {s for s, _ in e.values}
            own = [f for f in order if set(f.slots) <= left]
            if len(own) != len(left) or any(
                not set(f.conditions) <= {s for s, _ in pairs} for f in own
            ):
                return None
            if any(
                set(f.conditions) & left and not set(f.slots) <= left
                for f in order
                if set(f.slots) & {s for s, _ in e.conditions}
            ):
                return None
            total = 0
            for f in own:
                if not isinstance(f.formula, ex.Normal):
                    return None
                names = dict(f.symbols)
                inside = [names[s] for s, v in pairs if v.name == name and s in names]
                for n in inside:
                    d = self.log_degree(f.formula, n)
                    if d is None:
                        return None
                    total = max(total, d)
            return total
        return None

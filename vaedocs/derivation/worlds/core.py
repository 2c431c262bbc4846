"""The core of the evaluator: cells for names, hooks for the two kinds of world, and memory.

Every name has a cell in ``world.env``; a compiled expression reads cells and returns a number or a
:class:`Mat`. What a density is and which points a variable runs through is for the worlds to say.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from typing import Any

from sympy import Basic, Expr, S, Symbol

from vaedocs.derivation import expressions as ex
from vaedocs.derivation.worlds.arithmetic import CannotEvaluate
from vaedocs.derivation.worlds.context import Context
from vaedocs.derivation.worlds.effort import Effort
from vaedocs.derivation.worlds.matrices import Mat
from vaedocs.derivation.worlds.sight import base_name

Thunk = Callable[[], Any]


class Core:
    """Compiles names; subclasses compile everything else."""

    def __init__(self, context: Context, numbers: Any):
        self.context = context
        self.theory = context.theory
        self.numbers = numbers
        self.env: dict[Any, Any] = {}
        self.thunks: dict[Expr, Thunk] = {}
        self.logs: dict[Expr, Thunk] = {}
        self.memos: list[dict[Any, Any]] = []
        self.effort = Effort(sys.maxsize, math.inf)
        self._dependencies: dict[Any, frozenset[str]] = {}

    # -- hooks -------------------------------------------------------------------------------------

    def points(self, key: Any, guide: Sequence[Expr]) -> Callable[[], list[tuple[Any, Any]]]:
        """What the cell ``key`` runs through, with measures; ``guide`` tells where the mass is."""
        raise NotImplementedError

    def draw_cell(self, key: Any) -> Any:
        """The value of a cell that nobody has set."""
        raise NotImplementedError

    def coordinate(self, name: str, value: Any) -> Any:
        """What a random name's cell means in arithmetic."""
        return value

    def apply(self, name: str, values: tuple[Any, ...]) -> Any:
        """The value of an unknown function."""
        raise NotImplementedError

    def log_density(self, e: ex.Density) -> Thunk:
        """The logarithm of a density."""
        value, log = self(e), self.numbers.log
        return lambda: log(value())

    # -- entry
    # ---------------------------------------------------------------------------------------

    def __call__(self, e: Expr) -> Thunk:
        """The compiled expression."""
        found = self.thunks.get(e)
        if found is None:
            found = self.thunks[e] = self.build(e)
        return found

    def build(self, e: Expr) -> Thunk:
        if isinstance(e, Symbol):
            return self._symbol(e)
        if e.is_Number and e.is_finite:
            constant = self.numbers.number(e)
            return lambda: constant
        for cls in type(e).__mro__:
            method = getattr(self, "_" + cls.__name__.lower(), None)
            if method is not None:
                return method(e)
        if e is S.ImaginaryUnit:
            raise CannotEvaluate("complex numbers are not in the language")
        raise CannotEvaluate(f"{type(e).__name__} has no numerical meaning here: {e}")

    def forget(self) -> None:
        """Drop what was remembered of the world's previous state."""
        for memo in self.memos:
            memo.clear()

    def tick(self, points: int = 1) -> None:
        """Pay for ``points``; stop here if nothing is left."""
        self.effort.spend(points)

    # -- names
    # ---------------------------------------------------------------------------------------

    def _symbol(self, e: Symbol) -> Thunk:
        name, env, draw = e.name, self.env, self.draw_cell
        if name in self.context.definitions:
            inside = self(self.context.definitions[name].right)
            if name not in self.context.varying:
                return inside
            if self.context.is_random(name):
                coordinate = self.coordinate
                return lambda: coordinate(name, env[name]) if name in env else inside()
            return lambda: env[name] if name in env else inside()
        if self.context.is_random(name):
            meaning = self.coordinate
            return lambda: meaning(name, env[name] if name in env else draw(name))
        return lambda: env[name] if name in env else draw(name)

    def cell(self, e: Any) -> Callable[[], Any]:
        """The key of the cell that a variable stands for."""
        if isinstance(e, Symbol):
            name = e.name
            return lambda: name
        if isinstance(e, ex.Item):
            inner, index = self.cell(e.args[0]), self.integer(e.args[1])

            def key() -> Any:
                base = inner()
                return (*base, index()) if isinstance(base, tuple) else (base, index())

            return key
        raise CannotEvaluate(f"{e} is no variable")

    def raw(self, e: Any) -> Thunk:
        """The content of a variable's cell."""
        env, draw = self.env, self.draw_cell
        if isinstance(e, Symbol):
            name = e.name
            return lambda: env[name] if name in env else draw(name)
        key = self.cell(e)

        def load() -> Any:
            k = key()
            return env[k] if k in env else draw(k)

        return load

    def _item(self, e: ex.Item) -> Thunk:
        name = base_name(e)
        if name in self.context.definitions:
            return self(e.args[0])
        value = self.raw(e)
        if self.context.is_random(name):
            meaning = self.coordinate
            return lambda: meaning(name, value())
        return value

    def integer(self, e: Expr) -> Callable[[], int]:
        """An integer, as an index or a limit."""
        if e.is_Integer:
            n = int(e)
            return lambda: n
        value = self(e)

        def whole() -> int:
            v = value()
            if isinstance(v, Mat) or v != int(v):
                raise CannotEvaluate(f"{e} should be an integer")
            return int(v)

        return whole

    def dependencies(self, e: Any) -> frozenset[str]:
        """The names whose change may change ``e``, those behind definitions and formulas
        included."""
        found = self._dependencies.get(e)
        if found is not None:
            return found
        self._dependencies[e] = frozenset()
        names: set[str] = set()
        if isinstance(e, Symbol):
            names.add(e.name)
            if e.name in self.context.definitions:
                names |= self.dependencies(self.context.definitions[e.name].right)
        elif isinstance(e, ex.Density):
            for _, v in (*e.values, *e.conditions):
                names |= self.dependencies(v)
            names |= self.head_dependencies(e.head)
        elif isinstance(e, Basic):
            for a in e.args:
                names |= self.dependencies(a)
            if isinstance(e, ex.Item):
                names.add("*" + base_name(e))
            if isinstance(e, ex.Apply):
                names |= {e.name} & self.context.chosen
            if isinstance(e, ex.Binder):
                names -= {v.name for v in e.bound if isinstance(v, Symbol)}
        self._dependencies[e] = frozenset(names)
        return self._dependencies[e]

    def head_dependencies(self, head: str) -> frozenset[str]:
        """The names in the formulas and parameters of a head, slots aside."""
        key = ("head", head)
        found = self._dependencies.get(key)
        if found is None:
            self._dependencies[key] = frozenset()
            known = set(self._dependencies)
            names = {s.name for s in self.theory.parameters.get(head, ())}
            if (version := self.context.version(head)) is not None:
                names |= self.dependencies(version)
            names |= {head} & self.context.chosen
            for _, formula, pairs in self.context.formulas(head):
                names |= self.dependencies(formula) - {name for _, name in pairs}
            for half in self._dependencies.keys() - known:  # found while the head was not
                del self._dependencies[half]
            found = self._dependencies[key] = frozenset(names)
        return found

    def remember(self, e: Expr, compute: Thunk) -> Thunk:
        """``compute`` once for every state of the names that vary inside ``e``."""
        names = self.dependencies(e)
        if any(n[1:] in self.context.varying for n in names if n.startswith("*")):
            return compute
        keys = sorted(n for n in names if n in self.context.varying)
        memo: dict[Any, Any] = {}
        self.memos.append(memo)
        env = self.env
        get = env.get
        if len(keys) == 1:
            only = keys[0]

            def load() -> Any:
                k = get(only)
                value = memo.get(k)
                if value is None:
                    value = memo[k] = compute()
                return value

        else:

            def load() -> Any:
                k = tuple(map(get, keys))
                value = memo.get(k)
                if value is None:
                    value = memo[k] = compute()
                return value

        return load

    def number_of(self, e: Expr) -> Thunk:
        """A scalar; a 1 × 1 matrix is taken as its entry."""
        value = self(e)
        if e.is_commutative:
            return value

        def scalar() -> Any:
            v = value()
            if isinstance(v, Mat):
                if v.shape != (1, 1):
                    raise CannotEvaluate(f"a {v.words()} stands where a number is needed")
                return v.rows[0][0]
            return v

        return scalar

    def restore(self, key: Any, old: Any) -> None:
        """Give a cell its former content."""
        if old is None:
            self.env.pop(key, None)
        else:
            self.env[key] = old

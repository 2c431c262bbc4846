"""Syntax trees in one line, so that a table of tests can be read."""

from __future__ import annotations

from vaedocs.derivation import syntax as s

OPERATORS = {
    "": " ",
    "dot": "·",
    "times": "×",
    "hadamard": "⊙",
    "slash": "/",
    "circ": "∘",
    "kron": "⊗",
}


def tree(node: object) -> str:
    """``node`` as a compact expression: ``(log p(x | z))`` for the logarithm of p(x | z)."""
    match node:
        case s.Number(text=text):
            return text
        case s.Name():
            out = node.base if not node.style else f"{node.style}:{node.base}"
            out = "".join(f"{accent}." for accent in node.accents) + out + "'" * node.primes
            out += "*" * node.starred
            if node.subscripts:
                out += "_" + "{" + ",".join(map(tree, node.subscripts)) + "}"
            if node.indices:
                out += "^(" + ",".join(map(tree, node.indices)) + ")"
            return out
        case s.Range(start=start, stop=stop):
            return f"{tree(start) if start else ''}..{tree(stop) if stop else ''}"
        case s.Sum(terms=terms):
            return "(" + " ".join(("+" if sign > 0 else "-") + tree(t) for sign, t in terms) + ")"
        case s.Product(factors=factors, operators=operators):
            out = tree(factors[0])
            for operator, factor in zip(operators, factors[1:], strict=True):
                out += OPERATORS[operator] + tree(factor)
            return f"<{out}>"
        case s.Fraction(numerator=a, denominator=b):
            return f"({tree(a)} // {tree(b)})"
        case s.Power(base=a, exponent=b):
            return f"{tree(a)}^{tree(b)}"
        case s.Transpose(operand=a, inverse=inverse):
            return f"{tree(a)}^{'-T' if inverse else 'T'}"
        case s.Group(body=body, bracket=bracket):
            close = {"(": ")", "[": "]", "{": "}", "[)": ")", "(]": "]"}[bracket]
            return f"{bracket[0]}{tree(body)}{close}"
        case s.Sequence(items=items):
            return ", ".join(map(tree, items))
        case s.Conditioned(items=items, conditions=conditions):
            return f"{', '.join(map(tree, items))} | {', '.join(map(tree, conditions))}"
        case s.Component(body=body, subscripts=subscripts):
            return f"{tree(body)}_[{','.join(map(tree, subscripts))}]"
        case s.Inner(left=a, right=b):
            return f"<{tree(a)}, {tree(b)}>"
        case s.Bars(body=body, double=double, order=order):
            bars = "||" if double else "|"
            return f"{bars}{tree(body)}{bars}" + (f"_{tree(order)}" if order else "")
        case s.Call(head=head, groups=groups, separators=separators, bracket=bracket):
            inner = ", ".join(map(tree, groups[0]))
            for separator, group in zip(separators, groups[1:], strict=True):
                inner += f" {separator} " + ", ".join(map(tree, group))
            return f"{tree(head)}{bracket}{inner}{ {'(': ')', '[': ']', '{': '}'}[bracket] }"
        case s.Function(name=name, argument=a, power=power, subscript=sub):
            head = name + (f"^{tree(power)}" if power else "") + (f"_{tree(sub)}" if sub else "")
            return f"({head} {tree(a)})"
        case s.Extremum(name=name, over=over, body=body):
            below = "_{" + ",".join(map(tree, over)) + "}" if over else ""
            return f"({name}{below} {tree(body)})"
        case s.Limit(variable=a, target=b, body=body):
            return f"(lim {tree(a)}->{tree(b)} {tree(body)})"
        case s.Sampling(variables=variables, distribution=q):
            names = ",".join(map(tree, variables))
            return f"{names}~{tree(q)}" if q is not None and names else names or f"{tree(q)}"
        case s.Expectation(samplings=samplings, body=body, kind=kind, condition=condition):
            below = "; ".join(
                tree(a) + ("" if a.distribution is not None else "~?") for a in samplings
            )
            given = " | " + ", ".join(map(tree, condition)) if condition else ""
            return f"{kind}{{{below}}}[{tree(body)}{given}]"
        case s.Integral(body=body, variables=variables, lower=a, upper=b):
            limits = f" from {tree(a)}" if a else ""
            limits += f" to {tree(b)}" if b else ""
            return f"(int {tree(body)} d {','.join(map(tree, variables))}{limits})"
        case s.BigOperator():
            out = f"({node.name} {','.join(map(tree, node.indices))}"
            out += f" from {tree(node.lower)}" if node.lower else ""
            out += f" to {tree(node.upper)}" if node.upper else ""
            out += f" in {tree(node.domain)}" if node.domain else ""
            out += f" if {tree(node.condition)}" if node.condition else ""
            return f"{out}: {tree(node.body)})"
        case s.Derivative(kind=kind, body=body, variables=variables):
            return f"({kind}_{{{','.join(map(tree, variables))}}} {tree(body)})"
        case s.Evaluated(body=body, substitutions=substitutions):
            return f"({tree(body)} at {', '.join(map(tree, substitutions))})"
        case s.Matrix(rows=rows, determinant=determinant):
            inner = "; ".join(", ".join(map(tree, row)) for row in rows)
            return ("det" if determinant else "") + f"[[{inner}]]"
        case s.Cases(branches=branches):
            inner = "; ".join(
                f"{tree(value)} if {tree(when) if when else 'else'}" for value, when in branches
            )
            return f"{{cases {inner}}}"
        case s.Underbrace(body=body, claims=claims, words=words):
            notes = ["".join(("?" * c.implicit, c.relation, " ", tree(c.right))) for c in claims]
            notes += [repr(words)] if words else []
            return f"brace({tree(body)}: {', '.join(notes)})"
        case s.Words(text=text):
            return f'"{text}"'
        case s.Relation(symbol=symbol, left=a, right=b):
            return f"{tree(a)} {symbol} {tree(b)}"
        case s.Chain(left=left, links=links, qualifier=qualifier, words=words):
            out = tree(left) if left else "…"
            for link in links:
                out += f" {link.symbol} {tree(link.right)}"
                out += f" «{link.hint}»" if link.hint else ""
            out += " where " + ", ".join(map(tree, qualifier)) if qualifier else ""
            out += f" ‹{words}›" if words else ""
            return f"{node.connective} {out}" if node.connective else out
        case s.Display(chains=chains):
            return " ;; ".join(map(tree, chains))
    raise TypeError(f"no short form for {node!r}")

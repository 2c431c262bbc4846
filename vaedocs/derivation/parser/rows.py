r"""Row breaks, alignment marks and wide spaces: where one statement ends and the next begins."""

from __future__ import annotations

from vaedocs.derivation.lexer.tokens import Token, refuse

BREAKS = frozenset(("comma", "semicolon", "newline", "imp", "text"))
# Behind these an operand must follow, so no statement ends there.
INCOMPLETE = frozenset(("rel", "op", "sup", "sub", "accent", "func", "imp"))


def cut(tokens: list[Token], source: str) -> list[Token]:
    """Decide what every row break, alignment mark and wide space means."""
    top = _settle_inner(tokens, source)
    ahead = _Ahead([tokens[i] for i in top])
    claimed = ever = False  # a relation stood in this statement; in any row above
    before: Token | None = None
    for place, i in enumerate(top):
        token = tokens[i]
        kind = token.kind
        if kind in ("newline", "amp", "quad"):
            after = ahead.solid[place]
            if before is None or after is None or after.kind == "newline":
                token.kind = "drop"
            elif kind == "newline":
                if before.kind == after.kind == "rel" and before.text == after.text:
                    doubled = next(t for t in tokens if t.start == before.start)
                    doubled.kind = "drop"  # the = at the end of a row is repeated in the next
                _decide_row(token, before, after, ahead, place, ever, source)
            else:
                _decide_gap(tokens, i, before, ahead, place, claimed, source)
            if token.kind == "break":
                claimed, before = False, None
            continue
        if kind in ("comma", "period", "semicolon"):
            after = ahead.solid[place]
            if after is None or after.kind == "newline" or before is None:
                token.kind = "drop"
            elif kind == "comma":
                if after.kind in ("rel", "imp"):
                    token.kind = "drop"
                # Does the next item of this list, or a later one, hold a relation?
                token.style = "rel" if ahead.claims(place, "statement") else ""
                if not token.style and ahead.claims(place, "row"):
                    token.style = "later"
            elif kind == "period" and after.kind == "text":
                token.kind = "drop"
        if kind == "rel":
            claimed = ever = True
        elif kind in BREAKS:
            claimed = False
        if token.kind != "drop" or kind in ("comma", "semicolon", "period"):
            before = Token(kind, token.text, token.start, token.end)
    return [token for token in tokens if token.kind != "drop"]


class _Ahead:
    """For each place at the outermost level, what comes behind it."""

    def __init__(self, top: list[Token]):
        self.solid: list[Token | None] = [None] * len(top)  # the next that is not ink
        self.next: dict[str, list[int]] = {}
        never = len(top)
        places = {"rel": never, "statement": never, "row": never, "quad": never}
        self.next = {name: [never] * len(top) for name in places}
        solid: Token | None = None
        for place in range(len(top) - 1, -1, -1):
            self.solid[place] = solid
            for name, at in places.items():
                self.next[name][place] = at
            kind = top[place].kind
            if kind == "rel":
                places["rel"] = place
            if kind in BREAKS:
                places["statement"] = place
            if kind == "newline":
                places["row"] = place
            if kind == "quad":
                places["quad"] = place
            if kind not in ("amp", "quad"):
                solid = top[place]
        self.amps = {place for place, token in enumerate(top) if token.kind == "amp"}

    def claims(self, place: int, until: str, or_until: str = "row") -> bool:
        """Whether a relation comes before the statement (or the row) ends."""
        end = min(self.next[until][place], self.next[or_until][place])
        return self.next["rel"][place] < end


def _settle_inner(tokens: list[Token], source: str) -> list[int]:
    """Drop layout inside brackets; the indices of the tokens outside all of them."""
    stack: list[str] = []
    top: list[int] = []
    previous = ""
    for i, token in enumerate(tokens):
        kind = token.kind
        if not stack:
            top.append(i)
        if kind == "open":
            stack.append("bracket")
        elif kind == "lbrace":
            stack.append("substack" if previous == "substack" else "brace")
        elif kind == "begin":
            stack.append("matrix")
        elif kind in ("close", "rbrace", "end"):
            stack.pop()
            if not stack:
                top.append(i)
        elif stack and kind in ("newline", "amp"):
            if stack[-1] == "bracket" or (kind == "amp" and stack[-1] == "brace"):
                token.kind = "drop"
            elif stack[-1] == "brace":
                raise refuse("a row break inside braces", source, token, "end the braces first")
        elif stack and kind == "quad":
            token.kind = "drop"
        previous = token.text
    return top


def _decide_row(
    token: Token, before: Token, after: Token, ahead: _Ahead, place: int, ever: bool, source: str
) -> None:
    """A row break: does the next row go on with this one, or start a statement?"""
    token.kind = "break"
    if before.kind in INCOMPLETE or after.kind == "rel":
        token.kind = "drop"
        after.first = True
        if {place + 1, place + 2} <= ahead.amps:
            after.side = "beside"  # its column is that of the statement on the right
        return
    claims = ahead.claims(place, "row")
    if after.kind == "op":
        if after.text != "-" or place + 1 in ahead.amps or not claims:
            token.kind = "drop"
            after.first = True
        return
    if before.kind in BREAKS or before.kind == "period" or after.kind in ("text", "imp"):
        return
    if ever and not claims and not (after.kind == "cmd" and after.text == "forall"):
        raise refuse(
            "this row starts with neither a relation nor a sign",
            source,
            after,
            "start it with =, +, - or \\times so that it is clear how it goes on",
        )


def _decide_gap(
    tokens: list[Token],
    i: int,
    before: Token,
    ahead: _Ahead,
    place: int,
    claimed: bool,
    source: str,
) -> None:
    """An alignment mark or wide space: ink, or the border between two statements?"""
    token, after = tokens[i], ahead.solid[place]
    until = "quad" if token.kind == "quad" else "row"
    beside = "beside" if token.kind == "amp" else ""
    token.kind = "drop"
    if after is not None and after.kind == "rel" and {place - 1, place} <= ahead.amps and claimed:
        after.first, after.side = True, "beside"
    if after is None or before.kind in BREAKS or before.kind in INCOMPLETE:
        return
    if after.kind == "open" and after.text == "(":
        j = i + 1
        while tokens[j] is not after:
            j += 1
        if _is_tag(tokens, j, source):
            return
        if _holds_relation(tokens, j):
            token.kind, token.side = "break", beside
            return
    if after.kind in ("rel", "op", "comma", "semicolon", "period", "text", "imp"):
        return
    if (after.kind == "cmd" and after.text == "forall") or (
        claimed and ahead.claims(place, "statement", until)
    ):
        token.kind, token.side = "break", beside


def _is_tag(tokens: list[Token], i: int, source: str) -> bool:
    """``(3)`` behind a wide space at the end of a row is the equation's number."""
    inner = tokens[i + 1 : i + 4]
    if len(inner) < 2 or inner[0].kind not in ("number", "letter") or inner[1].kind != "close":
        return False
    if len(inner) == 3 and inner[2].kind != "newline":
        return False
    if inner[0].kind == "letter":
        raise refuse(
            "is this a factor or the name of the equation?",
            source,
            inner[0],
            "write \\tag{a} for a name, or put the factor beside the others",
        )
    for token in (tokens[i], inner[0], inner[1]):
        token.kind = "drop"
    return True


def _holds_relation(tokens: list[Token], i: int) -> bool:
    depth = 0
    for token in tokens[i:]:
        depth += token.kind in ("open", "lbrace", "begin")
        depth -= token.kind in ("close", "rbrace", "end")
        if depth == 0:
            return False
        if depth == 1 and token.kind == "rel":
            return True
    return False

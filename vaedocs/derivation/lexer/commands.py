r"""Commands as tokens: fonts, words, brackets with sizes, environments, shorthands."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib import resources

from vaedocs.derivation.lexer import vocabulary as v
from vaedocs.derivation.lexer.characters import SIMPLE, SPACING, Characters

DELIMITER = re.compile(r"\s*(\\[A-Za-z]+|\\.|[^\s\\])", re.DOTALL)
PLAIN_WORD = re.compile(r"\s*\{((?:[A-Za-z0-9.\-\s~]|\\[,;:!>\s])*)\}")
BARRED = re.compile(r"\s*\{([^{}]*(?:[|,]|\\mid|\\vert)[^{}]*)\}")
CALLED = re.compile(r"\s*\{\s*([A-Z])\s*(\([^{}]*\))\s*\}")
ONE_SYMBOL = re.compile(r"\s*\{\s*(\\?[A-Za-z]+|\d+)\s*\}|\s*(\\[A-Za-z]+|[A-Za-z0-9])")
ROW_GAP = re.compile(r"\*?(?:\s*\[\s*-?[\d.]+\s*(?:[a-z]{2}|\\baselineskip)\s*\])?")
ENVIRONMENT = re.compile(r"\s*\{\s*([A-Za-z]+\\?\*?)\s*\}")
OPTIONS = re.compile(r"\s*\[[^\]\n]{0,20}\]")
COLUMNS = re.compile(r"\s*\{((?:[^{}]|\{[^{}]*\})*)\}")
LAST = re.compile(r"(?:\s|\\[ ,;]|[.}])*(?:\\\\|\\end\b|$)")  # nothing of the row is left
LENGTH = re.compile(r"\s*-?[\d.]+\s*(?:mu|[a-z]{2})")
GREEK_BASE = {
    "varGamma": "Gamma", "varDelta": "Delta", "varTheta": "Theta", "varLambda": "Lambda",
    "varXi": "Xi", "varPi": "Pi", "varSigma": "Sigma", "varPhi": "Phi", "varPsi": "Psi",
    "varOmega": "Omega", "varnothing": "emptyset",
}  # fmt: skip
LIKE_SIGMA = {"Sigma": "sum", "Pi": "prod"}
BOUNDS = re.compile(r"\s*_\s*\{\s*[A-Za-z]\s*=[^{}]*\}\s*\^")
LETTER_COMMANDS = {
    "dd": "\\mathrm{d}", "diff": "\\mathrm{d}", "dif": "\\mathrm{d}", "d": "\\mathrm{d}",
    "EE": "\\mathbb{E}", "RR": "\\mathbb{R}", "Var": "\\mathrm{Var}", "Cov": "\\mathrm{Cov}",
    "var": "\\mathrm{Var}", "cov": "\\mathrm{Cov}", "ELBO": "\\mathrm{ELBO}", "Pr": "\\mathrm{Pr}",
    "Bern": "\\mathrm{Bern}", "N": "\\mathcal{N}", "Id": "I", "Expect": "\\mathbb{E}",
    "kl": "\\mathrm{KL}", "DKL": "D_{\\mathrm{KL}}", "%": "\\mathrm{percent}",
    "complement": "c",
}  # fmt: skip
STRUCTURE = {
    "frac": "frac", "tfrac": "frac", "dfrac": "frac", "cfrac": "frac", "binom": "binom",
    "tbinom": "binom", "dbinom": "binom", "sqrt": "sqrt", "sum": "sum", "prod": "prod",
    "int": "int", "iint": "iint", "iiint": "iiint", "oint": "int", "intop": "int",
    "partial": "partial", "nabla": "nabla", "infty": "infty", "underbrace": "underbrace",
    "overbrace": "overbrace", "stackrel": "overset", "overset": "overset", "underset": "underset",
    "stackunder": "underset", "arg": "arg", "forall": "forall", "top": "top", "intercal": "top",
    "prime": "prime", "star": "star", "substack": "substack", "neg": "neg", "lnot": "neg",
    "setminus": "setminus", "backslash": "setminus", "lim": "lim", "boxed": "boxed",
    "dots": "dots", "ldots": "dots", "cdots": "dots", "dotsc": "dots", "dotsb": "dots",
    "dotsm": "dots", "dotso": "dots", "dotsi": "dots", "bullet": "bullet",
    "overparen": "overbrace", "over": "over", "vdots": "dots", "ddots": "dots",
    "bigcup": "cup", "bigcap": "cap", "cancel": "coloured", "bcancel": "coloured",
}  # fmt: skip
# Words that are spoken between formulas and so name nothing.
SPOKEN = (
    v.JOINING
    | v.QUALIFYING
    | v.REASONS
    | v.split("otherwise or iid i.i.d if, any all def definition otherwise, else const is are")
)


# \mathop{\rm arg\,min}
BEST = re.compile(
    r"\s*\{\s*(?:\\(?:rm|mathrm|text)\b)?\s*\{?\s*\\?arg(?:[\s~]|\\[,;:! ])*\\?(max|min)\s*\}?\s*\}"
)


@cache
def macros() -> dict[str, str]:
    """The shorthands of ``macros.toml``: one file for what is shown and what is checked."""
    text = resources.files("vaedocs.derivation").joinpath("macros.toml").read_text("utf-8")
    return {k.removeprefix("\\"): body for k, body in tomllib.loads(text)["macros"].items()}


class Commands(Characters):
    """All that starts with a backslash."""

    def command(self, text: str, name: str, at: int, after: int, stop: int) -> int:
        """Read one command; returns the offset behind what belongs to it."""
        if name in LIKE_SIGMA and BOUNDS.match(text, after, stop):
            self.put("cmd", LIKE_SIGMA[name], at, after)  # \Sigma_{j=1}^K is a sum
        elif name in v.GREEK:
            style = self.braces[-1].style if self.braces else None
            self.put(
                "letter", GREEK_BASE.get(name, name), at, after, style if style == "frak" else ""
            )
        elif name == "|":
            self.bar("||", at, after)
        elif name == "mathop" and (best := BEST.match(text, after, stop)):
            self.word(f"arg{best.group(1)}", at, best.end())
            return best.end()
        elif name in v.SIGNS and text[after : after + 1] == "{":  # \mathrel{\Vert} is one sign
            close = self.closing(text, after, stop)
            self.run(text, after + 1, close - 1)
            return close
        elif name in v.LAYOUT or (name in v.PROVED and LAST.match(text, after, stop)):
            pass
        elif name in ("quad", "qquad"):
            self.put("quad", name, at, after)
        elif name in v.RELATIONS:
            last = self.tokens[-1] if self.tokens else None
            if name == "perp" and last is not None and last.text == "perp":
                last.end = after  # \perp\!\!\!\perp is one sign
            else:
                self.put("rel", v.RELATIONS[name], at, after)
        elif name in v.OPERATORS:
            self.put("op", v.OPERATORS[name], at, after)
        elif name in v.FONTS:
            return self.font(text, name, at, after, stop)
        elif name in v.TEXTS:
            return self.words(text, name, at, after, stop)
        elif name in v.SIZES:
            return self.delimiter(text, name, at, after, stop)
        elif name in v.FUNCTIONS or name in v.EXTREMA:
            self.word(name, at, after)
        elif name in v.ACCENTS:
            self.put("accent", v.ACCENTS[name], at, after)
        elif name in v.BARS:
            self.bar(v.BARS[name], at, after, side="middle" if name in ("mid", "parallel") else "")
        elif name in ("lvert", "lVert") and f"\\r{name[1:]}" not in text:
            self.bar(v.OPENERS[name], at, after, side="middle")  # it stands for the bar of a KL
        elif name in v.OPENERS:
            self.put("open", v.OPENERS[name], at, after, side="left" if name[0] == "l" else "")
        elif name in v.CLOSERS:
            self.put("close", v.CLOSERS[name], at, after, side="right" if name[0] == "r" else "")
        elif name in v.IMPLICATIONS:
            self.put("imp", v.IMPLICATIONS[name], at, after)
        elif name in ("\\", "newline", "cr", "tabularnewline"):
            gap = ROW_GAP.match(text, after, stop)
            after = gap.end() if gap and name == "\\" else after
            self.put("newline", "\\", at, after)
        elif name in ("begin", "end"):
            return self.environment(text, name, at, after, stop)
        elif name in STRUCTURE:
            self.put("cmd", STRUCTURE[name], at, after)
        elif name == "because":
            self.put("text", name, at, after)
        elif name in v.LAYOUT_WITH_ARGUMENT or name in ("color", "textcolor"):
            return self.layout(text, name, at, after, stop)
        elif name in v.LENGTHS:
            length = LENGTH.match(text, after, stop)
            return length.end() if length else after
        elif name in v.SWITCHES:
            if v.SWITCHES[name]:
                self.run_style = v.SWITCHES[name]
        elif name == "not":
            negated = DELIMITER.match(text, after, stop)
            if negated and negated.group(1) in ("=", "\\in", "\\equiv", "\\subset"):
                symbol = {"=": "!=", "\\in": "notin"}.get(negated.group(1))
                if symbol:
                    self.put("rel", symbol, at, negated.end())
                    return negated.end()
            raise self.refuse("what is negated?", at, after, v.REFUSED["not"])
        elif name in "_*":  # escaped for Markdown: E\_{q}, align\*
            self.character(text, name, at, after, stop)
        elif name in macros():
            return self.macro(text, name, at, after, stop)
        elif name in LETTER_COMMANDS:
            self.instead(LETTER_COMMANDS[name], at, after)
        else:
            shown = f"\\{name}"
            hint = v.REFUSED.get(name, "use ordinary LaTeX, or define the name in words: \\text{…}")
            raise self.refuse(f"{shown} is not part of the language", at, after, hint)
        return after

    def macro(self, text: str, name: str, at: int, after: int, stop: int) -> int:
        if name in self.expanding:
            raise self.refuse(f"\\{name} is defined by itself", at, after, "mend macros.toml")
        parts = re.split(r"#(\d)", macros()[name])
        arguments: dict[str, tuple[int, int]] = {}
        for number in sorted(set(parts[1::2])):
            if text[after : after + 1] != "{":
                raise self.refuse(f"\\{name} takes its arguments in braces", at, after)
            close = self.closing(text, after, stop)
            arguments[number] = (after + 1, close - 1)
            after = close
        for i, part in enumerate(parts):
            if i % 2:
                self.run(text, *arguments[part])
            elif part:
                self.expanding.append(name)
                self.instead(part, at, at + len(name) + 1)
                self.expanding.pop()
        return after

    def closing(self, text: str, at: int, stop: int) -> int:
        """The offset behind the brace that closes the one at ``at``."""
        depth, i = 0, at
        while i < stop:
            if text[i] == "\\":
                i += 2
                continue
            depth += {"{": 1, "}": -1}.get(text[i], 0)
            i += 1
            if depth == 0:
                return i
        raise self.refuse("this brace is never closed", at, at + 1, "add }")

    def layout(self, text: str, name: str, at: int, after: int, stop: int) -> int:
        opening = re.compile(r"\*?\s*\{").match(text, after, stop)
        single = re.compile(r"\s*[^\s\\{}&]").match(text, after, stop)
        if not opening and single and name == "tag":
            return single.end()  # \tag 1
        if not opening:
            raise self.refuse(f"\\{name} needs an argument in braces", at, after)
        close = self.closing(text, opening.end() - 1, stop)
        if name in ("eqref", "ref"):
            self.put("text", text[opening.end() : close - 1], at, close)
        if name == "label":
            self.label = text[opening.end() : close - 1].strip()
        elif name == "hspace":
            self.put("quad", name, at, close)
        elif name == "textcolor":
            self.put("cmd", "coloured", at, close)
        return close

    def environment(self, text: str, name: str, at: int, after: int, stop: int) -> int:
        found = ENVIRONMENT.match(text, after, stop)
        if not found:
            raise self.refuse(f"\\{name} of what?", at, after, f"write \\{name}{{aligned}}")
        kind, after = found.group(1).replace("\\", ""), found.end()
        known = kind in v.DISPLAY_ENVIRONMENTS or kind in v.MATRICES or kind in v.CASES
        if not known:
            raise self.refuse(
                f"the environment {kind} is not part of the language",
                at,
                after,
                "use aligned, split, gathered, cases or a matrix",
            )
        if name == "begin":
            options = OPTIONS.match(text, after, stop) if kind not in v.MATRICES else None
            after = options.end() if options and kind != "gathered" else after
            if kind in ("array", "alignat", "alignat*", "alignedat", "IEEEeqnarray"):
                placed = OPTIONS.match(text, after, stop)
                after = placed.end() if placed else after
                columns = COLUMNS.match(text, after, stop)
                if not columns:
                    raise self.refuse(f"{kind} needs its columns, as in {{rcl}}", at, after)
                after = columns.end()
        self.put(name, kind, at, after)
        return after

    def words(self, text: str, name: str, at: int, after: int, stop: int) -> int:
        opening = re.compile(r"\s*\{").match(text, after, stop)
        if not opening:
            raise self.refuse(f"\\{name} needs its words in braces", at, after)
        close = self.closing(text, opening.end() - 1, stop)
        raw = text[opening.end() : close - 1]
        if re.fullmatch(r"\s*\$[^$]+\$\s*", raw) and not name.endswith("intertext"):
            self.run(text, text.index("$", opening.end()) + 1, text.rindex("$", 0, close))
            return close
        beside = re.sub(r"\$[^$]*\$", " ", raw).split()
        first = beside[0].strip("(),.:;").lower() if beside else ""
        few = len(beside) < 2 and first not in v.REASONS
        if "$" in raw and (few or raw.count("$") % 2 or first in v.QUALIFYING):
            raise self.refuse(
                "mathematics inside \\text{…}",
                at,
                close,
                "close the text before it and go on behind it",
            )
        spoken = " ".join(SPACING.sub(" ", raw.replace("$", "")).split())
        bare = spoken.strip(" .,:;").lower()
        if name in ("intertext", "shortintertext"):
            self.put("newline", "\\", at, close)
            self.put("text", spoken, at, close)
            self.put("newline", "\\", at, close)
        elif not spoken:
            self.put("quad", "text", at, close)
        elif bare in {"if and only if", "iff"}:
            self.put("imp", v.IMPLICATIONS["iff"], at, close)
        elif spoken in (".", ",", ";"):
            self.put(SIMPLE[spoken], spoken, at, close)
        elif spoken in v.CONSTANT or re.fullmatch(
            r"(?i)(?:an? )?(?:additive )?const(?:ant)?\.?", spoken
        ):
            self.put("text", "const", at, close)
        elif (
            re.fullmatch(r"[A-Za-z0-9]+(?:[.\-][A-Za-z0-9]+)*", spoken) and bare not in SPOKEN
        ) or re.fullmatch(r"arg[\s-](max|min)", spoken):
            self.word(spoken, at, close)
        else:
            self.put("text", spoken, at, close)
        return close

    def font(self, text: str, name: str, at: int, after: int, stop: int) -> int:
        style = v.FONTS[name]
        if name == "operatorname" and text[after : after + 1] == "*":
            after += 1
        if style == "rm":
            word = PLAIN_WORD.match(text, after, stop)
            cleaned = SPACING.sub("", word.group(1)) if word else ""
            if word and cleaned:
                if cleaned in v.CONSTANT:
                    self.put("text", "const", at, word.end())
                elif cleaned.lower().strip(".") in SPOKEN:
                    self.put("text", cleaned, at, word.end())
                elif re.fullmatch(r"[\d.\-]+", cleaned) and not cleaned.isdigit():
                    self.run(text, word.start(1), word.end(1))
                else:
                    self.word(cleaned, at, word.end())
                return word.end()
        barred = BARRED.match(text, after, stop)
        if barred and style == "":  # \mathbf{x|z}: the bar separates, the font means nothing
            self.run(text, barred.start(1), barred.end(1))
            return barred.end()
        called = CALLED.match(text, after, stop)
        if called and style == "cal":  # \mathcal{L(q)}: the capital takes the font
            self.put("letter", called.group(1), at, called.end(1), style)
            self.run(text, *called.span(2))
            return called.end()
        one = ONE_SYMBOL.match(text, after, stop)
        inner = one.group(1) or one.group(2) if one else ""
        if one and one.group(2) and inner.isalnum():
            inner = inner[0]  # \mathbf xy: the font takes one letter
        if one and len(inner) == 1 and inner.isalpha():
            self.put("letter", inner, at, one.end() if one.group(1) else one.start(2) + 1, style)
            return self.tokens[-1].end if self.place is None else one.end()
        if one and inner.startswith("\\") and inner[1:] in v.GREEK:
            base = GREEK_BASE.get(inner[1:], inner[1:])
            self.put("letter", base, at, one.end(), style if style == "frak" else "")
            return one.end()
        if one and inner.isdigit() and one.group(1):
            self.put("letter", inner, at, one.end(), style if style == "bb" else "bf")
            return one.end()
        if one and one.group(1) and inner.isalpha():
            if style in ("cal", "bb", "frak"):
                self.word(inner, at, one.end())
                return one.end()
            if inner in v.WORDS or inner in v.EXTREMA or inner in v.FUNCTIONS or inner in v.HEADS:
                self.word(inner, at, one.end())
                return one.end()
            if len(inner) == 2 and inner[0] == "d":  # \mathbf{dz}
                self.word(inner, at, one.end(), style)
                return one.end()
        # \boldsymbol{\mu_1}, \mathcal{\hat L}: the letters in the braces take the font.
        if re.compile(r"\s*\{").match(text, after, stop):
            self.next_style = style
        return after

    def delimiter(self, text: str, name: str, at: int, after: int, stop: int) -> int:
        found = DELIMITER.match(text, after, stop)
        if not found:
            raise self.refuse(f"\\{name} of which bracket?", at, after, f"write \\{name}(")
        typed, end = found.group(1), found.end()
        key = typed.removeprefix("\\") if len(typed) > 1 else typed
        side = {"l": "left", "r": "right", "m": "middle"}.get(name[-1], "")
        if name in ("left", "right", "middle"):
            side = name
        if typed == "\\|":
            key = "Vert"
        if key in ("lvert", "rvert") and not side:  # p(z \big\rvert x)
            key = "vert"
        if typed == "{" or typed == "}":
            raise self.refuse(f"\\{name}{typed} is not LaTeX", at, end, f"write \\{name}\\{typed}")
        if key in v.BARS:
            if side == "left":
                self.put("open", v.BARS[key], at, end, side="left")
            elif side == "right":
                self.put("close", v.BARS[key], at, end, side="right")
            else:
                self.bar(v.BARS[key], at, end, side="middle" if side or key == "mid" else "")
        elif key == "." and side in ("left", "right"):
            self.put("open" if side == "left" else "close", ".", at, end, side=side)
        elif key in v.OPENERS and key != ".":
            self.put("open", v.OPENERS[key], at, end, side=side)
        elif key in v.CLOSERS and key != ".":
            self.put("close", v.CLOSERS[key], at, end, side=side)
        elif key in ("/", "slash"):
            self.put("op", "slash", at, end)
        elif name == "middle" and key == ";":
            self.put("semicolon", ";", at, end)
        else:
            raise self.refuse(f"\\{name}{typed} is no bracket", at, end, "use ( [ \\{ | or \\|")
        return end

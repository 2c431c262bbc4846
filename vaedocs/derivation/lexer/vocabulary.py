r"""The words of the language: which command, character or run of letters is which kind of token.

Everything that people spell in several ways is brought to one spelling here, so that the parser
meets ``<=`` whether the author typed ``\leq``, ``\le``, ``\leqslant``, ``<=`` or ``≤``.
"""

from __future__ import annotations


def split(words: str) -> frozenset[str]:
    """The words of a list written with blanks."""
    return frozenset(words.split())


RELATIONS = {
    "=": "=", "<": "<", ">": ">", "<=": "<=", ">=": ">=", ":=": ":=", "=:": "=:",
    "leq": "<=", "le": "<=", "leqslant": "<=", "leqq": "<=", "succ": "succ", "succeq": "succeq",
    "geq": ">=", "ge": ">=", "geqslant": ">=", "geqq": ">=",
    "lt": "<", "gt": ">", "neq": "!=", "ne": "!=", "not=": "!=",
    "approx": "~~", "simeq": "~~", "approxeq": "~~", "thickapprox": "~~",
    "propto": "prop", "varpropto": "prop",
    "coloneqq": ":=", "coloneq": ":=", "triangleq": ":=", "eqdef": ":=", "defeq": ":=",
    "doteq": ":=", "eqqcolon": "=:", "equiv": "==", "sim": "~", "thicksim": "~",
    "in": "in", "notin": "notin", "ni": "ni",
    "subset": "subset", "subseteq": "subset", "subsetneq": "subset",
    "to": "->", "rightarrow": "->", "longrightarrow": "->", "mapsto": "|->", "longmapsto": "|->",
    "leftarrow": "<-", "gets": "<-", "perp": "perp", "bot": "perp", "Perp": "perp",
    "indep": "perp", "ll": "<<", "gg": ">>", "colon": ":",
}  # fmt: skip

IMPLICATIONS = {
    "implies": "=>", "Rightarrow": "=>", "Longrightarrow": "=>", "therefore": "=>",
    "iff": "<=>", "Leftrightarrow": "<=>", "Longleftrightarrow": "<=>",
}  # fmt: skip

OPERATORS = {
    "+": "+", "-": "-", "*": "dot", "cdot": "dot", "ast": "dot", "times": "times", "/": "slash",
    "div": "slash", "odot": "hadamard", "circ": "circ", "otimes": "kron", "slash": "slash",
    "cup": "cup", "lor": "cup", "vee": "cup", "cap": "cap", "land": "cap", "wedge": "cap",
}  # fmt: skip

REFUSED = {
    "pm": "\\pm stands for two statements at once; write both",
    "mp": "\\mp stands for two statements at once; write both",
    "xcancel": "a cancelled term is neither there nor gone; write the row without it",
    "not": "write the negated relation by its own name, for example \\neq or \\notin",
    "leftarrow": "write = for an equation or := for a definition",
    "oplus": "\\oplus has no fixed meaning here; define the operation as a function",
    "def": "definitions of macros are not read; write the formula out",
    "newcommand": "definitions of macros are not read; write the formula out",
    "dagger": "write ^\\top for a transpose; other adjoints are not part of the language",
    "ref": "references belong outside the formula",
    "eqref": "references belong outside the formula",
    "cite": "references belong outside the formula",
}  # fmt: skip

GREEK = split(
    """
    alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa varkappa
    lambda mu nu xi omicron pi varpi rho varrho sigma varsigma tau upsilon phi varphi chi
    psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega ell hbar imath
    jmath aleph emptyset varnothing varGamma varDelta varTheta varLambda varXi varPi
    varSigma varPhi varPsi varOmega digamma
    """
)

FUNCTIONS = {
    "log": "log", "ln": "log", "Log": "log", "Ln": "log", "exp": "exp", "sin": "sin",
    "cos": "cos", "tan": "tan",
    "tanh": "tanh", "sinh": "sinh", "cosh": "cosh", "arctan": "arctan", "arcsin": "arcsin",
    "arccos": "arccos", "artanh": "artanh", "arctanh": "artanh", "det": "det", "Det": "det",
    "tr": "tr", "Tr": "tr", "trace": "tr", "Trace": "tr", "diag": "diag", "Diag": "diag",
    "rank": "rank", "rk": "rank", "dim": "dim", "sign": "sign", "sgn": "sign",
    "sigmoid": "sigmoid", "softplus": "softplus", "softmax": "softmax", "erf": "erf",
    "logit": "logit", "logdet": "logdet", "relu": "relu", "ReLU": "relu",
    "logsumexp": "logsumexp", "LSE": "logsumexp",
}  # fmt: skip
# Functions that end at their brackets without doubt: tr(A)^2 is the square of the trace.
TIGHT = split("det tr diag rank dim sign exp softmax sigmoid softplus relu logsumexp")

EXTREMA = {
    "max": "max", "min": "min", "sup": "sup", "inf": "inf", "argmax": "argmax", "argmin": "argmin",
    "arg max": "argmax", "arg min": "argmin", "arg-max": "argmax", "arg-min": "argmin",
}  # fmt: skip

MOMENTS = {
    "E": "E", "Var": "Var", "var": "Var", "Variance": "Var", "Cov": "Cov", "cov": "Cov",
    "Std": "Std", "std": "Std", "SD": "Std", "sd": "Std",
}  # fmt: skip

# Runs of letters that are one word although nobody marked them as such.
WORDS = split(
    """
    KL ELBO VAE IWAE MSE BCE MMD JSD NLL VLB EUBO ELBo KLD Pr Bern Cat Unif Dir Bernoulli
    Binomial Categorical Normal Uniform Gaussian Beta Gamma Poisson const constant Const
    prior loss Cst Cte cst cte SNR PSNR ESS
    """
)
# … and those that are one only in front of a bracket: in "tr A" they could be t times r.
HEADS = split(
    "tr Tr det rank dim diag Var var Cov cov std Std sgn sign JS MI TC CE erf TV Exp Bin Pois Ber"
)
CONSTANT = split("const const. constant Const Const. cst cte Cst Cte constants")

FONTS = {
    "mathbf": "", "boldsymbol": "", "bm": "", "bold": "", "pmb": "", "symbf": "", "mathit": "",
    "mathnormal": "", "mathbfit": "", "vec": "", "Vec": "", "mathcal": "cal", "mathscr": "cal",
    "mathbb": "bb", "Bbb": "bb", "mathbbm": "bb", "mathds": "bb", "mathfrak": "frak",
    "mathrm": "rm", "mathsf": "rm", "mathtt": "rm", "operatorname": "rm", "mathup": "rm",
    "symrm": "rm", "upmu": "",
}  # fmt: skip
SWITCHES = {"rm": "rm", "bf": "", "cal": "cal", "it": "", "sf": "rm", "tt": "rm"}
TEXTS = split(
    """
    text mbox hbox textrm textnormal textbf textit textsf texttt textup textsc emph textmd
    intertext shortintertext
    """
)
ACCENTS = {
    "hat": "hat", "widehat": "hat", "tilde": "tilde", "widetilde": "tilde", "bar": "bar",
    "overline": "bar", "dot": "dot", "ddot": "ddot", "check": "check", "breve": "breve",
    "acute": "acute", "grave": "grave", "mathring": "ring", "underline": "underline",
    "underbar": "underline", "overrightarrow": "arrow", "widecheck": "check",
}  # fmt: skip

# Commands that only place ink.
LAYOUT = split(
    """
    , : ; ! > / displaystyle textstyle scriptstyle scriptscriptstyle limits nolimits
    space displaylimits nonumber notag mathstrut strut allowbreak nobreak relax null thinspace
    medspace thickspace negthinspace negmedspace negthickspace enspace hfill hfil noindent
    par hline centering footnotesize small normalsize large Large LARGE tiny scriptsize
    boldmath unboldmath break smallskip medskip bigskip mathop mathrel mathbin mathord
    mathopen mathclose mathinner mathpunct ensuremath smash bigl bigr bigm protect
    nolinebreak linebreak pagebreak leavevmode indent ignorespaces phantomsection unskip
    """
) | {" ", "\n", "\t"}
SIGNS = split("mathrel mathbin mathpunct mathopen mathclose")  # what is in their braces is a sign
PROVED = split("square blacksquare Box qed qedhere checkmark")  # at the end of a proof
# Layout with one argument that is not printed, or names a place.
LAYOUT_WITH_ARGUMENT = split("hspace vspace phantom hphantom vphantom tag label eqref ref")
LENGTHS = split("hskip kern mkern mskip vskip")

OPENERS = {
    "(": "(", "[": "[", "{": "{", "lbrace": "{", "lbrack": "[", "langle": "<", "<": "<",
    "lvert": "|", "lVert": "||", "lfloor": "floor", "lceil": "ceil", ".": ".", "lparen": "(",
}  # fmt: skip
CLOSERS = {
    ")": ")", "]": "]", "}": "}", "rbrace": "}", "rbrack": "]", "rangle": ">", ">": ">",
    "rvert": "|", "rVert": "||", "rfloor": "floor", "rceil": "ceil", ".": ".", "rparen": ")",
}  # fmt: skip
BARS = {"|": "|", "vert": "|", "mid": "|", "Vert": "||", "parallel": "||"}
SIZES = split("left right middle") | {
    size + side for size in ("big", "Big", "bigg", "Bigg") for side in ("", "l", "r", "m")
}

DISPLAY_ENVIRONMENTS = split(
    """
    equation equation* align align* aligned alignat alignat* alignedat split gather gather*
    gathered multline multline* multlined eqnarray eqnarray* math displaymath flalign
    flalign* subequations dmath dmath* IEEEeqnarray IEEEeqnarray* center
    """
)
MATRICES = split(
    "matrix pmatrix bmatrix Bmatrix vmatrix Vmatrix smallmatrix array pmatrix* bmatrix*"
)
CASES = split("cases dcases rcases cases* dcases*")

GREEK_IN_ORDER = (
    "alpha beta gamma delta zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon "
    "chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega"
)
# Single characters beyond ASCII, as the LaTeX that means the same.
UNICODE = {
    "−": "-", "–": "-", "·": "\\cdot", "⋅": "\\cdot", "×": "\\times", "∗": "*", "∕": "/",
    "÷": "\\div", "⊙": "\\odot", "∘": "\\circ", "⊗": "\\otimes", "≤": "\\leq", "⩽": "\\leq",
    "≥": "\\geq", "⩾": "\\geq", "≠": "\\neq", "≈": "\\approx", "≃": "\\simeq", "∝": "\\propto",
    "≡": "\\equiv", "≜": "\\triangleq", "≔": "\\coloneqq", "≝": "\\triangleq", "∼": "\\sim",
    "∈": "\\in", "∉": "\\notin", "⊂": "\\subset", "⊆": "\\subseteq", "→": "\\to", "⟶": "\\to",
    "←": "\\gets", "↦": "\\mapsto", "⇒": "\\implies", "⟹": "\\implies", "⇔": "\\iff",
    "⟺": "\\iff", "⊥": "\\perp", "≪": "\\ll", "≫": "\\gg", "∞": "\\infty", "∂": "\\partial",
    "∇": "\\nabla", "∑": "\\sum", "∏": "\\prod", "∫": "\\int", "∬": "\\iint", "√": "\\sqrt",
    "∣": "\\mid", "∥": "\\|", "‖": "\\|", "⟨": "\\langle", "⟩": "\\rangle", "〈": "\\langle",
    "〉": "\\rangle", "…": "\\dots", "⋯": "\\cdots", "′": "'", "’": "'", "″": "''", "∀": "\\forall",
    "±": "\\pm", "⊤": "\\top", "½": "\\frac12", "¼": "\\frac14", "ℓ": "\\ell", "ℒ": "\\mathcal{L}",
    "𝓛": "\\mathcal{L}", "𝒩": "\\mathcal{N}", "𝔼": "\\mathbb{E}", "ℝ": "\\mathbb{R}",
    "𝟙": "\\mathbb{1}", "∅": "\\emptyset", "ϕ": "\\phi", "φ": "\\phi", "ϵ": "\\epsilon",
    "ε": "\\epsilon", "ϑ": "\\vartheta", "µ": "\\mu", "∆": "\\Delta", "⋮": "\\vdots",
    "∖": "\\setminus", "∪": "\\cup", "∩": "\\cap", "¬": "\\neg", "‐": "-", "∶": ":",
    "∵": "\\because", "∴": "\\therefore", "⌊": "\\lfloor", "⌋": "\\rfloor", "⌈": "\\lceil",
    "⌉": "\\rceil", "⫫": "\\perp", "∎": "\\square", "⋆": "\\star", "⊕": "\\oplus",
} | {
    char: "\\" + name
    for char, name in zip(
        "αβγδζηθικλμνξπρστυχψωΓΔΘΛΞΠΣΦΨΩ",
        GREEK_IN_ORDER.split(),
        strict=True,
    )
}  # fmt: skip

COMBINING = {"\u0302": "hat", "\u0303": "tilde", "\u0304": "bar", "\u0305": "bar", "\u0307": "dot"}
# Words in the names of characters, and the font that they are.
UNICODE_FONTS = {"SCRIPT": "\\mathcal", "DOUBLE": "\\mathbb", "FRAKTUR": "\\mathfrak"}

# English that stands in a formula between statements, and what it does there.
JOINING = split("let and so then hence thus therefore i.e. ie while whereas namely also")
CONCLUDING = split("so then hence thus therefore")
QUALIFYING = split(
    "for subject if when where with whenever given assuming provided forall as equality"
)
REASONS = split("by since because using from due via using: by: see")

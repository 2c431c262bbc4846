r"""What the pages about the checker show: its own words on small examples, fresh at every build.

Nothing on those pages is typed from memory: each text below is put through the checker, the command
or the parser, and what comes out is what is printed.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import re
import tempfile
from pathlib import Path
from typing import Any

from vaedocs.derivation.check import check
from vaedocs.derivation.command import add_parser

NOTES = r"""# My notes

Bayes' rule, with the evidence written out:

$$ p(z \mid x) = \frac{p(x \mid z) \, p(z)}{\int p(x \mid z) \, p(z) \, dz} $$

<!-- given:
\mathcal{L} := \mathbb{E}_{q(z \mid x)}[\log p(x, z) - \log q(z \mid x)]
-->
$$
\begin{aligned}
\mathcal{L} &= \mathbb{E}_{q(z \mid x)}[\log p(x \mid z)] + D_{KL}(q(z \mid x) \| p(z)) \\
  &\leq \log p(x)
\end{aligned}
$$

$$ \mathcal{L} = \mathbb{E}_{q(z \mid x)}[\log p(x \mid z) p(z)] $$
"""

UNREAD = (
    r"\log p(x) = \mathbb{E}_{q(z)}[\log p(x)",
    r"\log p(x \mid z) p(z) = \log p(x, z)",
    r"a / 2 b = c",
    r"x \otimes y = 1",
    r"\frac{\partial \mathcal{L}}{\partial \mu} = 0",
)

RESULT = Path(__file__).parents[2] / "benchmarks" / "results" / "derivation.json"


def command(*options: str, text: str = NOTES) -> str:
    """What ``vaedocs check notes.md`` prints, with the line that was typed above it.

    >>> print(command(text="$$ p(x, z) = p(x) $$").splitlines()[0])
    $ vaedocs check notes.md
    """
    parser = argparse.ArgumentParser(prog="vaedocs")
    add_parser(parser.add_subparsers())
    spoken = io.StringIO()
    typed = ["check", *options, "notes.md"]
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        Path("notes.md").write_text(text, encoding="utf-8")
        with contextlib.redirect_stdout(spoken):
            arguments = parser.parse_args(typed)
            status = arguments.run(arguments)
    return f"$ vaedocs {' '.join(typed)}\n{spoken.getvalue()}$ echo $?\n{status}"


def plainly() -> str:
    """``vaedocs check notes.md``.

    >>> "is this factor inside the logarithm?" in plainly()
    True
    """
    return command()


def explained() -> str:
    """``vaedocs check --explain notes.md``, up to the list of problems.

    >>> "proved (normal form)  uses" in explained()
    True
    >>> explained().count("is this factor inside the logarithm?")
    1
    """
    return re.split(r"\nnotes\.md:\d+:", command("--explain"))[0]


def annotated() -> str:
    """``vaedocs check --format github notes.md``.

    >>> annotated().count("::error file=notes.md,line=")
    2
    """
    return command("--format", "github")


def as_data() -> str:
    """What ``--json`` writes about one row.

    >>> json.loads(as_data())["verdict"]
    'refuted'
    """
    made: dict[str, Any] = check(r"\log p(x) \leq 0", path="notes.md", line=3).to_json()
    return json.dumps(made, indent=2, ensure_ascii=False, default=str)


def in_python() -> str:
    r"""The same from Python: a report prints itself.

    >>> "Gibbs" in in_python()
    True
    """
    report = check(
        r"\log p(x) \geq \mathbb{E}_{q(z \mid x)}\left[\log \frac{p(x, z)}{q(z \mid x)}\right]"
    )
    assert report.ok
    assert report.verdict == "proved"
    return str(report)


def refusals() -> str:
    """What cannot be read, with the place and what to write instead.

    >>> refusals().count("^") >= len(UNREAD)
    True
    """
    made = []
    for text in UNREAD:
        (row,) = check(text).rows
        message, *rest = row.lines()
        made.append("\n".join([message, *rest]))
    return "\n\n".join(made)


def refutation() -> str:
    """A wrong row in a chain: the row alone is named, with numbers and what is left over.

    >>> "flip the sign" in refutation()
    True
    """
    report = check(
        r"""\begin{aligned}
        D_{KL}(q(z)\|p(z)) &= \mathbb{E}_{q(z)}[\log q(z) - \log p(z)] \\
        &= \mathbb{E}_{q(z)}[\log q(z)] + \mathbb{E}_{q(z)}[\log p(z)] \\
        &= -\mathbb{E}_{q(z)}\left[\log \frac{p(z)}{q(z)}\right]
        \end{aligned}""",
        path="notes.md",
    )
    return "\n".join(report.problems())


def speed() -> dict[str, Any]:
    """The measurements that ``python -m benchmarks.derivation`` wrote last.

    >>> speed()["rows"]["rows"] >= 100
    True
    """
    if not RESULT.is_file():
        raise FileNotFoundError(
            f"{RESULT} is missing: run python -m benchmarks.derivation in a source checkout"
        )
    made: dict[str, Any] = json.loads(RESULT.read_text(encoding="utf-8"))
    return made


def compared() -> str:
    """The checker and SymPy's own ``simplify`` and ``integrate`` on the same identities.

    >>> "no answer" in compared()
    True
    """
    lines = [f"{'identity':46} {'here':>9} {'s':>6}  {'SymPy':>9} {'s':>6}"]
    for item in speed()["identities"]:
        lines.append(
            f"{item['name']:46} {item['verdict']:>9} {item['seconds']:6.2f}  "
            f"{item['sympy']:>9} {item['sympy_seconds']:6.1f}"
        )
    return "\n".join(lines)

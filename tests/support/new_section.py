"""Write the three files of a new section: `nox -s new_section -- my_section "My section"`.

What is written is small and true, and its test passes; what it teaches is up to you.
"""

from __future__ import annotations

import keyword
import sys
from pathlib import Path

from house import ROOT, SECTIONS

PAGE = """---
description: One sentence that says what a reader will know after this page.
section: {number}
---

# {title}

Which question does this page answer? Ask it here, and introduce every symbol before it is used.

$$ \\label{{eq:{name}}}
\\log p(x, z) = \\log p(x \\mid z) + \\log p(z)
$$

/// source | vaedocs.{name}.log_joint
///

At $\\log p(x \\mid z) = -1$ and $\\log p(z) = -2$ it is
{{{{ vaedocs.{name}.example | .1f }}}} nats.

## Exercises

1. Write $\\log p(z \\mid x)$ with the terms of \\eqref{{eq:{name}}} and $\\log p(x)$.

??? success "Answer"
    By the definition of a conditional density it is $\\log p(x \\mid z) + \\log p(z) - \\log p(x)$.

## What to remember

- One sentence.

## Where this comes from

The tutorial ([Bernard, 2022](references.md#bernard-2022)).
"""

MODULE = '''"""{title}: one sentence on what the functions of this section compute. In nats."""

from __future__ import annotations

import torch
from torch import Tensor

from vaedocs.domains import require_same_shape


def log_joint(log_likelihood: Tensor, log_prior: Tensor) -> Tensor:
    """The logarithm of p(x, z) = p(x | z) p(z), elementwise, in nats.

    Raises ``ValueError`` where the shapes differ. Source: the product rule.

    >>> log_joint(torch.tensor(-1.0), torch.tensor(-2.0))
    tensor(-3.)
    """
    require_same_shape(log_likelihood, log_prior, ("log_likelihood", "log_prior"))
    return log_likelihood + log_prior


def example() -> float:
    """The number on the page.

    >>> example()
    -3.0
    """
    return log_joint(torch.tensor(-1.0), torch.tensor(-2.0)).item()
'''

TEST = '''"""{title}, held against an independent witness."""

from __future__ import annotations

import pytest
import torch

from vaedocs.{name} import log_joint


def test_the_joint_adds_up_to_one() -> None:
    """Summed over a finite model, the joint is a distribution."""
    prior = torch.tensor([0.25, 0.75], dtype=torch.float64)
    likelihood = torch.tensor([[0.1, 0.9], [0.6, 0.4]], dtype=torch.float64)
    joint = log_joint(likelihood.log(), prior.log()[:, None].expand(2, 2)).exp()
    assert joint.sum().item() == pytest.approx(1.0)


def test_different_shapes_are_refused() -> None:
    """The message names both arguments."""
    with pytest.raises(ValueError, match="log_likelihood .* log_prior"):
        log_joint(torch.zeros(2), torch.zeros(3))
'''


def write(name: str, title: str, root: Path = ROOT) -> list[Path]:
    """Write the page, the module and the test, and return them.

    Raises:
        ValueError: the name is no plain lower-case module name, or a file is there already.
    """
    if not name.isidentifier() or keyword.iskeyword(name) or name != name.lower():
        raise ValueError(f"{name!r} cannot name a module; use lower-case words joined by _")
    files = {
        root / "docs" / f"{name}.md": PAGE,
        root / "vaedocs" / f"{name}.py": MODULE,
        root / "tests" / f"test_{name}.py": TEST,
    }
    for file in files:
        if file.exists():
            raise ValueError(f"{file} is there already; choose another name")
    number = len(SECTIONS) + 1
    for file, text in files.items():
        file.write_text(text.format(name=name, title=title, number=number), encoding="utf-8")
    return list(files)


def main(arguments: list[str]) -> int:
    """Write the files and say what is left to do."""
    if not arguments or len(arguments) > 2:
        print('usage: nox -s new_section -- my_section "My section"', file=sys.stderr)
        return 2
    name = arguments[0]
    title = arguments[1] if len(arguments) == 2 else name.replace("_", " ").capitalize()
    try:
        files = write(name, title)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    for file in files:
        print(f"wrote {file.relative_to(ROOT)}")
    print(f"now add this line to nav in mkdocs.yml:      - {title}: {name}.md")
    print("(not as the last section? then number the pages anew: `section:` in their front matter)")
    print("and the same section to the contents of docs/index.md; then: nox -s serve")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

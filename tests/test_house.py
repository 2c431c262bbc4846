"""The shape of the house: one name per section, arrows that point one way, a light checker."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from house import DOCS, NAV, PACKAGE, ROOT, SECTIONS

from vaedocs.derivation.parser import parse
from vaedocs.site import tables

SHARED = ("derivation", "drawing", "domains")  # what any section may import
# The one glance ahead: the loss takes its sample from the page that follows it. In return that page
# may not look back, so the graph has no cycle.
AHEAD = {"from_lower_bound_to_vae": "reparameterization"}
HEAVY = ("torch", "numpy", "mkdocs", "matplotlib", "sklearn", "markdown")


def imports(source: str) -> set[str]:
    """Every module that a source file imports, at the top, lazily or for its types.

    >>> sorted(imports("import sympy as s\\ndef f():\\n    from vaedocs.entropy import gaussian"))
    ['sympy', 'vaedocs.entropy', 'vaedocs.entropy.gaussian']
    """
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"write {node.module} as an absolute import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {str(node.module)}
    return found


def parts_imported(source: str) -> set[str]:
    """The parts of vaedocs that a source file imports.

    >>> sorted(parts_imported("from vaedocs import entropy\\nimport vaedocs.site.gate, torch"))
    ['entropy', 'site']
    """
    ours = [name.split(".") for name in imports(source) if name.startswith("vaedocs.")]
    known = {path.stem for path in PACKAGE.iterdir()}
    return {name[1] for name in ours if name[1] in known}


def forbidden(part: str, source: str) -> set[str]:
    """What ``source``, a file of ``part``, imports of ours against the contract.

    >>> forbidden("derivation", "from vaedocs import entropy")
    {'entropy'}
    >>> forbidden("entropy", "from vaedocs.kl_divergence import gaussian")
    {'kl_divergence'}
    >>> forbidden("kl_divergence", "from vaedocs.entropy import gaussian")
    set()
    >>> forbidden("reparameterization", "import vaedocs.from_lower_bound_to_vae")
    {'from_lower_bound_to_vae'}
    """
    if part in SECTIONS:
        allowed = {*SHARED, *SECTIONS[: SECTIONS.index(part)]}
        allowed |= {AHEAD[part]} if part in AHEAD else set()
        allowed -= {section for section, ahead in AHEAD.items() if ahead == part}
    else:
        allowed = {
            "derivation": set[str](),
            "domains": set[str](),
            "drawing": set[str](),
            "training": {*SHARED, *SECTIONS},
            "site": {"derivation", "drawing"},
            "__main__": {"derivation", "training", "site"},
        }.get(part, set())
    return parts_imported(source) - allowed - {part}


@pytest.mark.parametrize("file", sorted(PACKAGE.rglob("*.py")), ids=lambda f: f.name)
def test_imports_point_one_way(file: Path) -> None:
    """derivation imports nothing of ours; a section only earlier sections; and so on."""
    part = file.relative_to(PACKAGE).parts[0].removesuffix(".py")
    wrong = forbidden(part, file.read_text(encoding="utf-8"))
    assert not wrong, f"{file.relative_to(ROOT)} imports {sorted(wrong)}, which {part} may not"


@pytest.mark.parametrize("file", sorted((PACKAGE / "derivation").rglob("*.py")), ids=str)
def test_the_checker_imports_only_sympy(file: Path) -> None:
    """Whoever brings a derivation installs SymPy and nothing else."""
    allowed = {*sys.stdlib_module_names, "sympy", "mpmath", "vaedocs"}
    if "pytest" in file.name:
        allowed |= {"pytest", "_pytest"}  # a plugin is loaded by pytest itself
    roots = {name.split(".")[0] for name in imports(file.read_text(encoding="utf-8"))}
    assert roots <= allowed, f"{file.name} imports {sorted(roots - allowed)}"


def loaded_by(statement: str) -> set[str]:
    """Which heavy packages a fresh interpreter holds after ``statement``."""
    code = f"{statement}\nimport sys\nprint(*{{name.split('.')[0] for name in sys.modules}})"
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(answer.stdout.split()) & set(HEAVY)


@pytest.mark.parametrize("module", ["vaedocs", "vaedocs.derivation", "vaedocs.__main__"])
def test_a_light_import_stays_light(module: str) -> None:
    """Neither torch nor mkdocs nor numpy is loaded in a fresh interpreter."""
    assert loaded_by(f"import {module}") == set()


def test_building_the_command_line_stays_light() -> None:
    """Every subcommand adds its options without loading what it will need to run."""
    assert loaded_by("from vaedocs.__main__ import parser\nparser()") == set()


def test_the_test_of_light_imports_can_fail() -> None:
    """The same question asked of a section finds torch."""
    assert "torch" in loaded_by("import vaedocs.kl_divergence")


@pytest.mark.parametrize("section", SECTIONS)
def test_a_section_is_one_name(section: str) -> None:
    """Page, module and test carry the same name."""
    assert (DOCS / f"{section}.md").is_file()
    assert (ROOT / "tests" / f"test_{section}.py").is_file()


@pytest.mark.parametrize("section", SECTIONS)
def test_a_section_teaches_with_its_own_code(section: str) -> None:
    """Each page has a checked display, shows code by object, and a figure or number it computed."""
    text = (DOCS / f"{section}.md").read_text(encoding="utf-8")
    assert text.startswith("---\ndescription: "), "the front matter needs a description"
    assert "\n$$" in text, "no displayed equation"
    assert "/// source | vaedocs." in text, "no code shown by object"
    assert "/// figure | vaedocs." in text or "{{ vaedocs." in text, "no computed figure or number"
    assert '??? success "' in text, "no exercise with a folded answer"
    for heading in ("What to remember", "Where this comes from"):
        assert f"## {heading}" in text, f"no heading {heading!r}"
    assert "\n```python" not in text, "code is shown by object, never typed into a page"


@pytest.mark.parametrize(("number", "section"), list(enumerate(SECTIONS, 1)))
def test_equations_are_numbered_by_the_place_in_the_navigation(number: int, section: str) -> None:
    """Equation (8.2) is on the eighth page of the contents, so no two pages share a number."""
    front = (DOCS / f"{section}.md").read_text(encoding="utf-8").split("\n---\n")[0]
    assert f"section: {number}" in front.split("\n"), (
        f"docs/{section}.md: section {number} of the navigation; say so in its front matter: "
        f"section: {number}"
    )


def test_every_page_is_in_the_navigation() -> None:
    """No page is reachable by search alone, and none is promised that is not there."""
    present = {p.relative_to(DOCS).as_posix() for p in DOCS.rglob("*.md")}
    # Written before a build, out of version control, and listed in code.md.
    present = {page for page in present if not page.startswith("code/")}
    present |= {p.relative_to(DOCS).as_posix() for p in (DOCS / "labs").glob("*.py")}
    assert set(NAV) == present
    assert len(NAV) == len(set(NAV)), "a page is listed twice"


def test_every_module_of_the_package_is_a_section_or_known() -> None:
    """`ls vaedocs/` is the table of contents: nothing lies there that is on no page."""
    modules = {path.stem for path in PACKAGE.glob("*.py")} - {"__init__", "__main__", *SHARED}
    assert modules == set(SECTIONS)


def test_the_home_page_lists_the_sections_in_order() -> None:
    """The numbered contents are the navigation, in the same order."""
    home = (DOCS / "index.md").read_text(encoding="utf-8").split("## Contents")[1]
    listed = [line.split("](")[1].split(".md")[0] for line in home.splitlines() if "](" in line]
    assert listed[: len(SECTIONS)] == SECTIONS


@pytest.mark.parametrize("symbol", tables.symbols(), ids=lambda symbol: symbol["latex"])
def test_the_checker_reads_every_symbol(symbol: dict[str, str]) -> None:
    """What the notation page lists, the checker can read, and the named page uses."""
    assert parse(symbol["latex"]).chains
    text = (DOCS / f"{symbol['page']}.md").read_text(encoding="utf-8")
    letter = symbol["latex"].partition("(")[0].partition("_{q")[0].partition("_j")[0]
    assert letter in text, f"{symbol['page']}.md does not introduce {letter}"


def test_no_symbol_is_listed_twice() -> None:
    listed = [symbol["latex"] for symbol in tables.symbols()]
    assert len(listed) == len(set(listed))
    assert "/// notation" in (DOCS / "notation.md").read_text(encoding="utf-8")


def test_every_citation_has_its_reference() -> None:
    """Each `references.md#author-year` on a page is an anchor there, and each is cited or kept."""
    anchors = (DOCS / "references.md").read_text(encoding="utf-8")
    for page in DOCS.glob("*.md"):
        for target in page.read_text(encoding="utf-8").split("references.md#")[1:]:
            anchor = target.split(")")[0]
            assert f"{{: #{anchor} " in anchors, f"{page.name} cites {anchor}, which is not listed"


def test_constraints_pin_every_direct_dependency() -> None:
    """CI installs what constraints.txt says, not what a registry serves that day."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pins = {
        line.split("==")[0].lower().replace("_", "-")
        for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
        if "==" in line
    }
    wanted = project["dependencies"] + [
        requirement for extra in project["optional-dependencies"].values() for requirement in extra
    ]
    names = {
        requirement.split("[")[0].split("=")[0].split(">")[0].split("<")[0].strip().lower()
        for requirement in wanted
    } - {"vaedocs"}
    assert names <= pins, f"not pinned: {sorted(names - pins)}"
    assert "torch==2.13.0\n" in (ROOT / "constraints.txt").read_text(encoding="utf-8")

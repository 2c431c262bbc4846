"""Where things are, and what mkdocs.yml says, for the tests that look at the whole house."""

from __future__ import annotations

from pathlib import Path

import yaml

ROOT = Path(__file__).parent.parent.parent
PACKAGE = ROOT / "vaedocs"
DOCS = ROOT / "docs"
SITE = ROOT / "site"


class Configuration(yaml.SafeLoader):
    """mkdocs.yml holds `!ENV [NAME, default]`, which only MkDocs understands: read the default."""


def default(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> object:
    """What an `!ENV` stands for where no variable is set; null for other tags and single names."""
    is_list = isinstance(node, yaml.SequenceNode)
    return loader.construct_sequence(node)[-1] if suffix == "!ENV" and is_list else None


Configuration.add_multi_constructor("", default)


def pages(nav: object) -> list[str]:
    """The files of a navigation tree, in order.

    >>> pages([{"Home": "index.md"}, {"Part": [{"A": "a.md"}, "b.md"]}])
    ['index.md', 'a.md', 'b.md']
    """
    if isinstance(nav, str):
        return [nav]
    children = nav.values() if isinstance(nav, dict) else nav
    return [page for child in children for page in pages(child)]


def titles(nav: object) -> dict[str, str]:
    """The title that the navigation gives to each file.

    >>> titles([{"Home": "index.md"}, {"Part": [{"A": "a.md"}]}])
    {'index.md': 'Home', 'a.md': 'A'}
    """
    found: dict[str, str] = {}
    for entry in nav if isinstance(nav, list) else []:
        for title, child in entry.items():
            found |= {child: title} if isinstance(child, str) else titles(child)
    return found


CONFIGURATION = yaml.load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"), Configuration)
NAV = pages(CONFIGURATION["nav"])
TITLES = titles(CONFIGURATION["nav"])
# A section is a page with a module of the same name, in the order of the navigation.
SECTIONS = [page[:-3] for page in NAV if (PACKAGE / page).with_suffix(".py").is_file()]

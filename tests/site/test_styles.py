"""Style sheets that stand in the page: the same rules in the same order, and fonts still found."""

from __future__ import annotations

from pathlib import Path

import pytest

from vaedocs.site import gate, styles

PAGE = (
    "<!doctype html><html><head>"
    '<link rel="icon" href="{root}a.svg"><link rel="stylesheet" href="{root}assets/one.css?v=2">'
    "<link href={root}two.css media=print rel=stylesheet><script>1</script>"
    "</head><body><main><p>A page.</p></main></body></html>"
)
ONE = (
    '@charset "UTF-8";@font-face{font-family:A;src:url(fonts/a.woff2)}\n'
    'p{background:url("data:image/png;base64,AA==")}\n/*# sourceMappingURL=one.css.map */'
)


@pytest.fixture
def built(tmp_path: Path) -> Path:
    (tmp_path / "assets" / "fonts").mkdir(parents=True)
    (tmp_path / "assets" / "fonts" / "a.woff2").write_bytes(b"")
    (tmp_path / "a.svg").write_text("<svg/>", encoding="utf-8")
    (tmp_path / "assets" / "one.css").write_text(ONE, encoding="utf-8")
    (tmp_path / "two.css").write_text("p{color:red}", encoding="utf-8")
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "index.html").write_text(PAGE.format(root=""), encoding="utf-8")
    deeper = tmp_path / "deep" / "er" / "index.html"
    deeper.write_text(PAGE.format(root="../../"), encoding="utf-8")
    return tmp_path


def head(site: Path, page: str = "index.html") -> str:
    return (site / page).read_text(encoding="utf-8").partition("</head>")[0]


def test_each_sheet_stands_where_its_link_was(
    built: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert styles.main([str(built)]) == 0
    assert capsys.readouterr().out == "2 pages carry their style sheets.\n"
    rules = 'p{background:url("data:image/png;base64,AA==")}'
    for page, root in (("index.html", ""), ("deep/er/index.html", "../../")):
        face = f"@font-face{{font-family:A;src:url({root}assets/fonts/a.woff2)}}"
        assert head(built, page).endswith(
            f'<link rel="icon" href="{root}a.svg"><style>{face}</style><style>{rules}</style>'
            '<style media="print">p{color:red}</style><script>1</script>'
        )
    assert gate.inspect(built) == [], "the fonts are found from either page"


def test_once_is_enough(built: Path) -> None:
    styles.main([str(built)])
    assert styles.inline_all(built) == 0


@pytest.mark.parametrize(
    "link",
    [
        '<link rel="stylesheet" href="https://a.example/one.css">',
        '<link rel="stylesheet" href="//a.example/one.css">',
        '<link rel="stylesheet" href="/assets/one.css">',
        '<link rel="stylesheet" href="../assets/one.css">',
        '<link rel="stylesheet" href="none.css">',
        '<link rel="stylesheet" href="imports.css">',
        '<link rel="stylesheet" href="ends.css">',
        '<link rel="alternate stylesheet" href="two.css">',
        '<link rel="preload" as="style" href="two.css">',
    ],
)
def test_what_cannot_stand_in_the_page_stays_a_link(built: Path, link: str) -> None:
    (built / "imports.css").write_text('@import "two.css";', encoding="utf-8")
    (built / "ends.css").write_text('p::after{content:"</style>"}', encoding="utf-8")
    page = f"<head>{link}</head><body></body>"
    assert styles.inlined(page, "index.html", built) == page


def test_the_text_of_a_page_is_left_alone(built: Path) -> None:
    page = '<head></head><body><link rel="stylesheet" href="two.css"></body>'
    assert styles.inlined(page, "index.html", built) == page


def test_no_site(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert styles.main([str(tmp_path)]) == 1
    assert "build the site first" in capsys.readouterr().err

"""Every row of a page is a test of its own, and fails in the checker's words."""

pytest_plugins = ["pytester"]

PAGE = """
$$ \\label{eq:right} p(x, z) = p(x \\mid z)\\, p(z) $$

$$
\\begin{aligned}
\\log p(x) &= \\log \\int p(x, z)\\, dz \\\\
&= \\int \\log p(x, z)\\, dz
\\end{aligned}
$$
"""
INI = "[pytest]\nvaedocs_docs = docs\naddopts = -p vaedocs.derivation.pytest_plugin\n"


def run(pytester, page=PAGE, *arguments):
    pytester.makefile(".ini", pytest=INI)
    pytester.mkdir("docs").joinpath("page.md").write_text(page)
    return pytester.runpytest_subprocess("docs", *arguments)


def test_rows_are_items_named_by_line_label_and_row(pytester):
    result = run(pytester, PAGE, "--collect-only", "-q")
    result.stdout.fnmatch_lines(
        ["docs/page.md::2::eq:right::row 1", "docs/page.md::4::row 1", "docs/page.md::4::row 2"]
    )


def test_a_failure_is_the_message_and_no_traceback(pytester):
    result = run(pytester)
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["*docs/page.md:7: row 2 is wrong*"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_a_display_that_cannot_be_read_is_one_failing_item(pytester):
    result = run(pytester, "$$ \\log p(x) q(z) = 0 $$\n")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*is this factor inside the logarithm*"])


def test_an_unclosed_display_is_one_failing_item(pytester):
    result = run(pytester, "$$ x = y\n")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*never closed*"])


def test_other_folders_are_left_alone(pytester):
    pytester.makefile(".ini", pytest=INI)
    pytester.mkdir("notes").joinpath("page.md").write_text("$$ x = y $$")
    assert pytester.runpytest_subprocess("notes").ret == 5

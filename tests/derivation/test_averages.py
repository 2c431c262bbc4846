r"""The fact by which a row holds is the one that its author uses: no proof of Gibbs' inequality
rests on Gibbs' inequality, and Jensen's is called by its name.
"""

import pytest

from vaedocs.derivation import check

TANGENT, JENSEN, GIBBS = "log t ≤ t - 1, averaged", "Jensen's inequality", "Gibbs' inequality"
POSITIVE = "f(z) > 0; a_n > 0"

NAMED = [
    (r"E_{p(x)}[\log\frac{q(x)}{p(x)}] \leq E_{p(x)}[\frac{q(x)}{p(x)} - 1]", TANGENT),
    (r"\int p(x) \log\frac{q(x)}{p(x)} dx \leq \int p(x) (\frac{q(x)}{p(x)} - 1) dx", TANGENT),
    (r"2 E_{q(z)}[f(z) - 1] \geq 2 E_{q(z)}[\log f(z)]", TANGENT),
    (r"\frac1K\sum_{n=1}^K \log a_n \leq \frac1K\sum_{n=1}^K (a_n - 1)", TANGENT),
    (r"\log E_{q(z)}[f(z)] \geq E_{q(z)}[\log f(z)]", JENSEN),
    (r"\log E_{q(z)}[f(z)] - E_{q(z)}[\log f(z)] \geq 0", JENSEN),
    (r"-\log \int q(z) f(z) dz \leq -\int q(z) \log f(z) dz", JENSEN),
    (r"\log \frac1K\sum_{n=1}^K a_n \geq \frac1K\sum_{n=1}^K \log a_n", JENSEN),
    (r"\log \frac13\sum_{n=1}^3 a_n \geq \frac13\sum_{n=1}^3 \log a_n", JENSEN),
    (r"D_{KL}(q(z)\|p(z)) \geq 0", GIBBS),
    (r"\log p(x) \geq E_{q(z|x)}[\log\frac{p(x,z)}{q(z|x)}]", GIBBS),
]

WRONG = [
    r"E_{p(x)}[\log\frac{q(x)}{p(x)}] \geq E_{p(x)}[\frac{q(x)}{p(x)} - 1]",
    r"E_{p(x)}[\log\frac{q(x)}{p(x)}] \leq E_{p(x)}[\frac{q(x)}{p(x)} - 2]",
    r"E_{p(x)}[\log\frac{q(x)}{p(x)}] \leq E_{p(x)}[\frac{q(x)}{2 p(x)} - 1]",
    r"-E_{q(z)}[\log f(z)] \leq -E_{q(z)}[f(z) - 1]",
    r"E_{q(z)}[f(z) \log f(z)] \leq E_{q(z)}[f(z) - 1]",
    r"\log E_{q(z)}[f(z)] \leq E_{q(z)}[\log f(z)]",
    r"\log E_{q(z)}[f(z)] \geq E_{q(z)}[\log(2 f(z))]",
    r"2 \log E_{q(z)}[f(z)] \geq E_{q(z)}[\log f(z)]",
    r"\log \int f(z) dz \geq \int \log f(z) dz",
    r"\log \sum_{n=1}^K a_n \geq \sum_{n=1}^K \log a_n",
    r"\log \frac1K\sum_{n=1}^K a_n \leq \frac1K\sum_{n=1}^K \log a_n",
]


@pytest.mark.parametrize(("latex", "fact"), NAMED)
def test_a_row_is_proved_by_the_fact_it_shows(latex: str, fact: str) -> None:
    (row,) = check(latex, POSITIVE).rows
    assert row.verdict == "proved"
    assert {TANGENT, JENSEN, GIBBS} & set(row.uses) == {fact}


@pytest.mark.parametrize("latex", WRONG)
def test_its_wrong_neighbour_is_refuted(latex: str) -> None:
    assert check(latex, POSITIVE).verdict == "refuted"

"""The same page gets the same report in every process, whatever the hash seed."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

PAGE = r"""
<!-- given: \ell := -\log p(x) + D_{\mathrm{KL}}\left(q(z \mid x) \,\|\, p(z \mid x)\right) -->
$$ \ell = \log p(x) - D_{\mathrm{KL}}\left(q(z \mid x) \,\|\, p(z \mid x)\right) $$

<!-- given: \mathcal{L} := \mathbb{E}_{q(z \mid x)}[\log p(x, z) - \log q(z \mid x)] -->
$$ \mathcal{L} = \mathbb{E}_{q(z \mid x)}\left[\log p(x, z) - q(z \mid x)\right] $$

$$ \log p(x) \geq \mathbb{E}_{q(z \mid x)}\left[\log \frac{p(x, z)}{q(z \mid x)}\right] $$

$$ D_{\mathrm{KL}}\left(q(z) \,\|\, p(z)\right) \leq D_{\mathrm{KL}}\left(q(z) \,\|\, r(z)\right) $$

<!-- given: \sigma > 0 -->
$$ D_{\mathrm{KL}}\left(\mathcal{N}(\mu, \sigma^2) \,\|\, \mathcal{N}(0, 1)\right)
= \mu^2 + \sigma^2 - \log \sigma - \frac{1}{2} $$

<!-- given: U \in \mathbb{R}^{N \times M} \\ U^\top U = I_M -->
$$ \mathrm{tr}(U U^\top) = N $$
"""


def report(page: Path, seed: int) -> list[dict[str, Any]]:
    """What is found under one hash seed, without times."""
    ran = subprocess.run(
        [sys.executable, "-m", "vaedocs", "check", str(page), "--json", "-"],
        env={**os.environ, "PYTHONHASHSEED": str(seed)},
        capture_output=True,
        text=True,
        check=False,
    )
    made = json.loads(ran.stdout)
    for found in made:
        del found["seconds"]
        for row in found["rows"]:
            del row["seconds"]
    return list(made)


def test_two_hash_seeds_give_one_report(tmp_path: Path) -> None:
    page = tmp_path / "notes.md"
    page.write_text(PAGE, encoding="utf-8")
    one, other = (report(page, seed) for seed in (1, 2))
    assert one == other
    assert [found["verdict"] for found in one].count("refuted") == 5

r"""LaTeX in, verdict out: derivations about densities, expectations and matrices, decided row by
row.

>>> from vaedocs.derivation import check
>>> print(check(r"p(z \mid x) = \frac{p(x \mid z)\,p(z)}{\int p(x \mid z)\,p(z)\,dz}").verdict)
proved
"""

from vaedocs.derivation.check import check
from vaedocs.derivation.errors import NotCheckable
from vaedocs.derivation.report import Report, Row

__all__ = ["NotCheckable", "Report", "Row", "check"]

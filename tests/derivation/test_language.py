# ruff: noqa: E501 (a table of pairs reads better with each formula on one line)
r"""Everything the language promises, item by item: a right display that passes, a wrong one that is refuted.

The two of a pair differ in one thing, so the wrong one shows that the notation was read and not
skipped.
"""

from __future__ import annotations

from collections import defaultdict

import pytest

from vaedocs.derivation import check
from vaedocs.derivation.report import REFUTED

# (item, hypotheses, right, wrong)
PAIRS: list[tuple[str, str, str, str]] = [
    # densities
    ("conditioning with |", "", r"p(x,z) = p(x|z)p(z)", r"p(x,z) = p(x|z)p(x)"),
    ("conditioning with mid", "", r"p(x,z) = p(x \mid z)p(z)", r"p(x,z) = p(z \mid x)p(z)"),
    ("conditioning with vert", "", r"p(z \vert x) p(x) = p(x \vert z) p(z)", r"p(z \vert x) p(z) = p(x \vert z) p(x)"),
    ("several heads", "", r"r(y) = \int r(y|w) r(w) dw", r"r(y) = \int r(y|w) dw"),
    ("mass functions", "x discrete", r"\log p(x) \leq 0", r"\log p(x) \geq 0"),
    ("parameters as subscripts", "", r"\log p_\theta(x) \geq \mathbb{E}_{q_\phi(z|x)}\left[\log\frac{p_\theta(x,z)}{q_\phi(z|x)}\right]", r"\log p_\theta(x) \leq \mathbb{E}_{q_\phi(z|x)}\left[\log\frac{p_\theta(x,z)}{q_\phi(z|x)}\right]"),
    ("an observation as subscript", "q_x(z) = q(z|x)", r"\int q_x(z)\,dz = 1", r"\int q_x(z)\,dz = 2"),
    ("bold letters", "", r"p(\mathbf{x},\boldsymbol{z}) = p(\mathbf{x}|\mathbf{z})p(\mathbf{z})", r"p(\mathbf{x},\boldsymbol{z}) = p(\mathbf{x}|\mathbf{z})"),
    ("hats", r"\hat{x} := 2 x", r"\hat{x} - x = x", r"\hat{x} - x = 2 x"),
    ("primes", "", r"\int p(z') p(x|z') dz' = p(x)", r"\int p(z') p(x|z') dz' = p(z)"),
    ("subscripts that number copies", "", r"\mathbb{E}_{z_1, z_2 \sim q(z|x)}\left[f(z_1) + f(z_2)\right] = 2\,\mathbb{E}_{q(z|x)}[f(z)]", r"\mathbb{E}_{z_1, z_2 \sim q(z|x)}\left[f(z_1) f(z_2)\right] = \mathbb{E}_{q(z|x)}[f(z)^2]"),
    ("indices in brackets", "", r"\sum_{i=1}^{N} \left(\log p(x^{(i)}, z) - \log p(z|x^{(i)})\right) = \sum_{i=1}^{N} \log p(x^{(i)})", r"\sum_{i=1}^{N} \left(\log p(x^{(i)}, z) - \log p(z|x^{(i)})\right) = N \log p(z)"),
    ("a density for every k", r"\pi \in \Delta^{K-1}", r"\sum_{k=1}^{K} \pi_k \int q_k(x) \, dx = 1", r"\sum_{k=1}^{K} \pi_k q_k(x) = q_1(x)"),
    ("two values of a parameter", "", r"\int p(x; \theta) \frac{p(x; \theta')}{p(x; \theta)} \, dx = 1", r"\int p(x; \theta) \frac{p(x; \theta')}{p(x; \theta)} \, dx = \int p(x; \theta)^2 \, dx"),
    ("probabilities of labels", r"p(z=k) = \pi_k", r"p(x) = \sum_{k=1}^{K} \pi_k p(x \mid z=k)", r"p(x) = \sum_{k=1}^{K} \pi_k p(z=k \mid x)"),
    ("over between braces", "", r"\log {p(x,z) \over p(z)} = \log p(x|z)", r"\log {p(x,z) \over p(z)} = \log p(z|x)"),
    ("products side by side", "", r"\prod_{i=1}^{N} a_i \prod_{i=1}^{N} b_i \prod_{i=1}^{N} c_i = \prod_{i=1}^{N} a_i b_i c_i", r"\prod_{i=1}^{N} a_i \prod_{i=1}^{N} b_i = \prod_{i=1}^{N} a_i b_i^2"),
    ("weights called r", r"\sigma > 0", r"\frac{\partial}{\partial \mu} \sum_{n=1}^{N} r_n \log \mathcal{N}(x_n; \mu, \sigma^2) = \frac{1}{\sigma^2} \sum_{n=1}^{N} r_n (x_n - \mu)", r"\frac{\partial}{\partial \mu} \sum_{n=1}^{N} r_n \log \mathcal{N}(x_n; \mu, \sigma^2) = \sum_{n=1}^{N} r_n (x_n - \mu)"),
    # expectations
    ("E with a density", "", r"\mathbb{E}_{q(z|x)}[\log p(x)] = \log p(x)", r"\mathbb{E}_{q(z|x)}[\log p(z)] = \log p(z)"),
    ("E with sim", "", r"\mathbb{E}_{z \sim q_\phi(z|x)}[\log p(x)] = \log p(x)", r"\mathbb{E}_{z \sim q_\phi(z|x)}[\log p(z)] = \log p(z)"),
    ("E in roman, round brackets", "", r"\mathrm{E}_{q(z)}\left(2 z\right) = 2\,\mathrm{E}_{q(z)}\left(z\right)", r"\mathrm{E}_{q(z)}\left(2 z\right) = \mathrm{E}_{q(z)}\left(z\right)"),
    ("E as a letter, braces", "", r"E_{q(z)}\{z + 1\} = E_{q(z)}\{z\} + 1", r"E_{q(z)}\{z + 1\} = E_{q(z)}\{z\}"),
    ("operatorname", "", r"\operatorname{E}_{q(z)}[3] = 3", r"\operatorname{E}_{q(z)}[3] = 1"),
    ("nested expectations", "", r"\mathbb{E}_{p(x)}\left[\mathbb{E}_{p(z|x)}[f(z)]\right] = \mathbb{E}_{p(z)}[f(z)]", r"\mathbb{E}_{p(x)}\left[\mathbb{E}_{p(z|x)}[f(z)]\right] = \mathbb{E}_{p(z|x)}[f(z)]"),
    ("several variables", "", r"\mathbb{E}_{p(x,z)}[\log p(x|z) + \log p(z)] = \mathbb{E}_{p(x,z)}[\log p(x,z)]", r"\mathbb{E}_{p(x,z)}[\log p(x|z) + \log p(x)] = \mathbb{E}_{p(x,z)}[\log p(x,z)]"),
    # divergences and entropies
    ("KL as D_KL", "", r"D_{KL}(q(z)\|p(z)) \geq 0", r"D_{KL}(q(z)\|p(z)) \leq 0"),
    ("KL as a word", "", r"\mathrm{KL}[q(z)||p(z)] = \mathbb{E}_{q(z)}[\log q(z) - \log p(z)]", r"\mathrm{KL}[q(z)||p(z)] = \mathbb{E}_{p(z)}[\log q(z) - \log p(z)]"),
    ("KL with parallel", "", r"D_{\mathrm{KL}}(q(z) \parallel p(z)) = -\mathbb{E}_{q(z)}\left[\log \frac{p(z)}{q(z)}\right]", r"D_{\mathrm{KL}}(q(z) \parallel p(z)) = \mathbb{E}_{q(z)}\left[\log \frac{p(z)}{q(z)}\right]"),
    ("entropy", "H(q) := -\\mathbb{E}_q[\\log q]", r"D_{KL}(q(z)\|p(z)) = -H(q(z)) - \mathbb{E}_{q(z)}[\log p(z)]", r"D_{KL}(q(z)\|p(z)) = H(q(z)) - \mathbb{E}_{q(z)}[\log p(z)]"),
    ("cross-entropy", "", r"\mathrm{H}(p(x), q(x)) = \mathrm{H}(p(x)) + D_{KL}(p(x)\|q(x))", r"\mathrm{H}(p(x), q(x)) = \mathrm{H}(q(x)) + D_{KL}(p(x)\|q(x))"),
    ("conditional entropy", r"H(z|x) := -\mathbb{E}_{p(x,z)}[\log p(z|x)]; H(z) := -\mathbb{E}_{p(z)}[\log p(z)]", r"H(z|x) \leq H(z)", r"H(z|x) \geq H(z)"),
    ("mutual information", r"I(x;z) := D_{KL}(p(x,z)\|p(x)p(z))", r"I(x;z) = \mathbb{E}_{p(x)}[D_{KL}(p(z|x)\|p(z))]", r"I(x;z) = \mathbb{E}_{p(x)}[D_{KL}(p(z)\|p(z|x))]"),
    # integrals, sums, functions
    ("integrals", "", r"\int q(z|x) \log p(x)\,dz = \log p(x)", r"\int q(z|x) \log p(z)\,dz = \log p(z)"),
    ("integrals in braces", "", r"\int{p(x|z) p(z)\,dz} = p(x)", r"\int{p(x|z)\,dz} = p(x)"),
    ("limits of an integral", "", r"\int_0^1 x^2 dx = \frac{1}{3}", r"\int_0^1 x^2 dx = \frac{1}{2}"),
    ("sums over values", "z discrete", r"\sum_z p(x|z) p(z) = p(x)", r"\sum_z p(x|z) = p(x)"),
    ("finite sums", "", r"\sum_{j=1}^{M} 2 a_j = 2 \sum_{j=1}^{M} a_j", r"\sum_{j=1}^{M} a_j^2 = \left(\sum_{j=1}^{M} a_j\right)^2"),
    ("log and ln", "a > 0; b > 0", r"\log(a b) = \ln a + \ln b", r"\log(a + b) = \ln a + \ln b"),
    ("exp and powers of e", "", r"\exp(a + b) = e^{a} e^{b}", r"\exp(a + b) = e^{a} + e^{b}"),
    ("fractions", "b > 0", r"\frac{a}{b} + \tfrac{1}{2} = \frac{2 a + b}{2 b}", r"\frac{a}{b} + \tfrac{1}{2} = \frac{a + b}{2 b}"),
    ("roots and powers", "a > 0", r"\sqrt{a}\,\sqrt{a^3} = a^2", r"\sqrt{a}\,\sqrt{a^3} = a^3"),
    # families
    ("one normal variable", r"\sigma > 0", r"\mathbb{E}_{\mathcal{N}(z;\mu,\sigma^2)}[z^2] = \mu^2 + \sigma^2", r"\mathbb{E}_{\mathcal{N}(z;\mu,\sigma^2)}[z^2] = \mu^2 + \sigma"),
    ("diagonal covariance", r"q(z|x) = \mathcal{N}(\mu, \mathrm{diag}(\sigma^2)); p(z) = \mathcal{N}(0, I); \sigma_j > 0", r"D_{KL}(q(z|x)\|p(z)) = \frac{1}{2}\sum_{j=1}^{J}(\mu_j^2 + \sigma_j^2 - 1 - \log\sigma_j^2)", r"D_{KL}(q(z|x)\|p(z)) = \frac{1}{2}\sum_{j=1}^{J}(\mu_j^2 + \sigma_j^2 - 1 + \log\sigma_j^2)"),
    ("full covariance", r"x \in \mathbb{R}^d; \Sigma \in \mathbb{R}^{d \times d} symmetric positive definite; p(x) = \mathcal{N}(\mu, \Sigma)", r"-\log p(x) = \frac{d}{2}\log(2\pi) + \frac{1}{2}\log|\Sigma| + \frac{1}{2}(x-\mu)^\top\Sigma^{-1}(x-\mu)", r"-\log p(x) = \frac{d}{2}\log(2\pi) + \frac{1}{2}\log|\Sigma| + \frac{1}{2}(x-\mu)^\top\Sigma(x-\mu)"),
    ("Bernoulli", r"p(x) = \mathrm{Bernoulli}(x; \lambda); 0 < \lambda < 1", r"\mathbb{E}_{p(x)}[x] = \lambda", r"\mathbb{E}_{p(x)}[x] = 1 - \lambda"),
    ("categorical", r"p(k) = \mathrm{Cat}(k; \pi); \pi \in \Delta^{K-1}", r"p(k) = \pi_k", r"p(k) = \pi_k^2"),
    # linear algebra
    ("norms", r"x \in \mathbb{R}^N; y \in \mathbb{R}^N", r"\lVert x + y \rVert^2 = \lVert x \rVert^2 + 2 x^\top y + \lVert y \rVert^2", r"\lVert x + y \rVert^2 = \lVert x \rVert^2 + \lVert y \rVert^2"),
    ("inner products", r"x \in \mathbb{R}^N; y \in \mathbb{R}^N", r"\langle x, y \rangle = x^T y", r"\langle x, y \rangle = \|x\| \|y\|"),
    ("transposes", r"A \in \mathbb{R}^{N \times M}; B \in \mathbb{R}^{M \times N}", r"(A B)^\top = B^\top A^\top", r"(A B)^\top = B A"),
    ("traces", r"A \in \mathbb{R}^{N \times M}; B \in \mathbb{R}^{M \times N}", r"\mathrm{tr}(A B) = \operatorname{tr}(B A)", r"\mathrm{tr}(A B) = \operatorname{tr}(A)\operatorname{tr}(B)"),
    ("traces with a diagonal matrix", r"W \in \mathbb{R}^{N \times M}; s \in \mathbb{R}^M", r"\mathrm{tr}(W \mathrm{diag}(s) W^\top) = \sum_{j=1}^M (W^\top W)_{jj} s_j", r"\mathrm{tr}(W^\top W \mathrm{diag}(s)) = \sum_{j=1}^M s_j (W^\top W)_{jj}^2"),
    ("traces with two diagonal matrices", r"A, D \in \mathbb{R}^{M \times M}; D diagonal; s \in \mathbb{R}^M", r"\mathrm{tr}(D A^\top \mathrm{diag}(s)) = \sum_{j=1}^M A_{jj} D_{jj} s_j", r"\mathrm{tr}(D A^\top \mathrm{diag}(s)) = \sum_{j=1}^M A_{jj} s_j"),
    ("determinants", r"A, B \in \mathbb{R}^{n \times n}", r"\det(A B) = \det(A) \det(B)", r"\det(A + B) = \det(A) + \det(B)"),
    ("inverses", r"A \in \mathbb{R}^{n \times n} invertible; x \in \mathbb{R}^n", r"A^{-1} A x = x", r"A^{-1} x = A x"),
    ("a vector of its entries", r"x = \begin{pmatrix} x_1 \\ \vdots \\ x_n \end{pmatrix}", r"x^\top x = \sum_{i=1}^n x_i^2", r"x^\top x = \sum_{i=1}^n x_i"),
    ("a list in one line", r"x := (a, b)^\top", r"x^\top x = a^2 + b^2", r"x^\top x = a^2 - b^2"),
    ("columns and rows", r"A := [a_1, \dots, a_n]; B := [b_1, \dots, b_n]^\top; a_i, b_i \in \mathbb{R}^m", r"A B = \sum_{i=1}^n a_i b_i^\top", r"A B = \sum_{i=1}^n b_i a_i^\top"),
    ("columns of a declared matrix", r"U = [u_1, \dots, u_k]; U \in \mathbb{R}^{n \times k}; U^\top U = I_k", r"u_i^\top u_j = \delta_{ij}", r"u_i^\top u_j = 1"),
    ("orthonormal vectors", r"u_i^\top u_j = \delta_{ij}; u_i \in \mathbb{R}^n", r"\left\| \sum_{i=1}^{k} a_i u_i \right\|^2 = \sum_{i=1}^{k} a_i^2", r"\left\| \sum_{i=1}^{k} a_i u_i \right\|^2 = \left( \sum_{i=1}^{k} a_i \right)^2"),
    ("dots on the diagonal", "", r"\det \begin{pmatrix} a_1 & & \\ & \ddots & \\ & & a_n \end{pmatrix} = \prod_{i=1}^n a_i", r"\det \begin{pmatrix} a_1 & & \\ & \ddots & \\ & & a_n \end{pmatrix} = \sum_{i=1}^n a_i"),
    ("matrices of blocks", r"A \in \mathbb{R}^{n \times n} invertible; D \in \mathbb{R}^{m \times m} invertible; B \in \mathbb{R}^{n \times m}", r"\begin{bmatrix} A & B \\ 0 & D \end{bmatrix}^{-1} = \begin{bmatrix} A^{-1} & -A^{-1} B D^{-1} \\ 0 & D^{-1} \end{bmatrix}", r"\begin{bmatrix} A & B \\ 0 & D \end{bmatrix}^{-1} = \begin{bmatrix} A^{-1} & A^{-1} B D^{-1} \\ 0 & D^{-1} \end{bmatrix}"),
    ("diagonal matrices", r"s \in \mathbb{R}^n; x \in \mathbb{R}^n", r"\mathrm{diag}(s)\, x = s \odot x", r"\mathrm{diag}(s)\, x = s + x"),
    ("Hadamard products", r"s, x \in \mathbb{R}^n", r"s \odot x = x \odot s", r"s \odot x = x \odot x"),
    ("entries before brackets", r"\Lambda \in \mathbb{R}^{M \times M}; \lambda, m, s \in \mathbb{R}^M", r"\sum_{j=1}^{M} \lambda_j (s_j + m_j) + \sum_{j=1}^{M} \sum_{k=1}^{M} s_j \Lambda_{jk} (m_k + s_k) = \lambda^\top (s + m) + s^\top \Lambda (m + s)", r"\sum_{j=1}^{M} \lambda_j (s_j + m_j) + \sum_{j=1}^{M} \sum_{k=1}^{M} s_j \Lambda_{jk} (m_k + s_k) = \lambda^\top (s + m) + s^\top \Lambda (m - s)"),
    ("shapes", r"x \in \mathbb{R}^N; z \in \mathbb{R}^M; U \in \mathbb{R}^{N \times M}; M < N", r"z = U^\top x", r"z = U x"),
    # calculus
    ("partial derivatives", "a > 0", r"\frac{\partial}{\partial a} \log a = \frac{1}{a}", r"\frac{\partial}{\partial a} \log a = a"),
    ("ordinary derivatives", "", r"\frac{d}{dt} \sinh t = \cosh t", r"\frac{d}{dt} \cosh t = -\sinh t"),
    ("gradients", r"x \in \mathbb{R}^n; A \in \mathbb{R}^{n \times n} symmetric", r"\nabla_x\, x^\top A x = 2 A x", r"\nabla_x\, x^\top A x = A x"),
    ("gradients in parameters", "", r"\nabla_\theta\, \mathbb{E}_{q(z)}[\log p_\theta(z)] = \mathbb{E}_{q(z)}[\nabla_\theta \log p_\theta(z)]", r"\nabla_\theta\, \mathbb{E}_{p_\theta(z)}[f(z)] = \mathbb{E}_{p_\theta(z)}[\nabla_\theta \log p_\theta(z)]"),
    ("entries of copies", r"J := \frac12\sum_{i=1}^m (w^\top x^{(i)} - y^{(i)})^2; x^{(i)}, w \in \mathbb{R}^n", r"\frac{\partial J}{\partial w_j} = \sum_{i=1}^m (w^\top x^{(i)} - y^{(i)}) x_j^{(i)}", r"\frac{\partial J}{\partial w_j} = \sum_{i=1}^m (w^\top x^{(i)} - y^{(i)})"),
    ("derivatives of a function", r"f smooth", r"\frac{\partial f(z)}{\partial z} = f'(z)", r"\frac{\partial f(z)}{\partial z} = f(z)"),
    ("Jacobians", r"z \in \mathbb{R}^n; A \in \mathbb{R}^{n \times n}; x := A z", r"\frac{\partial x}{\partial z} = A", r"\frac{\partial x}{\partial z} = A^\top"),
    ("variances", "", r"\mathrm{Var}_{q(z)}[a z + b] = a^2\, \mathrm{Var}_{q(z)}[z]", r"\mathrm{Var}_{q(z)}[a z + b] = a\, \mathrm{Var}_{q(z)}[z]"),
    ("covariances", "", r"\mathrm{Cov}_{p(x,z)}[x, z] = \mathbb{E}_{p(x,z)}[x z] - \mathbb{E}_{p(x)}[x]\, \mathbb{E}_{p(z)}[z]", r"\mathrm{Cov}_{p(x,z)}[x, z] = \mathbb{E}_{p(x,z)}[x z]"),
    # products, sequences, extrema
    ("products", "a_i > 0", r"\log \prod_{i=1}^{N} a_i = \sum_{i=1}^{N} \log a_i", r"\log \sum_{i=1}^{N} a_i = \sum_{i=1}^{N} \log a_i"),
    ("sequences", "", r"\log p(x_{1:3}) = \sum_{t=1}^{3} \log p(x_t|x_{<t})", r"\log p(x_{1:3}) = \sum_{t=1}^{3} \log p(x_t)"),
    ("max", "", r"\max(a, b) \geq \frac{a + b}{2}", r"\max(a, b) \leq \frac{a + b}{2}"),
    ("arg max", "", r"\arg\max_{\phi} \mathbb{E}_{q_\phi(z)}[f(z)] = \arg\min_{\phi} \left(-\mathbb{E}_{q_\phi(z)}[f(z)]\right)", r"\arg\max_{\phi} \mathbb{E}_{q_\phi(z)}[f(z)] = \arg\min_{\phi} \mathbb{E}_{q_\phi(z)}[f(z)]"),
    # names
    ("tilde", r"\tilde{\mu} := \mu + 1", r"\tilde{\mu}^2 = \mu^2 + 2\mu + 1", r"\tilde{\mu}^2 = \mu^2 + 1"),
    ("bar", r"\bar{\alpha} := 1 - \alpha", r"\alpha + \bar{\alpha} = 1", r"\alpha \bar{\alpha} = 1"),
    ("calligraphic names", r"\mathcal{L} := \log p(x) - D_{KL}(q(z|x)\|p(z|x))", r"\mathcal{L} \leq \log p(x)", r"\mathcal{L} \leq 0"),
    ("named by words", r"\text{ELBO}(\theta,\phi) := \mathbb{E}_{q_\phi(z|x)}[\log p_\theta(x,z) - \log q_\phi(z|x)]", r"\text{ELBO}(\theta,\phi) \leq \log p_\theta(x)", r"\text{ELBO}(\theta,\phi) \geq \log p_\theta(x)"),
    ("names with letters below", r"H_{pq} := -\mathbb{E}_{p(x)}[\log q(x)]; H_p := -\mathbb{E}_{p(x)}[\log p(x)]", r"H_{pq} \geq H_p", r"H_{pq} \leq H_p"),
    ("means in angle brackets", "", r"\langle f(z) \rangle_{q(z)} + 1 = \langle f(z) + 1 \rangle_{q(z)}", r"\langle f(z) \rangle_{q(z)} = f(z)"),
    # layout
    ("aligned", "", "\\begin{aligned} p(x,z) &= p(x|z) p(z) \\\\ &= p(z|x) p(x) \\end{aligned}", "\\begin{aligned} p(x,z) &= p(x|z) p(z) \\\\ &= p(x|z) p(x) \\end{aligned}"),
    ("align*", "", "\\begin{align*} a + a &= 2 a \\\\ &= 3 a - a \\end{align*}", "\\begin{align*} a + a &= 2 a \\\\ &= 3 a \\end{align*}"),
    ("split", "", "\\begin{split} a + a &= 2 a \\end{split}", "\\begin{split} a + a &= a \\end{split}"),
    ("gathered", "", "\\begin{gathered} a + a = 2 a \\\\ b - b = 0 \\end{gathered}", "\\begin{gathered} a + a = 2 a \\\\ b - b = b \\end{gathered}"),
    ("cases", r"a \in \mathbb{R}", "|a| = \\begin{cases} a & a \\geq 0 \\\\ -a & a < 0 \\end{cases}", "|a| = \\begin{cases} a & a \\geq 0 \\\\ a & a < 0 \\end{cases}"),
    ("claims in braces", "", r"\underbrace{D_{KL}(q(z)\|p(z))}_{\geq 0} = \mathbb{E}_{q(z)}[\log q(z) - \log p(z)]", r"\underbrace{D_{KL}(q(z)\|p(z))}_{\leq 0} = \mathbb{E}_{q(z)}[\log q(z) - \log p(z)]"),
    ("words between", "", r"a + a = 2 a \quad\text{and}\quad b + b = 2 b", r"a + a = 2 a \quad\text{and}\quad b + b = b"),
    ("spacing", "", r"a \, + \; a \: = \! \quad 2 \, a", r"a \, + \; a \: = \! \quad 3 \, a"),
    # relations
    ("less or equal", "", r"a^2 \geq 2 a - 1", r"a^2 \geq 2 a"),
    ("strictly", "", r"e^{a} > 0", r"e^{a} > 1"),
    ("not equal", "a > 0", r"a + 1 \neq a", r"a + a \neq 2 a"),
    ("approximately, shapes at least", r"x \in \mathbb{R}^N; z \in \mathbb{R}^M; U \in \mathbb{R}^{N \times M}; M < N", r"x \approx U z", r"x \approx U^\top z"),
    ("identically", "", r"(a + b)^2 \equiv a^2 + 2 a b + b^2", r"(a + b)^2 \equiv a^2 + b^2"),
    ("proportional", "", r"p(z|x) \propto p(x|z) p(z)", r"p(z|x) \propto p(x|z)"),
    ("up to a term", r"p(x|z) = \mathcal{N}(z, 1)", r"\log p(x|z) = -\frac{(x - z)^2}{2} + \text{const}", r"\log p(x|z) = -(x - z)^2 + \text{const}"),
    ("definitions with :=", "", r"\mathcal{F} := 2 a, \qquad \mathcal{F} = a + a", r"\mathcal{F} := 2 a, \qquad \mathcal{F} = a"),
    ("definitions with a triangle", "", r"\mathcal{F} \triangleq 2 a, \qquad \mathcal{F} = a + a", r"\mathcal{F} \triangleq 2 a, \qquad \mathcal{F} = a"),
    # the notation of tutorials and books
    ("i.i.d. copies, by a product", r"p(x^{(1)},\dots,x^{(N)}) = \prod_{i=1}^N p(x^{(i)})", r"\log p(x^{(1)},\dots,x^{(N)}) = \sum_{i=1}^N \log p(x^{(i)})", r"\log p(x^{(1)},\dots,x^{(N)}) = \frac1N\sum_{i=1}^N \log p(x^{(i)})"),
    ("i.i.d. copies, by a word", r"x_1,\dots,x_N i.i.d.; p(x) = \mathcal{N}(x|\mu,\sigma^2)", r"\ln p(x_1,\dots,x_N) = -\frac{1}{2\sigma^2}\sum_{n=1}^N(x_n-\mu)^2 - \frac N2\ln(2\pi\sigma^2)", r"\ln p(x_1,\dots,x_N) = -\frac{1}{2\sigma^2}\sum_{n=1}^N(x_n-\mu)^2 - \frac 12\ln(2\pi\sigma^2)"),
    ("a list of one joint's variables", "", r"p(x_1,\dots,x_3) = p(x_1)p(x_2|x_1)p(x_3|x_1,x_2)", r"p(x_1,\dots,x_N) = \prod_{i=1}^N p(x_i)"),
    ("copies given a parameter", r"p(x_1,\dots,x_N|\theta) = \prod_{i=1}^N p(x_i|\theta)", r"p(\theta|x_1,\dots,x_N) \propto p(\theta)\prod_{i=1}^N p(x_i|\theta)", r"p(\theta|x_1,\dots,x_N) \propto \prod_{i=1}^N p(x_i|\theta)"),
    ("entropy of a list", "", r"H(X_1,\dots,X_n) \leq \sum_{i=1}^n H(X_i)", r"H(X_1,\dots,X_n) = \sum_{i=1}^n H(X_i)"),
    ("an average of samples", r"z_1,\dots,z_K \sim q(z) i.i.d.", r"\mathrm{Var}\left[\frac1K\sum_{k=1}^K f(z_k)\right] = \frac1K\mathrm{Var}_{q(z)}[f(z)]", r"\mathrm{Var}\left[\frac1K\sum_{k=1}^K f(z_k)\right] = \mathrm{Var}_{q(z)}[f(z)]"),
    ("softmax", "", r"\log \mathrm{softmax}(a)_k = a_k - \log\sum_{j=1}^K e^{a_j}", r"\log \mathrm{softmax}(a)_k = a_k - \sum_{j=1}^K e^{a_j}"),
    ("an entry defined for every index", r"a \in \mathbb{R}^K; s_k := \frac{e^{a_k}}{\sum_{j=1}^K e^{a_j}}", r"\frac{\partial s_i}{\partial a_j} = s_i(\delta_{ij} - s_j)", r"\frac{\partial s_i}{\partial a_j} = s_i(\delta_{ij} - s_i)"),
    ("weights defined for every index", r"w_k := \frac{p(x,z_k)}{q(z_k|x)}", r"\mathbb{E}_{z_1,\dots,z_K\sim q(z|x)}\left[\frac1K\sum_{k=1}^K w_k\right] = p(x)", r"\mathbb{E}_{z_1,\dots,z_K\sim q(z|x)}\left[\sum_{k=1}^K w_k\right] = p(x)"),
    ("a product up to t", r"\alpha_t := 1 - \beta_t; \bar\alpha_t := \prod_{s=1}^t \alpha_s", r"\bar\alpha_t = \alpha_t \bar\alpha_{t-1}", r"\bar\alpha_t = \beta_t \bar\alpha_{t-1}"),
    ("a contrastive loss", r"\mathcal{L} := -\log \frac{e^{s_i}}{\sum_{j=1}^N e^{s_j}}", r"\mathcal{L} \geq 0", r"\mathcal{L} \geq \log N"),
    ("functions numbered by an index", "", r"\sum_{k=1}^K f_k(x) = f_1(x) + \sum_{k=2}^K f_k(x)", r"\sum_{k=1}^K f_k(x) = f_2(x) + \sum_{k=2}^K f_k(x)"),
    ("probabilities that depend on a variable", r"q(z|x) = \mathrm{Cat}(z; \pi(x)); p(z) = \frac1K; z \in \{1,\dots,K\}", r"D_{KL}(q(z|x)\|p(z)) = \log K + \sum_{k=1}^K \pi_k(x)\log\pi_k(x)", r"D_{KL}(q(z|x)\|p(z)) = \log K - \sum_{k=1}^K \pi_k(x)\log\pi_k(x)"),
    ("a label that is chosen", r"q(z=k|x) = \mathbf{1}[k = k^*]; z \in \{1,\dots,K\}", r"\mathbb{E}_{q(z|x)}[z] = k^*", r"\mathbb{E}_{q(z|x)}[z] = k^* + 1"),
    ("a random index", r"i \sim \mathcal{U}\{1,\dots,N\}", r"\mathbb{E}_i[N f(x_i)] = \sum_{i=1}^N f(x_i)", r"\mathbb{E}_i[f(x_i)] = \sum_{i=1}^N f(x_i)"),
    ("draws that were named above", r"z_k \sim q(z)", r"\mathrm{Var}\left[\frac1K\sum_{k=1}^K f(z_k)\right] = \frac1K\mathrm{Var}_{q(z)}[f(z)]", r"\mathrm{Var}\left[\frac1K\sum_{k=1}^K f(z_k)\right] = \mathrm{Var}_{q(z)}[f(z)]"),
    ("an optimum over all functions", "", r"\max_D \left\{\mathbb{E}_{p(x)}[\log D(x)] + \mathbb{E}_{q(x)}[\log(1-D(x))]\right\} = \mathbb{E}_{p(x)}\left[\log\frac{p(x)}{p(x)+q(x)}\right] + \mathbb{E}_{q(x)}\left[\log\frac{q(x)}{p(x)+q(x)}\right]", r"\max_D \left\{\mathbb{E}_{p(x)}[\log D(x)] + \mathbb{E}_{q(x)}[\log(1-D(x))]\right\} = \mathbb{E}_{p(x)}\left[\log\frac{q(x)}{p(x)+q(x)}\right] + \mathbb{E}_{q(x)}\left[\log\frac{p(x)}{p(x)+q(x)}\right]"),
    ("max over an index", "", r"\max_k x_k \leq \log\sum_{k=1}^K e^{x_k} \leq \max_k x_k + \log K", r"\log\sum_{k=1}^K e^{x_k} \leq \max_k x_k"),
    ("indicators", "", r"\mathbb{E}_{p(x)}[\mathbb{1}[x > 0]] \leq 1", r"\mathbb{E}_{p(x)}[1_{\{x > 0\}}] \geq 1"),
    ("families named behind their use", "", r"D_{KL}(q\,\|\,p) = \frac{\mu^2}{2}, \quad q = \mathcal{N}(\mu,1), \quad p = \mathcal{N}(0,1)", r"D_{KL}(q\,\|\,p) = \mu^2, \quad q = \mathcal{N}(\mu,1), \quad p = \mathcal{N}(0,1)"),
    ("quantities named behind their use", "", r"\ln p(X|\theta) = \mathcal{L}(q,\theta) + \mathrm{KL}(q\|p), \quad \mathcal{L}(q,\theta) = \sum_Z q(Z)\ln\frac{p(X,Z|\theta)}{q(Z)}, \quad \mathrm{KL}(q\|p) = -\sum_Z q(Z)\ln\frac{p(Z|X,\theta)}{q(Z)}", r"\ln p(X|\theta) = \mathcal{L}(q,\theta) + \mathrm{KL}(q\|p), \quad \mathcal{L}(q,\theta) = \sum_Z q(Z)\ln\frac{p(X,Z|\theta)}{q(Z)}, \quad \mathrm{KL}(q\|p) = \sum_Z q(Z)\ln\frac{p(Z|X,\theta)}{q(Z)}"),
    ("a gradient in the only parameter", "", r"\nabla \log p_\theta(x) = \frac{\nabla p_\theta(x)}{p_\theta(x)}", r"\nabla \log p_\theta(x) = \nabla p_\theta(x)"),
    ("a score times a bracket", "", r"\nabla_\phi \mathbb{E}_{q_\phi(z)}[f(z)] = \mathbb{E}_{q_\phi(z)}[\nabla_\phi\log q_\phi(z)(f(z)-b)]", r"\nabla_\phi \mathbb{E}_{q_\phi(z)}[f(z)] = \mathbb{E}_{q_\phi(z)}[\nabla_\phi\log q_\phi(z)(f(z)-z)]"),
    ("a prior without the parameter", r"p_\theta(x,z) = p_\theta(x|z)p(z)", r"\nabla_\theta \log p_\theta(x,z) = \nabla_\theta\log p_\theta(x|z)", r"\nabla_\theta \log p_\theta(x,z) = \nabla_\theta\log p_\theta(x)"),
    ("a derivative in a variance", r"\sigma>0", r"\frac{\partial}{\partial\sigma^2}\mathbb{E}_{\mathcal{N}(z;\mu,\sigma^2)}[z^2] = 1", r"\frac{\partial}{\partial\sigma^2}\mathbb{E}_{\mathcal{N}(z;\mu,\sigma^2)}[z^2] = 2\sigma"),
    ("two quotients in one logarithm", "", r"\mathbb{E}_{q(z|x)}\left[\log\frac{p(x,z)}{q(z|x)}\frac{q(z|x)}{p(z|x)}\right] = \log p(x)", r"\mathbb{E}_{q(z|x)}\left[\log\frac{p(x,z)}{q(z|x)}\frac{q(z|x)}{p(z|x)}\right] = \log p(z)"),
    ("the slope of an inverse", "x = f(z); f invertible", r"p(x) = p(z) \left|\frac{dz}{dx}\right|", r"p(x) = p(z) \left|\frac{dx}{dz}\right|"),
    ("an inverse function", "x = f(z); f invertible", r"p_X(x) = p_Z(f^{-1}(x)) \left|\det \frac{\partial f^{-1}(x)}{\partial x}\right|", r"p_X(x) = p_Z(f^{-1}(x)) \left|\det \frac{\partial f(z)}{\partial z}\right|"),
    ("the Jacobian of a function", r"x = f(z); f invertible; x, z \in \mathbb{R}^d", r"\log p_X(x) = \log p_Z(z) - \log\left|\det J_f(z)\right|", r"\log p_X(x) = \log p_Z(z) + \log\left|\det J_f(z)\right|"),
    ("an affine flow", r"x = e^{s} z + t; p(z) = \mathcal{N}(0,1)", r"\log p_X(x) = \log p_Z(z) - s", r"\log p_X(x) = \log p_Z(z) + s"),
    ("Markov's inequality", r"X \geq 0; a > 0", r"P(X \geq a) \leq \frac{\mathbb{E}[X]}{a}", r"P(X \geq a) \geq \frac{\mathbb{E}[X]}{a}"),
    ("Chebyshev's inequality", r"a > 0; \mu := \mathbb{E}[X]", r"P(|X - \mu| \geq a) \leq \frac{\mathrm{Var}(X)}{a^2}", r"P(|X - \mu| \geq a) \leq \frac{\mathrm{Var}(X)}{2 a^2}"),
    ("Markov's inequality needs a sign", "a > 0", r"P(X \geq a) = 1 - P(X < a)", r"P(X \geq a) \leq \frac{\mathbb{E}[X]}{a}"),
    ("Dirac's delta", "", r"\int \delta(2x-a) f(x)\,dx = \frac12 f\left(\frac a2\right)", r"\int \delta(2x-a) f(x)\,dx = f\left(\frac a2\right)"),
    ("the entropy of a multiple", r"a \neq 0", r"h(aX + b) = h(X) + \log|a|", r"h(aX + b) = h(X) + \log|a| + b"),
    ("the entropy of a linear image", r"A \in \mathbb{R}^{d\times d} invertible; X \in \mathbb{R}^d", r"h(AX) = h(X) + \log|\det A|", r"h(AX) = h(X) - \log|\det A|"),
    ("the entropy of a declared density", r"p(x) = \mathrm{Exp}(x;\lambda)", r"h(p) = 1 - \log\lambda", r"h(p) = 1 + \log\lambda"),
    ("a categorical's probabilities", r"p(x) = \mathrm{Cat}(x | \pi)", r"\sum_{k=1}^K \pi_k = 1", r"\sum_{k=1}^K \pi_k = 2"),
    ("the entropy of a categorical", r"p(k) = \mathrm{Cat}(k; \pi)", r"H(p) = -\sum_{k=1}^K \pi_k\log\pi_k", r"H(p) = \sum_{k=1}^K \pi_k\log\pi_k"),
    ("a mixture over labels", r"p(z) = \mathrm{Cat}(z; \pi); p(x|z=k) = \mathcal{N}(x; \mu_k, \sigma_k^2)", r"p(x) = \sum_{k=1}^K \pi_k \mathcal{N}(x; \mu_k, \sigma_k^2)", r"p(x) = \sum_{k=1}^K \pi_k \mathcal{N}(x; \mu_k, \sigma_k)"),
    ("a sum over labels", r"z \in \{1,2,3\}", r"p(x) = \sum_{k=1}^3 p(z=k) p(x|z=k)", r"p(x) = \sum_{k=1}^3 p(x|z=k)"),
    ("data beside a model", "", r"-\mathbb{E}_{p(x)}[\log p_\theta(x)] = H(p) + D_{KL}(p(x)\|p_\theta(x))", r"-\mathbb{E}_{p(x)}[\log p_\theta(x)] = H(p)"),
    ("a marginal that follows", r"p(z) = \mathcal{N}(0,1); p(x|z) = \mathcal{N}(z,1)", r"p(x) = \mathcal{N}(0,2)", r"p(x) = \mathcal{N}(0,3)"),
    ("a posterior that follows", "", r"p(z) = \mathcal{N}(0,1), \quad p(x|z) = \mathcal{N}(z,1) \implies p(z|x) = \mathcal{N}(x/2,1/2)", r"p(z) = \mathcal{N}(0,1), \quad p(x|z) = \mathcal{N}(z,1) \implies p(z|x) = \mathcal{N}(x,1/2)"),
    ("two steps that follow", r"q(x_{t-1}|x_0) = \mathcal{N}(\sqrt{a}x_0, 1-a); q(x_t|x_{t-1}) = \mathcal{N}(\sqrt{b}x_{t-1}, 1-b); 0<a<1; 0<b<1; q(x_t|x_{t-1},x_0) = q(x_t|x_{t-1})", r"q(x_t|x_0) = \mathcal{N}(\sqrt{ab}x_0, 1-ab)", r"q(x_t|x_0) = \mathcal{N}(\sqrt{ab}x_0, 1-a)"),
    ("a reparameterised normal", r"z = \mu + \sigma \epsilon; \epsilon \sim \mathcal{N}(0,1)", r"z \sim \mathcal{N}(\mu, \sigma^2)", r"z \sim \mathcal{N}(\mu, \sigma)"),
    ("noise that makes a declared variable", r"p(z) = \mathcal{N}(0,I); q_\phi(z|x) = \mathcal{N}(z; \mu_\phi(x), \mathrm{diag}(\sigma_\phi^2(x)))", r"z = \mu_\phi(x) + \sigma_\phi(x)\odot\epsilon, \quad \epsilon \sim \mathcal{N}(0,I)", r"z = \mu_\phi(x) + \sigma_\phi^2(x)\odot\epsilon, \quad \epsilon \sim \mathcal{N}(0,I)"),
    ("two draws from one normal", r"\epsilon_1,\epsilon_2 \sim \mathcal{N}(0,1)", r"\mathrm{Var}[a\epsilon_1+b\epsilon_2] = a^2+b^2", r"\mathrm{Var}[a\epsilon_1+b\epsilon_2] = a+b"),
    ("Bernoulli pixels", r"p(x|z) = \prod_{i=1}^D \mathrm{Bern}(x_i; y_i)", r"\log p(x|z) = \sum_{i=1}^D \left(x_i\log y_i + (1-x_i)\log(1-y_i)\right)", r"\log p(x|z) = \sum_{i=1}^D \left(x_i\log y_i - (1-x_i)\log(1-y_i)\right)"),
    ("normal coordinates", r"p(x|z) = \prod_{i=1}^D \mathcal{N}(x_i; f_i(z), \sigma^2)", r"\log p(x|z) = -\frac{1}{2\sigma^2}\|x - f(z)\|^2 - \frac D2\log(2\pi\sigma^2)", r"\log p(x|z) = -\frac{1}{2\sigma^2}\|x - f(z)\|^2 - \frac 12\log(2\pi\sigma^2)"),
    ("a reparameterised vector", r"z = \mu + L \epsilon; \epsilon \sim \mathcal{N}(0,I); L \in \mathbb{R}^{d \times d} invertible; \mu \in \mathbb{R}^d", r"z \sim \mathcal{N}(\mu, L L^\top)", r"z \sim \mathcal{N}(\mu, L^\top L)"),
    ("an image of a normal", r"X \sim \mathcal{N}(\mu,\sigma^2)", r"aX + b \sim \mathcal{N}(a\mu + b, a^2\sigma^2)", r"aX + b \sim \mathcal{N}(a\mu + b, a\sigma^2)"),
    ("the log density in the noise", r"z = \mu + \sigma \epsilon; \epsilon \sim \mathcal{N}(0,1); q(z) = \mathcal{N}(z;\mu,\sigma^2)", r"\log q(z) = -\frac12\epsilon^2 - \frac12\log(2\pi) - \log\sigma", r"\log q(z) = -\frac12\epsilon^2 - \frac12\log(2\pi) + \log\sigma"),
    ("sizes from their place", r"p(z) = \mathcal{N}(0,I); p(x|z) = \mathcal{N}(Wz+\mu,\sigma^2 I); W \in \mathbb{R}^{N\times M}; \mu \in \mathbb{R}^N", r"p(x) = \mathcal{N}(\mu,WW^\top+\sigma^2 I)", r"p(x) = \mathcal{N}(\mu,WW^\top+\sigma I)"),
    ("a log-variance", r"q = \mathcal{N}(\mu, \mathrm{diag}(e^{v})); p = \mathcal{N}(0,I)", r"\mathrm{KL}(q\|p) = -\frac12\sum_{j=1}^J(1+v_j-\mu_j^2-e^{v_j})", r"\mathrm{KL}(q\|p) = -\frac12\sum_{j=1}^J(1+v_j-\mu_j^2-v_j^2)"),
    ("positive variables", "x > 0", r"\mathbb{E}_{p(x)}[\log x] \leq \log\mathbb{E}_{p(x)}[x]", r"\mathbb{E}_{p(x)}[\log x] \leq 0"),
    ("variables of an interval", r"x \in [2,3]", r"\mathbb{E}_{p(x)}[x] \geq 2", r"\mathbb{E}_{p(x)}[x] \leq 2"),
    ("cube roots", "a > 0", r"\sqrt[3]{a^3} = a", r"\sqrt[3]{a^3} = a^2"),
    ("factorials", "", "5! = 120", "5! = 60"),
    ("a matrix written out", "", r"\det\begin{pmatrix} a & b \\ c & d \end{pmatrix} = ad - bc", r"\det\begin{pmatrix} a & b \\ c & d \end{pmatrix} = ad + bc"),
    ("the Frobenius norm", r"A \in \mathbb{R}^{n \times n}", r"\|A\|_F^2 = \mathrm{tr}(A^\top A)", r"\|A\|_F^2 = \mathrm{tr}(A^\top) \mathrm{tr}(A)"),
    ("powers of a matrix", r"A \in \mathbb{R}^{n \times n}", "A^2 A = A^3", "A^2 A = A^2"),
    ("limits of a maximum", "", r"\max_{k=1,\dots,3} x_k \geq x_2", r"\max_{k=1,\dots,3} x_k \leq x_2"),
    ("Hessians", r"x \in \mathbb{R}^n; A \in \mathbb{R}^{n \times n} symmetric", r"\nabla_x^2\, x^\top A x = 2 A", r"\nabla_x^2\, x^\top A x = A"),
    ("a normal density written out", r"\sigma > 0; p(x) = \frac{1}{\sigma\sqrt{2\pi}} e^{-\frac{(x-\mu)^2}{2\sigma^2}}", r"-\int p(x) \log p(x) \, dx = \frac12 \log(2\pi e \sigma^2)", r"-\int p(x) \log p(x) \, dx = \frac12 \log(2\pi \sigma^2)"),
    ("an exponential density written out", r"p(x) = \lambda e^{-\lambda x}; x > 0; \lambda > 0", r"-\mathbb{E}_{p(x)}[\log p(x)] = 1 - \log \lambda", r"-\mathbb{E}_{p(x)}[\log p(x)] = 1 + \log \lambda"),
    ("a conditional density written out", r"\sigma > 0; p(x|z) = \frac{1}{\sqrt{2\pi\sigma^2}} \exp\left(-\frac{(x-z)^2}{2\sigma^2}\right); p(z) = \mathcal{N}(0,1)", r"p(x) = \mathcal{N}(x; 0, 1 + \sigma^2)", r"p(x) = \mathcal{N}(x; 0, \sigma^2)"),
    ("Euler's number before a bracket", "P > 0; N > 0", r"\frac12\log(2\pi e (P+N)) - \frac12\log(2\pi (P+N)) = \frac12", r"\frac12\log(2\pi e (P+N)) - \frac12\log(2\pi (P+N)) = 1"),
    # densities written out
    ("a normal density of vectors, written out", r"p(x) = \frac{1}{(2\pi)^{D/2} |\Sigma|^{1/2}} \exp\left(-\frac12 (x-\mu)^\top \Sigma^{-1} (x-\mu)\right)", r"\log p(x) = -\frac D2 \log 2\pi - \frac12 \log|\Sigma| - \frac12 (x-\mu)^\top \Sigma^{-1} (x-\mu)", r"\log p(x) = -\frac D2 \log 2\pi + \frac12 \log|\Sigma| - \frac12 (x-\mu)^\top \Sigma^{-1} (x-\mu)"),
    ("a normal density of vectors as a first row", r"x \in \mathbb{R}^D", r"p(x) = (2\pi)^{-D/2} |\Sigma|^{-1/2} \exp\left\{-\frac12 (x-\mu)^\top \Sigma^{-1} (x-\mu)\right\}", r"p(x) = (2\pi)^{-D/2} |\Sigma|^{-1/2} \exp\left\{-\frac12 (x-\mu)^\top \Sigma (x-\mu)\right\}"),
    ("a normal family beside its formula", "", r"\mathcal{N}(x \mid \mu, \Sigma) = \frac{1}{(2\pi)^{D/2}} \frac{1}{|\Sigma|^{1/2}} e^{-\frac12 (x-\mu)^\mathrm{T} \Sigma^{-1} (x-\mu)}", r"\mathcal{N}(x \mid \mu, \Sigma) = \frac{1}{(2\pi)^{D/2}} \frac{1}{|\Sigma|} e^{-\frac12 (x-\mu)^\mathrm{T} \Sigma^{-1} (x-\mu)}"),
    ("a round normal density, written out", r"p(x|z) = (2\pi c)^{-D/2} \exp(-\|x - f(z)\|^2 / (2c)); c > 0; x \in \mathbb{R}^D", r"-\log p(x|z) = \frac{1}{2c} \|x - f(z)\|^2 + \frac D2 \log(2\pi c)", r"-\log p(x|z) = \frac{1}{2c} \|x - f(z)\|^2 + \frac 12 \log(2\pi c)"),
    ("a product of normal densities, written out", "", r"p(x) = \prod_{d=1}^D \frac{1}{\sqrt{2\pi}\sigma_d} \exp\left(-\frac{(x_d-\mu_d)^2}{2\sigma_d^2}\right)", r"p(x) = \prod_{d=1}^D \frac{1}{\sqrt{2\pi}\sigma_d} \exp\left(-\frac{(x_d-\mu_d)^2}{\sigma_d^2}\right)"),
    ("a sum in the exponent of a density", r"x, \mu, \sigma \in \mathbb{R}^D; p(x) = \frac{1}{(2\pi)^{D/2} \prod_{d=1}^D \sigma_d} \exp\left(-\frac12 \sum_{d=1}^D \frac{(x_d - \mu_d)^2}{\sigma_d^2}\right)", r"\mathbb{E}_{p(x)}[\|x\|^2] = \|\mu\|^2 + \|\sigma\|^2", r"\mathbb{E}_{p(x)}[\|x\|^2] = \|\mu\|^2 + \|\sigma\|"),
    ("Bernoulli written out", r"p(x) = \theta^x (1-\theta)^{1-x}; 0 < \theta < 1", r"\mathbb{E}_{p(x)}[x] = \theta", r"\mathbb{E}_{p(x)}[x] = 1 - \theta"),
    ("Bernoulli pixels written out", r"p(x|z) = \prod_{i=1}^D y_i(z)^{x_i} (1 - y_i(z))^{1-x_i}", r"\log p(x|z) = \sum_{i=1}^D \left[x_i \log y_i(z) + (1-x_i) \log(1-y_i(z))\right]", r"\log p(x|z) = \sum_{i=1}^D \left[x_i \log y_i(z) + (1+x_i) \log(1-y_i(z))\right]"),
    ("a categorical density written out", "", r"p(z) = \prod_{k=1}^K \pi_k^{z_k}, \quad \mathbb{E}_{p(z)}[z_k] = \pi_k", r"p(z) = \prod_{k=1}^K \pi_k^{z_k}, \quad \mathbb{E}_{p(z)}[z_k] = \pi_k^2"),
    ("a Laplace density written out", r"b > 0; p(x) = \frac{1}{2b} e^{-|x-\mu|/b}", r"\mathrm{Var}_{p(x)}[x] = 2 b^2", r"\mathrm{Var}_{p(x)}[x] = b^2"),
    ("a normal density up to its normaliser", r"p(x) \propto \exp\left(-\frac12 (x-\mu)^\top \Sigma^{-1} (x-\mu)\right); x \in \mathbb{R}^D", r"\mathbb{E}_{p(x)}[x] = \mu", r"\mathbb{E}_{p(x)}[x] = \Sigma \mu"),
    ("a normaliser of a number", r"\sigma > 0", r"p(x) = \frac{1}{\sigma\sqrt{2\pi}} e^{-\frac12 \left(\frac{x-\mu}{\sigma}\right)^2}", r"p(x) = \frac{1}{\sigma\sqrt{2\pi}} e^{-\left(\frac{x-\mu}{\sigma}\right)^2}"),
    ("sums over data", "", r"\frac{1}{|\mathcal{D}|} \sum_{x \in \mathcal{D}} \log p_\theta(x) \geq \frac{1}{|\mathcal{D}|} \sum_{x \in \mathcal{D}} \mathbb{E}_{q_\phi(z|x)}\left[\log\frac{p_\theta(x,z)}{q_\phi(z|x)}\right]", r"\frac{1}{|\mathcal{D}|} \sum_{x \in \mathcal{D}} \log p_\theta(x) \geq \sum_{x \in \mathcal{D}} \mathbb{E}_{q_\phi(z|x)}\left[\log\frac{p_\theta(x,z)}{q_\phi(z|x)}\right]"),
    ("sums over pairs of data", "", r"\log \prod_{(x, y) \in \mathcal{D}} p(y \mid x) = \sum_{(x, y) \in \mathcal{D}} \log p(y \mid x)", r"\log \prod_{(x, y) \in \mathcal{D}} p(y \mid x) = \log \sum_{(x, y) \in \mathcal{D}} p(y \mid x)"),
    ("weights that add up to one", r"\pi_k \ge 0; \sum_k \pi_k = 1; a_k > 0", r"\log \sum_k \pi_k a_k \geq \sum_k \pi_k \log a_k", r"\log \sum_k \pi_k a_k \leq \sum_k \pi_k \log a_k"),
    ("variables of a set with an end", r"X \in \{0, 1, \dots, K - 1\}", r"H(X) \leq \log K", r"H(X) \leq \log K - 1"),
    ("events", "", r"P(A \cup B) = P(A) + P(B) - P(A \cap B)", r"P(A \cup B) = P(A) + P(B) + P(A \cap B)"),
    ("complements of events", "", r"P(A) = P(A \mid B) P(B) + P(A \mid B^c) P(B^c)", r"P(A) = P(A \mid B) P(B) + P(A \mid B^c) P(B)"),
    ("events that exclude each other", r"A \cap B = \emptyset", r"P(A \cup B) = P(A) + P(B)", r"P(A \cap B) = P(A) P(B)"),
    ("events of which one is part of the other", r"A \subseteq B", r"P(A) \leq P(B)", r"P(A) = P(B)"),
    ("independent events", "A and B independent", r"P(A \cap B) = P(A) P(B)", r"P(A \cup B) = P(A) P(B)"),
    ("unions of many events", "", r"P\left(\bigcup_{i=1}^n A_i\right) \leq \sum_{i=1}^n P(A_i)", r"P\left(\bigcap_{i=1}^n A_i\right) = \prod_{i=1}^n P(A_i)"),
    ("sums over a partition", r"B_1, \dots, B_n partition", r"P(A) = \sum_{i=1}^n P(A \cap B_i)", r"P(A) = \sum_{i=1}^n P(A \mid B_i)"),
    ("events given an event", r"X \sim Exp(\lambda); s > 0; t > 0", r"P(X > s + t \mid X > s) = P(X > t)", r"P(X > s + t \mid X > s) = P(X > s)"),
    ("variables that differ", "x, y discrete", r"P(X \neq Y) = 1 - \sum_x p(X = x, Y = x)", r"P(X \neq Y) = \sum_x p(X = x, Y = x)"),
    ("sums to infinity", "0 < r < 1", r"\sum_{k=0}^\infty r^k = \frac{1}{1 - r}", r"\sum_{k=1}^\infty r^k = \frac{1}{1 - r}"),
    ("counts without end", r"X \in \{0, 1, 2, \dots\}", r"E[X] = \sum_{k=1}^{\infty} P(X \geq k)", r"E[X] = \sum_{k=1}^{\infty} P(X > k)"),
    ("probabilities of counts", r"P(X = k) = (1 - p)^{k-1} p; X \in \{1, 2, \dots\}; 0 < p < 1", r"E[X] = \sum_{k=1}^\infty k P(X = k) = \frac{1}{p}", r"\mathrm{Var}(X) = \frac{1}{p^2}"),
    ("Poisson variables", r"X \sim \mathrm{Poisson}(\lambda)", r"\mathrm{Var}(X) = \lambda", r"E[X^2] = \lambda^2"),
    ("gamma variables", r"\lambda \sim \mathrm{Gamma}(a, b); p(x \mid \lambda) = \mathrm{Poisson}(x; \lambda)", r"p(\lambda \mid x) = \mathrm{Gamma}(\lambda; a + x, b + 1)", r"p(\lambda \mid x) = \mathrm{Gamma}(\lambda; a + 1, b + x)"),
    ("beta variables", r"\theta \sim \mathrm{Beta}(a, b); p(x \mid \theta) = \mathrm{Bin}(x; n, \theta)", r"p(\theta \mid x) = \mathrm{Beta}(\theta; a + x, b + n - x)", r"p(\theta \mid x) = \mathrm{Beta}(\theta; a + x, b + n)"),
    ("normal variables without a font", r"X \sim N(\mu, \sigma^2)", r"\mathrm{Var}(X) = \sigma^2", r"\mathrm{Var}(X) = \sigma"),
    ("one-hot vectors", "y one-hot", r"\sum_{k=1}^K y_k^2 = 1", r"\sum_{k=1}^K y_k^2 = K"),
    ("functions of a counted variable", "x discrete", r"H(g(X)) \leq H(X)", r"H(g(X)) = H(X)"),
    ("information about a function", "x, y discrete", r"I(X; g(Y)) \leq I(X; Y)", r"I(X; g(Y)) \geq I(X; Y)"),
    ("Markov chains", r"X \to Y \to Z", r"I(X; Z) \leq I(X; Y)", r"I(X; Y) \leq I(X; Z)"),
    ("lists that go down", "", r"H(X_1, \ldots, X_n) = \sum_{i=1}^n H(X_i \mid X_{i-1}, \ldots, X_1)", r"H(X_1, \ldots, X_n) = \sum_{i=1}^n H(X_i)"),
    ("the Jensen-Shannon divergence", "", r"D_{JS}(p \| q) = \frac12 D_{KL}\left(p \,\|\, \frac{p+q}{2}\right) + \frac12 D_{KL}\left(q \,\|\, \frac{p+q}{2}\right)", r"D_{JS}(p \| q) = \frac12 D_{KL}(p \| q) + \frac12 D_{KL}(q \| p)"),
    ("the total variation", "x discrete", r"\mathrm{TV}(P, Q) = \frac12 \sum_x |p(x) - q(x)|", r"\|P - Q\|_{TV} = \sum_x |P(x) - Q(x)|"),
    ("symmetric functions", "k(x, y) = k(y, x)", r"\sum_{i=1}^n \sum_{j < i} k(x_i, x_j) = \sum_{j=1}^n \sum_{i > j} k(x_j, x_i)", r"\sum_{i=1}^n \sum_{j=1}^n k(x_i, x_j) = 2 \sum_{i=1}^n \sum_{j < i} k(x_i, x_j)"),
    ("kernels", "k is a positive definite kernel", r"\mathbb{E}_{x, x' \sim p}[k(x, x')] \geq 0", r"\mathbb{E}_{x \sim p, y \sim q}[k(x, y)] \geq 0"),
    ("the log-partition function", r"p(x \mid \eta) = h(x) \exp(\eta^\top T(x) - A(\eta))", r"\nabla_\eta A(\eta) = \mathbb{E}_{p(x \mid \eta)}[T(x)]", r"\nabla_\eta A(\eta) = -\mathbb{E}_{p(x \mid \eta)}[T(x)]"),
    ("subscripts that are words", "", r"\arg\min_\theta D_{KL}(p_{data} \,\|\, p_\theta) = \arg\max_\theta \mathbb{E}_{x \sim p_{data}}[\log p_\theta(x)]", r"D_{KL}(p_{data} \,\|\, p_\theta) = D_{KL}(p_\theta \,\|\, p_{data})"),
    ("a posterior given many observations", r"\lambda \sim \mathrm{Gamma}(a, b); x_i \mid \lambda \sim \mathrm{Poisson}(\lambda)", r"\lambda \mid x_1, \ldots, x_n \sim \mathrm{Gamma}\left(a + \sum_i x_i, b + n\right)", r"\lambda \mid x_1, \ldots, x_n \sim \mathrm{Gamma}\left(a + \sum_i x_i, b\right)"),
    ("sums over other values of a variable", r"p_\theta(x) = \frac{1}{Z(\theta)} \exp(f_\theta(x)); x discrete", r"\log p_\theta(x) = f_\theta(x) - \log \sum_{x'} \exp(f_\theta(x'))", r"\log p_\theta(x) = f_\theta(x) - \sum_{x'} f_\theta(x')"),
    ("numbers of a set with an end", r"n \in \{1, \dots, K+1\}", r"n (n - 1) \leq K (K + 1)", r"n (n - 1) \leq K (K - 1)"),
    # entries with free indices: the claim is about every one of them
    ("entries of a transpose", r"A \in \mathbb{R}^{N \times M}", r"(A^\top)_{ij} = A_{ji}", r"(A^\top A)_{ij} = A_{ji}^2"),
    ("entries of a sum", r"A, B \in \mathbb{R}^{N \times N}", r"(A+B)_{ij} = A_{ij} + B_{ij}", r"(A+B)_{ij} = A_{ij} + B_{ji}"),
    ("entries of a product", r"A \in \mathbb{R}^{N \times M}; B \in \mathbb{R}^{M \times K}", r"(AB)_{ij} = \sum_k A_{ik} B_{kj}", r"(AB)_{ij} = \sum_k A_{ik} B_{jk}"),
    ("entries of an image", r"W \in \mathbb{R}^{N \times M}; z \in \mathbb{R}^M; b \in \mathbb{R}^N", r"[W z + b]_i = b_i + \sum_{j=1}^M W_{ij} z_j", r"[W z + b]_i = b_i + \sum_{j=1}^M W_{ji} z_j"),
    ("entries of a diagonal matrix", r"\Sigma = \mathrm{diag}(\sigma^2); \sigma \in \mathbb{R}^D", r"\Sigma_{ij} = \sigma_i^2 \delta_{ij}", r"\Sigma_{ij} = \sigma_i^2"),
    ("entries of a symmetric matrix", r"A \in \mathbb{R}^{N \times N} symmetric", r"A_{ij} = A_{ji}", r"A_{ij} = -A_{ji}"),
    ("entries in an inequality", r"\Sigma \in \mathbb{R}^{D \times D} symmetric positive definite", r"\Sigma_{ij}^2 \leq \Sigma_{ii} \Sigma_{jj}", r"\Sigma_{ij} \geq 0"),
    ("entries of a name that is defined", r"A \in \mathbb{R}^{N \times M}; x \in \mathbb{R}^M; y := A x", r"y_i = \sum_{j=1}^M A_{ij} x_j", r"y_i = \sum_{j=1}^M A_{ji} x_j"),
    ("entries of a gradient", r"x \in \mathbb{R}^N; A \in \mathbb{R}^{N \times N}", r"(\nabla_x\, x^\top A x)_i = \sum_{j=1}^N (A_{ij} + A_{ji}) x_j", r"(\nabla_x\, x^\top A x)_i = 2 \sum_{j=1}^N A_{ij} x_j"),
    ("moments of entries", r"p(x) = \mathcal{N}(\mu, \Sigma); x \in \mathbb{R}^N", r"\mathbb{E}_{p(x)}[x_i x_j] = \mu_i \mu_j + \Sigma_{ij}", r"\mathbb{E}_{p(x)}[x_i x_j] = \mu_i \mu_j + \Sigma_{ii}"),
    ("dimensions", r"x \in \mathbb{R}^N", r"\dim x = N", r"\dim x = N + 1"),
    ("a slash in place of the bar", "", r"p(z/x,y) = \frac{p(y,z/x)}{p(y/x)}", r"p(z/x,y) = \frac{p(y,z/x)}{p(y)}"),
    ("a slash in an expectation", r"\mathcal{L} := \int q(z/x,y) \log\frac{p(y,z/x)}{q(z/x,y)} dz", r"\mathcal{L} = \mathbb{E}_{z \sim q(z/x,y)}[\log p(y/x,z)] - D_{KL}(q(z/x,y) \| p(z/x))", r"\mathcal{L} = \mathbb{E}_{z \sim q(z/x,y)}[\log p(y/x,z)] - D_{KL}(q(z/x,y) \| p(z))"),
    ("a constant in French", r"p(x) = \mathcal{N}(\mu, \sigma^2)", r"\log p(x) = -\frac{(x - \mu)^2}{2\sigma^2} + Cst", r"\log p(x) = -\frac{(x - \mu)^2}{\sigma^2} + Cst"),
    ("a rule beside a row", "", r"\begin{aligned} (a + b)^2 &= (a + b) (b + a) && a + b = b + a \\ &= a^2 + 2 a b + b^2 \end{aligned}", r"\begin{aligned} (a + b)^2 &= (a + b) (b + a) && a + b = b + a \\ &= a^2 + b^2 \end{aligned}"),
    ("two columns", r"a > 0; b > 0", r"\begin{aligned} \log a^2 &= \log a + \log a & \log b^3 &= \log b + \log b^2 \\ &= 2 \log a & &= 3 \log b \end{aligned}", r"\begin{aligned} \log a^2 &= \log a + \log a & \log b^3 &= \log b + \log b^2 \\ &= 2 \log b & &= 3 \log b \end{aligned}"),
]  # fmt: skip

ITEMS = [item for item, *_ in PAIRS]


def test_every_item_is_there_once() -> None:
    counted: dict[str, int] = defaultdict(int)
    for item in ITEMS:
        counted[item] += 1
    assert max(counted.values()) == 1
    assert len(PAIRS) >= 75


@pytest.mark.parametrize(("given", "right"), [(g, r) for _, g, r, _ in PAIRS], ids=ITEMS)
def test_it_is_read_and_passes(given: str, right: str) -> None:
    report = check(right, given)
    assert report.ok, str(report)


@pytest.mark.parametrize(("given", "wrong"), [(g, w) for _, g, _, w in PAIRS], ids=ITEMS)
def test_its_wrong_twin_is_refuted(given: str, wrong: str) -> None:
    report = check(wrong, given)
    assert report.verdict == REFUTED, str(report)
    failing = next(row for row in report.rows if row.verdict == REFUTED)
    assert failing.counterexample or failing.method == "shapes"

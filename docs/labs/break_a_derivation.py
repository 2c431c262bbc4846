# %% [markdown]
# # Break a derivation and read the verdict
#
# A derivation is right, or one of its rows is not. Which row, and how would you convince its
# author? Here a correct derivation of the lower bound is checked, and then broken on purpose, in
# ways in which it has been broken before. The checker is the one that reads the displays of this
# book. It needs SymPy and nothing else.

# %% [markdown]
# ## A derivation that holds
#
# The text is ordinary LaTeX, with one relation to each row. The first row is a relation between its
# two sides, and each later row claims something about the row before it.

# %%
from vaedocs.derivation import check

derivation = r"""
\begin{aligned}
\log p(x) &= \mathbb{E}_{q(z \mid x)}\left[ \log p(x) \right] \\
  &= \mathbb{E}_{q(z \mid x)}\left[ \log \frac{p(x, z)}{p(z \mid x)} \right] \\
  &= \mathbb{E}_{q(z \mid x)}\left[ \log \frac{p(x, z)}{q(z \mid x)} \right]
     + D_{\mathrm{KL}}\left(q(z \mid x) \,\|\, p(z \mid x)\right) \\
  &\geq \mathbb{E}_{q(z \mid x)}\left[ \log \frac{p(x, z)}{q(z \mid x)} \right]
\end{aligned}
"""
report = check(derivation)
print(report)
assert report.verdict == "proved"

# %% [markdown]
# Each line says what the row uses: the facts without which the checker could not derive it. The
# first row needs only that q adds up to one. The third needs nothing: both sides say the same in
# other words. The last one needs Gibbs’ inequality, which is what makes it a bound.
#
# ## One sign
#
# Now turn the sign of the divergence in row 3. Before you read on: will the last row be wrong as
# well?

# %%
broken = check(derivation.replace("+ D_", "- D_"))
print(broken)
assert [row.number for row in broken.wrong] == [3]

# %% [markdown]
# Only row 3 is named. Its neighbours agree with each other, so the mistake is in it. The last row
# is then compared with the nearest right row above it, and that claim holds.
#
# The counterexample is a world that you can follow with a pencil. There z and x take a few values,
# and the integrals are sums with the weights that are printed. The numbers were computed exactly,
# so the difference is not a matter of rounding.
#
# ## The arguments exchanged
#
# A divergence has an order. Exchanging its arguments is a common slip, and no shape and no type
# gives it away.

# %%
right_order = r"\left(q(z \mid x) \,\|\, p(z \mid x)\right)"
exchanged = check(derivation.replace(right_order, r"\left(p(z \mid x) \,\|\, q(z \mid x)\right)"))
print(exchanged)
assert [row.number for row in exchanged.wrong] == [3]

# %% [markdown]
# ## A claim that depends on a hypothesis
#
# “Probabilities are at most one, so log p(x) is at most zero.” Is this right? It depends on what p
# is. Where nothing is said, the checker takes it for a density.

# %%
print("x with a density:")
print(check(r"\log p(x) \leq 0"))
print("\nx discrete:")
print(check(r"\log p(x) \leq 0", given="x discrete"))
assert check(r"\log p(x) \leq 0").verdict == "refuted"
assert check(r"\log p(x) \leq 0", given="x discrete").verdict == "proved"

# %% [markdown]
# ## A line that cannot be read
#
# Where notation has two readings, the checker refuses to choose one. It says where, and what to
# write instead. Not being read is not a verdict of “wrong”, and never one of “right”.

# %%
unclear = check(r"\mathcal{L} = \mathbb{E}_{q(z \mid x)}[\log p(x \mid z) p(z)]")
print(unclear)
assert unclear.verdict == "not checkable"

# %% [markdown]
# ## A closed form
#
# The checker also computes. In the divergence of a Gaussian from the standard normal distribution,
# people forget the one half, or write σ where σ² belongs.

# %%
model = [
    r"q(z \mid x) = \mathcal{N}(\mu, \sigma^2)",
    r"p(z) = \mathcal{N}(0, 1)",
    r"\sigma > 0",
]
left = r"D_{\mathrm{KL}}\left(q(z \mid x) \,\|\, p(z)\right) = "
for right in (
    r"\frac{1}{2} \left( \mu^2 + \sigma^2 - 1 - \log \sigma^2 \right)",
    r"\frac{1}{2} \left( \mu^2 + \sigma^2 - 1 - \log \sigma \right)",
    r"\mu^2 + \sigma^2 - 1 - \log \sigma^2",
):
    print(right)
    print(check(left + right, model), "\n")
assert check(left + r"\frac{1}{2} \left( \mu^2 + \sigma^2 - 1 - \log \sigma^2 \right)", model).ok

# %% [markdown]
# ## Try it
#
# - Break the derivation in a way of your own. Can you make a wrong row that is *not* found? If you
#   can, please report it: that is the worst mistake this checker can make.
# - In the first derivation, replace the p(z|x) of row 2 by p(z). Which rows are wrong then, and do
#   you agree with the choice?
# - Take a display of a paper or of your own notes. `vaedocs check notes.md` reads all displays of a
#   file.

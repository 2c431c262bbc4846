# %% [markdown]
# # One divergence, three ways
#
# A closed form, a sum over a fine grid, and an average over random draws: do they agree, and what
# does each of them cost? This page is a notebook. Every cell below ran while the book was built,
# and a cell that raises stops the build. To change it, download it with the link above, and run
# it with Python or open it in Jupyter through jupytext.

# %% [markdown]
# ## The closed form
#
# The functions are those of the page on the Kullback–Leibler divergence, the same that the
# training loss uses. All values are in nats, and `std` is a standard deviation.

# %%
import matplotlib.pyplot as plt
import torch

from vaedocs.information import normal_log_density
from vaedocs.kl_divergence import gaussian

torch.set_default_dtype(torch.float64)
torch.manual_seed(0)

mean_p, std_p = torch.tensor(0.0), torch.tensor(1.0)
mean_q, std_q = torch.tensor(1.0), torch.tensor(2.0)
exact = gaussian(mean_p, std_p, mean_q, std_q)
print(f"KL(p ‖ q) = {exact:.6f} nats")
print(f"KL(q ‖ p) = {gaussian(mean_q, std_q, mean_p, std_p):.6f} nats: the order matters")

# %% [markdown]
# ## A sum over a grid
#
# The definition is an integral of p(x) log(p(x)/q(x)). More than twelve standard deviations away
# from its mean, p is too small to change a single digit. So a sum over a fine grid is the integral,
# to nearly as many digits as a number in the computer has.

# %%
x = torch.linspace(-12, 12, 2001)
log_p = normal_log_density(x, mean_p, std_p)
log_q = normal_log_density(x, mean_q, std_q)
grid = torch.trapezoid(log_p.exp() * (log_p - log_q), x)
print(f"grid      = {grid:.6f} nats, off by {(grid - exact).abs():.1e}")
assert (grid - exact).abs() < 1e-10

# %% [markdown]
# ## An average over draws
#
# The same integral is the average of log p(x) − log q(x) over draws from p. An average of n draws
# is uncertain by the standard deviation of one draw divided by √n. This is its standard error, and
# an estimate without it says little.

# %%
sizes = [100, 1_000, 10_000, 100_000]
estimates, errors = [], []
for n in sizes:
    draws = mean_p + std_p * torch.randn(n)
    terms = normal_log_density(draws, mean_p, std_p) - normal_log_density(draws, mean_q, std_q)
    estimates.append(terms.mean())
    errors.append(terms.std() / n**0.5)
    print(f"n = {n:>7}: {terms.mean():.4f} ± {errors[-1]:.4f}")

assert (estimates[-1] - exact).abs() < 5 * errors[-1]

# %%
figure, ax = plt.subplots(figsize=(6, 3))
ax.errorbar(sizes, estimates, yerr=[2 * error for error in errors], fmt="o", capsize=4)
ax.axhline(exact, color="black", linewidth=1)
ax.set_xscale("log")
ax.set_xlabel("draws from p")
ax.set_ylabel("nats")
ax.set_title("Estimates with two standard errors; the line is exact")
figure.tight_layout()

# %% [markdown]
# One more digit costs a hundred times more draws, because of the root. The grid is exact here, but
# a grid over twenty dimensions would have more points than any computer can visit. That is why the
# loss of a variational autoencoder takes its KL term from the closed form wherever there is one,
# and keeps random draws for the term that has none.
#
# ## Try it
#
# - Exchange p and q in the last two cells. Why is the estimate noisier?
# - Change the seed a few times. How often does the exact line miss a bar of two standard errors?
# - Give `std_q` the value −1 and read the error.
#
# *What to expect.* The wide distribution draws from far out, where the logarithm of the ratio grows
# like a square. A bar of two standard errors misses about one time in twenty. A standard deviation
# must be positive, and the function says so instead of giving a number.

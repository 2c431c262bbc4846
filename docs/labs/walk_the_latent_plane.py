# %% [markdown]
# # Walk the latent plane
#
# What does a network keep of a digit when it may keep two numbers? Here a small variational
# autoencoder is trained while the page is built, and then we walk through its latent plane and
# look at what stands there. It takes a few seconds on one processor.

# %% [markdown]
# ## Train
#
# The data are the digits that scikit-learn carries: 8 × 8 pixels, each made black or white here.
# Black and white pixels have a Bernoulli likelihood, so the loss is minus a lower bound of log
# p(x), and not some other number that resembles it.

# %%
import matplotlib.pyplot as plt
import torch

from vaedocs.training.data import load
from vaedocs.training.loop import Trainer
from vaedocs.training.settings import Settings

settings = Settings(data="digits", latent=2, epochs=200, learning_rate=5e-3)
data = load(settings)
trainer = Trainer(settings, data)
progress = trainer.run()
first, last = progress.history[0], progress.history[-1]
for name, row in (("first epoch", first), ("last epoch", last)):
    terms = f"{row['reconstruction']:7.2f} - {row['kl']:5.2f}"
    print(f"{name:>11}: reconstruction - KL = {terms} = {row['elbo']:7.2f} nats an example")
assert last["elbo"] > first["elbo"]

# %% [markdown]
# The two terms pull against each other. Reconstruction asks for codes that differ, the KL term
# for codes that look like draws from N(0, I). Their difference is the bound, which training makes
# larger.
#
# ## Where the digits live
#
# Each point is the mean of q(z|x) for one digit of the test set, which the training never saw.

# %%
model = trainer.objective.model.eval()
with torch.no_grad():
    mean, log_variance = model.encoder(data.test)

figure, ax = plt.subplots(figsize=(6, 5))
points = ax.scatter(mean[:, 0], mean[:, 1], c=data.test_labels, cmap="tab10", s=14)
figure.colorbar(points, ax=ax, label="digit")
ax.set_xlabel("first latent dimension")
ax.set_ylabel("second latent dimension")
ax.set_aspect("equal")
figure.tight_layout()

# %% [markdown]
# The labels were not used in training. Digits of one kind gather all the same: where codes overlap,
# the decoder has to give one picture for all of them, and that costs least among digits that look
# alike.
#
# ## Walk
#
# Now the other way: put a grid over the plane and decode every point of it. Neighbours look alike
# (continuity), and most of the places that the prior visits decode to something that could be a
# digit (completeness). Both are encouraged by the loss, and guaranteed by nothing.

# %%
steps = 13
line = torch.linspace(-2.2, 2.2, steps)
across, up = torch.meshgrid(line, line.flip(0), indexing="xy")
z = torch.zeros(steps * steps, settings.latent)  # units beyond two stay at 0
z[:, 0], z[:, 1] = across.flatten(), up.flatten()
with torch.no_grad():
    pixels = torch.sigmoid(model.decoder(z)).reshape(steps, steps, 8, 8)
tiles = torch.nn.functional.pad(pixels, (1, 1, 1, 1))  # a white margin
plane = tiles.permute(0, 2, 1, 3).reshape(10 * steps, 10 * steps)

figure, ax = plt.subplots(figsize=(6, 6))
ax.imshow(plane.numpy(), cmap="gray_r", vmin=0, vmax=1)
ax.set_axis_off()
figure.tight_layout()

# %% [markdown]
# ## Try it
#
# - Set `latent=8`. The bound rises. How many of the eight units are active (`active_units` in the
#   history)?
# - Set `objective="beta"` and `beta=4.0`. Which of the two terms gives way?
# - Set `likelihood="binomial"`. Pixels are now counts from 0 to 16. Why may the two lower bounds
#   not be compared with each other?
#
# *What to expect.* With eight units the pictures show the first two of them. A larger `beta` makes
# the KL term dearer, so the codes say less and the reconstruction is worse. And the probability of
# counts is another thing than the probability of black and white pixels: the data are not the same.

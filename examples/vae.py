"""A variational autoencoder in torch whose KL term is klsym's, trained where the best ELBO is known.

Data from a linear model with normal noise: with a linear decoder the best ELBO is the likelihood of probabilistic
principal components, which has a closed form (Tipping and Bishop, J. R. Stat. Soc. B 61, 1999; Lucas et al., arXiv
1911.02469), because the encoder can be the posterior itself.
"""

import argparse
import math
import sys

import numpy as np

from klsym import Normal, kl

try:
    import torch
    from torch import nn
except ImportError:
    sys.exit(print("torch is not installed: nothing to train"))

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--steps", type=int, default=800, help="of the optimiser")
parser.add_argument("--plot", metavar="PATH", help="draw the terms of the ELBO while it is trained")
given = parser.parse_args()

torch.manual_seed(0)
torch.set_num_threads(1)
rng = np.random.default_rng(0)
rows, seen, hidden = 500, 5, 2
data = rng.normal(size=(rows, hidden)) @ rng.normal(0, 1.5, (hidden, seen)) + rng.normal(0, 0.5, (rows, seen))
data -= data.mean(axis=0)

# Log likelihood a row: the variance left is the mean of the eigenvalues that the hidden ones do not take.
eigenvalues = np.linalg.eigvalsh(data.T @ data / rows)[::-1]
noise = eigenvalues[hidden:].mean()
best = (
    -(seen * math.log(2 * math.pi) + np.log(eigenvalues[:hidden]).sum() + (seen - hidden) * math.log(noise) + seen) / 2
)


class Autoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Linear(seen, hidden, bias=False)
        self.decoder = nn.Linear(hidden, seen, bias=False)
        self.log_sigma = nn.Parameter(torch.zeros(hidden))
        self.log_noise = nn.Parameter(torch.zeros(()))
        self.divergence = kl(Normal, Normal(0, 1)).compile("torch")  # of mu and sigma; its derivatives are klsym's

    def forward(self, x):
        """E_q[log p(x | z)] by one draw, and KL(q(z | x) || p(z)): means over the rows, in nats."""
        mu, sigma = self.encoder(x), self.log_sigma.exp()
        z = mu + sigma * torch.randn_like(mu)
        miss = ((x - self.decoder(z)) / self.log_noise.exp()).square() / 2
        fit = -(miss + self.log_noise + math.log(2 * math.pi) / 2).sum(-1)
        return fit, self.divergence(mu, sigma).sum(-1)


model, x = Autoencoder().double(), torch.tensor(data)
optimiser = torch.optim.Adam(model.parameters(), lr=0.03)
schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, given.steps)
history = []
for _ in range(given.steps):
    fit, term = model(x)
    loss = (term - fit).mean()
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    schedule.step()
    history.append((fit.mean().item(), term.mean().item()))

with torch.no_grad():
    drawn = [model(x) for _ in range(200)]
elbo = np.array([(fit - term).mean().item() for fit, term in drawn])
value, error = elbo.mean(), elbo.std() / len(elbo) ** 0.5
print(f"E[log likelihood] {value + drawn[0][1].mean().item():8.4f}")
print(f"KL(q || prior)    {drawn[0][1].mean().item():8.4f}")
print(f"ELBO              {value:8.4f} +- {error:.4f} nats a row")
print(f"the best there is {best:8.4f}, by the eigenvalues of the covariance")

# The same term as it is usually written.
mu, sigma = model.encoder(x), model.log_sigma.exp()
usual = (mu.square() + sigma.square() - 1 - 2 * sigma.log()).sum(-1) / 2
agree = torch.allclose(model.divergence(mu, sigma).sum(-1), usual, rtol=1e-12, atol=1e-12)

if given.plot:
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot as plt

    fit, term = np.array(history).T
    figure, axes = plt.subplots(figsize=(6, 4))
    axes.plot(term - fit, "-", color="black", label="-ELBO")
    axes.plot(-fit, "--", color="black", label="-E[log likelihood]")
    axes.plot(term, ":", color="black", label="KL(q || prior)")
    axes.axhline(-best, color="0.6", linewidth=3, zorder=0, label="the least there is")
    axes.set(xlabel="step of the optimiser", ylabel="nats a row", ylim=(0, 2 * -best))
    axes.legend()
    figure.savefig(given.plot, dpi=120, bbox_inches="tight")

fine = agree and best - 0.05 < value < best + 4 * error
print("trained to the best ELBO" if fine else "something is off")
sys.exit(not fine)

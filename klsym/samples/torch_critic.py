"""A critic that is a torch module: MINE, with a mean over many batches where that of one would be biased."""

# A library that need not be installed.
# pyright: reportMissingImports=false, reportAttributeAccessIssue=false, reportUntypedFunctionDecorator=false
from __future__ import annotations

from typing import Any

import numpy as np

from ..core.errors import ParameterError
from .data import Floats
from .features import LogRatio


def trained(
    critic: Any,
    x: Floats,
    y: Floats,
    *,
    seed: int,
    steps: int = 1000,
    batch: int = 256,
    rate: float = 1e-3,
    decay: float = 0.99,
) -> LogRatio:
    """The module trained, in place, to raise E_P[t] - log E_Q[exp(t)], as a function of arrays.

    The slope of the logarithm divides by E_Q[exp(t)]. The mean of one batch in its place makes a biased gradient, an
    exponential moving average with `decay` one of less bias (Belghazi et al., arXiv 1801.04062, section 3.2). critic:
    of (n, d) tensors, with n values; Adam with `rate`, `steps` of `batch` outcomes of each sample.
    """
    import torch

    parameter = next(iter(critic.parameters()), None)
    if parameter is None:
        raise ParameterError("critic has no parameters to train; give its function of arrays instead")
    draws = torch.Generator().manual_seed(seed)
    p, q = (torch.as_tensor(side, dtype=parameter.dtype) for side in (x, y))
    optimiser = torch.optim.Adam(critic.parameters(), lr=rate)
    average = None
    for _ in range(steps):
        first, second = (side[torch.randint(len(side), (batch,), generator=draws)] for side in (p, q))
        mean = torch.exp(_values(critic, second)).mean()
        average = mean.detach() if average is None else decay * average + (1 - decay) * mean.detach()
        loss = mean / average - _values(critic, first).mean()
        if not torch.isfinite(loss):
            raise ParameterError("training diverged: exp of the critic is not finite; take a smaller rate or bound it")
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    def values(points: Floats) -> Floats:
        with torch.no_grad():
            found = _values(critic, torch.as_tensor(points, dtype=parameter.dtype))
        return np.asarray(found.double().numpy())

    # The objective does not see a constant: this one makes E_Q[exp(t)] one on what it was trained with.
    with np.errstate(over="ignore"):
        level = float(np.log(np.exp(values(y)).mean()))
    return lambda points: values(points) - level


def _values(critic: Any, points: Any) -> Any:
    found = critic(points)
    if found.numel() != len(points):
        raise ParameterError(
            f"critic returned shape {tuple(found.shape)} for {len(points)} outcomes; one number for each"
        )
    return found.reshape(len(points))

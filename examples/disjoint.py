"""Two uniform laws that slide apart: KL is infinite at once, JS and TV stop when they part, Wasserstein goes on.

Example 1 of Arjovsky, Chintala and Bottou (arXiv 1701.07875), on the line.
"""

import argparse
import math
import sys

import numpy as np

from klsym import Uniform, gaussian, jensen_shannon, kl, total_variation, wasserstein1

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--plot", metavar="PATH", help="draw the four against the shift")
path = parser.parse_args().plot

MEASURES = {"KL": kl, "JS": jensen_shannon, "TV": total_variation, "W1": wasserstein1}
KNOWN = {
    "KL": lambda t: math.inf if t else 0,
    "JS": lambda t: min(t, 1) * math.log(2),
    "TV": lambda t: min(t, 1),
    "W1": lambda t: t,
}
shifts = [0, 0.25, 0.5, 0.75, 1, 1.5, 2]
values = {name: [float(f(Uniform(0, 1), Uniform(t, t + 1))) for t in shifts] for name, f in MEASURES.items()}

print("Uniform(0, 1) and Uniform(t, t + 1)\n")
print("     t  " + "".join(f"{name:>9}" for name in MEASURES))
for i, t in enumerate(shifts):
    print(f"  {t:4}  " + "".join(f"{row[i]:9.4f}" for row in values.values()))

# Of normal vectors the second Wasserstein distance is closed, of arrays: (3, 4) apart, and the roots of the variances.
near, far = ((0, 0), np.eye(2)), ((3, 4), np.diag([4.0, 9.0]))
w2, known = gaussian.wasserstein2(*near, *far), math.sqrt(3**2 + 4**2 + 1**2 + 2**2)
print(f"\nNormal vectors (3, 4) apart, of the standard deviations 1, 1 and 2, 3: W2 = {w2:.6f}, sqrt(30) = {known:.6f}")

if path:
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
    # TV and W1 are one until the laws part: a wide line beneath a narrow one.
    styles = {
        "TV": {"linestyle": "-", "color": "0.75", "linewidth": 6, "label": "total variation (a number)"},
        "JS": {"linestyle": "-", "color": "black", "label": "Jensen-Shannon (nats)"},
        "W1": {"linestyle": "--", "color": "black", "label": "Wasserstein (widths)"},
    }
    for name, style in styles.items():
        axes.plot(shifts, values[name], **style)
    axes.plot([0], [0], "o", color="black", clip_on=False, label="KL (nats): +oo but at t = 0")
    axes.set(xlabel="shift t (widths of the uniform law)", ylabel="divergence or distance", xlim=(0, 2), ylim=(0, 2.05))
    axes.legend(frameon=False, loc="upper left")
    figure.savefig(path, dpi=120)

off = max(
    (
        abs(row[i] - KNOWN[name](t))
        for name, row in values.items()
        for i, t in enumerate(shifts)
        if math.isfinite(row[i])
    )
)
fine = off < 1e-15 and abs(w2 - known) < 1e-14 and values["KL"] == [KNOWN["KL"](t) for t in shifts]
print(f"\n  {'only Wasserstein tells how far apart' if fine else 'something is off'}")
sys.exit(not fine)

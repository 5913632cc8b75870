"""Where KL says nothing or cannot be estimated: infinite, heavy tails, empty cells; and what to take instead."""

import math
import sys

import numpy as np

from klsym import (
    Cauchy,
    Normal,
    Pareto,
    Uniform,
    estimate_counts,
    estimate_log_ratios,
    hellinger,
    jensen_shannon,
    kl,
    reverse_kl,
    smooth,
    total_variation,
)

fine = True
print("Infinite, and why:\n")
for p, q in ((Uniform(0, 2), Uniform(0, 1)), (Cauchy(0, 1), Normal(0, 1)), (Pareto(1, 2), Normal(0, 3))):
    found = kl(p, q)
    fine &= found.kind == "infinite"
    print(f"{found}\n  instead: the other way round {float(reverse_kl(p, q)):.4f}; always finite:", end=" ")
    bounded = [float(f(p, q)) for f in (jensen_shannon, total_variation, hellinger)]
    print("JS {:.4f} nats, TV {:.4f}, Hellinger {:.4f}\n".format(*bounded))
    # Le Cam: h^2 <= TV <= h sqrt(2 - h^2); Lin: JS <= log(2) TV.
    fine &= bounded[2] ** 2 <= bounded[1] <= bounded[2] * math.sqrt(2 - bounded[2] ** 2)
    fine &= bounded[0] <= math.log(2) * bounded[1] * (1 + 1e-15)

named = kl(Uniform("a", "b"), Uniform("c", "d"))
print(f"Of names it is a condition: KL(Uniform(a, b) || Uniform(c, d)) is finite where {named.condition}.\n")
kinds = [named.subs(a=0, b=1, c=c, d=d).kind for c, d in ((0, 1), (-1, 2), (0, 0.5))]
fine &= kinds == ["closed", "closed", "infinite"]

print("An empty cell, and smoothing, whose strength is then part of the answer:\n")
seen, model = [7, 2, 1], [5, 5, 0]
print(f"  KL {kl(seen, model, normalize=True)};", end=" ")
for strength in (1, 0.1, 0.01):
    smoothed = kl(smooth(seen, "lidstone", strength=strength), smooth(model, "lidstone", strength=strength))
    print(f"with {strength} more in each cell {smoothed:.3f};", end=" ")
print(f"JS {jensen_shannon(seen, model, normalize=True):.3f} nats")
fine &= math.isinf(kl(seen, model, normalize=True))
print(f"\n{estimate_counts(seen, model)}")

print("\nA mean of draws that has no variance: k3 where Q has twice the variance of P, or more.\n")
x = np.random.default_rng(0).normal(0, 1, 50_000)
for wide in (1.2, 3.0):
    log_ratio = x * x / 2 - (x / wide) ** 2 / 2 - math.log(wide)
    drawn = {method: estimate_log_ratios(log_ratio, method=method) for method in ("k3", "k1")}
    exact = float(kl(Normal(0, 1), Normal(0, wide)))
    print(f"KL(Normal(0, 1) || Normal(0, {wide})) = {exact:.4f}")
    for method, found in drawn.items():
        print(f"  {method} {found.value:.4f}  {'trusted' if found.trusted else 'not trusted'}")
        if not found.trusted:
            print(f"    {found.diagnosis.split('; ')[-1]};\n    better: {found.alternative}")
    fine &= drawn["k1"].trusted and abs(drawn["k1"].value - exact) < 4 * drawn["k1"].standard_error
    fine &= drawn["k3"].trusted == (wide**2 < 2)  # E_P[(q/p)^2] is finite where wide^2 < 2
print("\neach limit is named, with what to take instead" if fine else "something is off")
sys.exit(not fine)

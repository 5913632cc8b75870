"""The normal nearest to a two-mode mixture: forward it covers both modes, in reverse it takes one of them."""

import argparse
import math
import sys

from klsym import Gamma, Normal, mixture, project

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--plot", metavar="PATH", help="draw the target, the projections and the integrands")
path = parser.parse_args().plot

print(project(Gamma("a", "b"), Normal).explain())

p = mixture([0.5, 0.5], [Normal(-4, 1), Normal(4, 1)])
forward, reverse = project(p, Normal), project(p, Normal, "reverse")
print(f"\n{forward}\n\n{reverse}")
if path:
    reverse.plot(path)

# Far apart, a normal on one mode sees half of the mass of P, and no more of the other: KL(Q || P) = log 2.
# Forward, the variance is that within plus that between the modes: 1 + 4^2.
one, all_ = reverse.points[0].divergence, float(forward.values["sigma"]) ** 2
print(f"\n  reverse, on one mode: {one:.4f} nats, and log 2 is {math.log(2):.4f}")
print(f"  forward, the variance: {all_:.4f}, and 1 + 4^2 is 17")
fine = abs(one - math.log(2)) < 2e-4 and abs(all_ - 17) < 1e-12 and len(reverse.members) >= 2
print(f"  {'both modes are found' if fine else 'something is off'}")
sys.exit(not fine)

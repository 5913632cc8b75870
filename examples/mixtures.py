"""KL of two mixtures of normals, which has no closed form: bounds, a proven value, and a mean of draws."""

import argparse
import sys

from klsym import Normal, kl, mixture

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--draws", type=int, default=1_000_000, help="how many draws from P")
draws = parser.parse_args().draws

p = mixture([0.3, 0.7], [Normal(0, 1), Normal(3, 0.5)])
q = mixture([0.5, 0.5], [Normal(0, 1), Normal(2, 1)])

f = kl(p, q)
print(f)

number, drawn = f.evaluate(digits=20), f.estimate(draws=draws)
print(f"\n  {number}, by {number.proof}")
print(f"  {drawn}, from {drawn.draws} draws")

off = abs(drawn.value - float(number)) / drawn.standard_error
print(f"  the draws are within {'five' if off <= 5 else 'more than five'} standard errors")
sys.exit(off > 5)

"""Verify KL(Gamma || Weibull): the formula, each step of it, and the generated code, against the definition alone."""

import argparse
import sys

import klsym
from klsym import Gamma, Weibull

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--points", type=int, default=3, help="how many random sets of parameters")
points = parser.parse_args().points

report = klsym.kl(Gamma, Weibull).check(points=points)
print(report)
sys.exit(not report.ok)

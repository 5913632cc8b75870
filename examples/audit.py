"""Audit a function with a fault in it: KL(Exponential || Exponential) with one quotient upside down."""

import argparse
import sys

import numpy as np

from klsym.cli import main


def upside_down(rate_p, rate_q):
    return np.log(rate_p / rate_q) + rate_p / rate_q - 1


# The audit calls the function in processes of its own, which import this file and must not begin another audit.
if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", default="16", help="about how many points a trial")
    points = parser.parse_args().points
    asked = ["audit", "examples.audit:upside_down", "exponential", "exponential"]
    status = main([*asked, "--points", points, "--jobs", "1"])
    print(f"\nstatus {status}: the fault is {'found' if status == 1 else 'not found'}")
    sys.exit(status != 1)

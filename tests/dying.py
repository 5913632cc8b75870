"""Divergences as bad as can be, for the auditor to survive."""

import ctypes
import math
import os
import sys
import time


def right(a, b):
    return abs(a - b)


def of_floats(a, b):
    return math.sqrt(a) if a > b else float(b)


def crashes(a, b):
    return ctypes.string_at(0)


def leaves(a, b):
    os._exit(3)


def sleeps(a, b):
    time.sleep(1e6)


def eats(a, b):
    held = []
    while True:
        held.append(bytearray(b"x") * (1 << 24))


def crashes_second(a, b, state=[]):  # noqa: B006
    state.append(a)
    return ctypes.string_at(0) if len(state) > 1 else a


def raises(a, b):
    raise ValueError(f"no divergence\nof {a} and {b}")


def lacks(a, b):
    raise NotImplementedError("of these")


def exits(a, b):
    sys.exit("so there")


def prints(a, b):
    print("0.25")
    os.write(1, b"\x00" * 100)
    return a


def complex_number(a, b):
    return 1j


def text(a, b):
    return "1.0"


def thing(a, b):
    return object()


def nothing(a, b):
    pass


def infinite(a, b):
    return [float("inf"), float("nan"), a]

"""Primitives in double-double arithmetic: a number is a pair (hi, lo) of doubles, hi the one nearest to their sum.

A function with the name of a primitive (and an underscore where Python or NumPy has that name) is that primitive on
pairs, good to about 2^-95 relative to the value; what
it cannot give that well is NaN: beyond its domain, and where something would underflow. The arithmetic goes back to
Dekker (Numer. Math. 18, 1971); the algorithms are those of Hida, Li and Bailey (Algorithms for quad-double precision
floating point arithmetic, ARITH 2001) with the bounds of Joldes, Muller and Popescu (ACM TOMS 44, 2017). All of it is
scalar Python with branches, which NumPy's machine functions run and numba compiles.
"""

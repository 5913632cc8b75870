"""Primitives as numeric source in a small subset of Python that NumPy runs, and that compilers of it can translate.

A kernel is a function with the name and the arguments of its primitive; names that start with _ are helpers. A body
is a docstring, assignments, loops `for c in TUPLE:` or `for c in TUPLE[1:]:` over module-level constants, and one
return (of a tuple, in helpers). Expressions are numbers, constants, `TUPLE[0]`, `+ - * /`, one comparison, `& | ~` on
truth values, and calls of kernels and of the functions in `machine`. There are no branches, so that a loop over
elements vectorises; `select` computes both arms. `fma` may round once or twice: kernels are accurate either way.
"""

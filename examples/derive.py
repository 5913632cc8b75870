"""Derive KL(Gamma || Weibull): the formula, the condition it holds under, and every step that leads to it."""

import klsym
from klsym import Gamma, Weibull

f = klsym.kl(Gamma, Weibull)
print(f"{f.p} against {f.q}: {f.kind}, in {f.unit}\n")
print(f)

print("\nHow it comes about:\n")
print(f.explain())

print("\nOf a density of one's own, here a gamma law that is written out:\n")
own = klsym.density("x**(a-1)*exp(-x)/gamma(a)", x="x>0", a="a>0")
print(klsym.kl(own, Weibull))

print("\nThe first for numbers, to thirty digits:\n")
print(klsym.kl(Gamma(5, 2), Weibull(1.5, 3)).evaluate(digits=30))

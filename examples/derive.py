"""Derive KL(Gamma || Weibull): the formula, the condition it holds under, and every step that leads to it."""

import klsym
from klsym import Gamma, Weibull

f = klsym.kl(Gamma, Weibull)
print(f"{f.p} against {f.q}: {f.kind}, in {f.unit}\n")
print(f)

print("\nHow it comes about:\n")
print(f.explain())

print("\nThe same for numbers, to thirty digits:\n")
print(klsym.kl(Gamma(5, 2), Weibull(1.5, 3)).evaluate(digits=30))

"""Joint distributions by the chain rule: a conjugate prior, what data tell about a mean, and two models of a series."""

import sympy as sp

from klsym import Gamma, Normal, NormalGamma, Poisson, condition, joint, kl, marginal, markov_chain, mutual_information

print("The prior of a normal's mean and precision, from its two factors:\n")
print(kl(NormalGamma, NormalGamma))

print("\nA joint distribution of one's own: a rate, and the counts that it makes.\n")
counts = joint(Gamma("a", "b"), lambda rate: Poisson(rate))
print(f"x alone is {marginal(counts, 'x')}; the rate given x is {condition(counts, x='x')}.")
print(kl(counts, joint(Gamma("c", "d"), lambda rate: Poisson(rate))))

print("\nWhat one measurement with noise s tells about a mean that is known to within v:\n")
measured = joint(Normal("m", "v"), lambda mean: Normal(mean, "s"))
print(mutual_information(measured))
print(mutual_information(measured, base=2).evaluate(digits=12, v=3, s=1), "bits for v = 3, s = 1")

print("\nTwo models of a series of four values, by the divergence of their paths:\n")
a, b = sp.symbols("a b", real=True)
print(kl(*(markov_chain(Normal(0, 1), lambda x, slope=slope: Normal(slope * x, 1), 3) for slope in (a, b))).value)

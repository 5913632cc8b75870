"""A student learns a teacher's logits at a temperature, and label smoothing is a divergence: values and gradients."""

import sys

import numpy as np

from klsym import cross_entropy, entropy, kl

rng = np.random.default_rng(0)
rows, classes = 4, 10
teacher, student = rng.normal(0, 3, (2, rows, classes))


def softmax(logits):
    shares = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return shares / shares.sum(axis=-1, keepdims=True)


def centred(logits):
    return logits - logits.mean(axis=-1, keepdims=True)


def distil(t):
    """T^2 KL(teacher/T || student/T) of each row, and its derivative by the student's logits."""
    value, _, slope = kl(teacher / t, student / t, logits=True, gradient=True)
    return t**2 * value, t * slope


# T times q - p, and in the hot limit the squared distance of the logits over 2 N (Hinton, Vinyals and Dean, arXiv
# 1503.02531, equations 2 to 4).
limit = np.square(centred(teacher) - centred(student)).sum(axis=-1) / (2 * classes)
print("     T   T^2 KL, mean   over its limit   gradient beside T (q - p)")
worst = 0.0
for t in (1, 2, 4, 20, 1e3, 1e6):
    value, slope = distil(t)
    off = np.abs(slope - t * (softmax(student / t) - softmax(teacher / t))).max()
    worst = max(worst, off / t)
    print(f"  {t:8g}  {value.mean():9.5f}   {(value / limit).mean():.6f}         {off:.0e}")

epsilon = 0.1
labels = rng.integers(classes, size=rows)
hard, flat = np.eye(classes)[labels], np.full(classes, 1 / classes)
target, q = (1 - epsilon) * hard + epsilon * flat, softmax(student)
loss = kl(target, q, normalize=True) + entropy(target)
mixed = (1 - epsilon) * cross_entropy(hard, q, normalize=True) + epsilon * (
    kl(flat, q, normalize=True) + np.log(classes)
)
print(f"\nLabel smoothing by {epsilon}: KL(mixed target || model) + its entropy is {loss.mean():.12f},")
print(f"the mean of cross-entropy and of the pull to the uniform law     {mixed.mean():.12f}.")
fine = worst < 1e-15 and abs((value / limit).mean() - 1) < 1e-5 and np.allclose(loss, mixed, rtol=1e-14, atol=0)

try:
    import torch
    from torch.nn import functional
except ImportError:
    print("\ntorch is not installed: nothing beside it")
else:
    t, logits = 4.0, torch.tensor(student, requires_grad=True)
    hot = functional.log_softmax(torch.tensor(teacher) / t, -1)
    theirs = t**2 * functional.kl_div((logits / t).log_softmax(-1), hot, reduction="sum", log_target=True)
    (slope,) = torch.autograd.grad(theirs, logits)
    value, ours = distil(t)
    smoothed = functional.cross_entropy(logits, torch.tensor(labels), label_smoothing=epsilon).item()
    print(f"\ntorch at T = 4: {theirs.item():.12f} beside {value.sum():.12f}, gradients within", end=" ")
    print(f"{np.abs(slope.numpy() - ours).max():.0e}; cross_entropy(label_smoothing={epsilon}): {smoothed:.12f}")
    fine &= np.allclose(slope.numpy(), ours, rtol=1e-12, atol=1e-14) and abs(smoothed - loss.mean()) < 1e-14
    fine &= abs(theirs.item() - value.sum()) < 1e-12

print("the gradients agree" if fine else "something is off")
sys.exit(not fine)

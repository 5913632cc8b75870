"""From a Program to code: one small file a backend, mostly a spelling table."""

from __future__ import annotations

from . import numpy

BACKENDS = {"numpy": numpy}

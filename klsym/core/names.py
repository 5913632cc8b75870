"""Which names may stand for a parameter: they reach generated code, so they pass a whitelist."""

from __future__ import annotations

import keyword
import re

from .errors import ParameterError

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")

# Names that mean a function, a constant or an argument in every language klsym writes.
RESERVED = frozenset(
    "abs acos asin atan besseli besselk beta_function cos cosh digamma double erf erfc exp expint float gamma_function "
    "inf int lgamma log loggamma max min nan numpy np oo out pi polygamma pow return scipy sin sinh special sqrt tan "
    "tanh where zeta_function E I S N Q O".split()
)


def identifier(name: str) -> str:
    """The name itself, if it may name a generated function; otherwise a ParameterError.

    >>> identifier("kl_gamma_weibull")
    'kl_gamma_weibull'
    """
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name):
        raise ParameterError(f"{name[:40]!r} is not a name for a function: letters, digits and underscores only")
    return name


def checked_name(name: str) -> str:
    """The name itself, if it may stand for a parameter; otherwise a ParameterError.

    >>> checked_name("sigma_0")
    'sigma_0'
    """
    if not _NAME.fullmatch(name):
        raise ParameterError(
            f"{name[:40]!r} is not a name: letters, digits and underscores, a letter first, at most 40"
        )
    if keyword.iskeyword(name) or name in RESERVED:
        raise ParameterError(f"{name!r} is a reserved word of generated code; choose another name")
    return name

"""Rows of single-precision logits, for numba: copied behind the kernels that it calls.

Terms are of single precision, in as many lanes as the machine has; so are the sums of CHUNK of them, where each lane
adds a few. What is larger is summed in doubles. A tile is taken about the mean of the gaps of those before it, and once
more about its own where that was far off. A row whose digits this does not vouch for is left NaN.
"""

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

LINE, CHUNK, TILE = 64, 256, 2048
ROOM = np.float32(2.0**18)  # of logits and gaps
DEEP = np.float32(86.0)  # e^-86 is nearly the least normal number
ZERO, NOTHING = np.float32(0.0), np.float32(-np.inf)
INVERSE_LN2, LN2 = 1.4426950408889634, 0.6931471805599453
MASS, SUM_X, NEAR, FAR, CENTRE = range(5)  # of each tile
LEAST_P, ORIGIN_P, LEAST_Q, ORIGIN_Q, MIDDLE = range(5)  # of each row, in single precision
FAINT = 2.0**-60  # a divergence so small may come of classes that do not count here
KEEP = 0.3  # how much of a tile's terms may be due to its centre
LOSS = 6.0  # how many times as large as their sum the tiles' terms may be
SCALE, SHIFT = 600.0, 300.0  # beyond which exponentials may overflow


@njit(fastmath={"reassoc"}, forceinline=True)
def _plus(total, term):
    """The sum, of which many may be taken side by side."""
    return total + term


@intrinsic
def _order(typing, x):
    """Integers in the order of numbers; a NaN comes after infinity, or before its negative."""

    def written(context, builder, signature, values):
        whole = ir.IntType(32)
        bits = builder.bitcast(values[0], whole)
        sign = builder.ashr(bits, ir.Constant(whole, 31))
        return builder.xor(bits, builder.lshr(sign, ir.Constant(whole, 1)))

    return types.int32(types.float32), written


@intrinsic
def _ordered(typing, key):
    """The number of that place."""

    def written(context, builder, signature, values):
        whole = ir.IntType(32)
        sign = builder.ashr(values[0], ir.Constant(whole, 31))
        return builder.bitcast(builder.xor(values[0], builder.lshr(sign, ir.Constant(whole, 1))), ir.FloatType())

    return types.float32(types.int32), written


@njit(error_model="numpy")
def _greatest(a, b):
    """The greatest logits, and the greatest a - b: two infinite logits have none, for their difference is -NaN."""
    top_p, top_q, top_gap = np.int32(-(2**31)), np.int32(-(2**31)), np.int32(-(2**31))
    for j in range(a.size):
        p, q, gap = _order(a[j]), _order(b[j]), _order(a[j] - b[j])
        top_p = p if p > top_p else top_p
        top_q = q if q > top_q else top_q
        top_gap = gap if gap > top_gap else top_gap
    return _ordered(top_p), _ordered(top_q), _ordered(top_gap)


@njit(error_model="numpy")
def _sums(a, b, frame, out):
    """The sums of a tile about a centre."""
    mass, sum_x, near, far = 0.0, 0.0, 0.0, 0.0
    least_p, origin_p, least_q, origin_q, centre = frame[0], frame[1], frame[2], frame[3], frame[4]
    for i in range(0, a.size, CHUNK):
        m, s, n, f = ZERO, ZERO, ZERO, ZERO
        p, q = a[i : i + CHUNK], b[i : i + CHUNK]
        for j in range(p.size):
            w, x = __weighed_single(p[j], q[j], least_p, origin_p, centre)
            terms, others = __term_single(q[j], w, x, least_q, origin_q)
            m, s, n, f = _plus(m, w), _plus(s, w * x), _plus(n, terms), _plus(f, others)
        mass, sum_x, near, far = mass + m, sum_x + s, near + n, far + f
    out[MASS], out[SUM_X], out[NEAR], out[FAR], out[CENTRE] = mass, sum_x, near, far, centre


@njit(error_model="numpy")
def _scale_of(frame, centre):
    """The logarithm of Q's unit over P's, about a centre."""
    return (np.float64(frame[ORIGIN_Q]) - np.float64(frame[ORIGIN_P])) * LN2 - centre


@njit(error_model="numpy")
def _tile(a, b, frame, out):
    """A tile's sums, about its own mean if they show that the centre was far from it."""
    _sums(a, b, frame, out)
    if out[MASS] > 0.0:
        off = out[SUM_X] / out[MASS]
        own = (out[NEAR] + out[FAR] * _exp(_scale_of(frame, out[CENTRE]))) / out[MASS]
        if not (_e2(off) <= KEEP * own) & (abs(off) <= 1.0 + _log1p(own)) & (own < np.inf):
            frame[MIDDLE] = np.float32(out[CENTRE] + off)
            _sums(a, b, frame, out)


@njit(error_model="numpy")
def _whole(sums, frame, found):
    """The divergence from the tiles' sums, or NaN; and what its derivatives need."""
    mass, moment = 0.0, 0.0
    for t in range(sums.shape[0]):
        mass, moment = mass + sums[t, MASS], moment + (sums[t, MASS] * sums[t, CENTRE] + sums[t, SUM_X])
    centre = moment / mass
    scale = _scale_of(frame, centre)
    terms, far, rest, mass_q, size, spread = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for t in range(sums.shape[0]):
        m, x, n, f, s = sums[t, MASS], sums[t, SUM_X], sums[t, NEAR], sums[t, FAR], sums[t, CENTRE] - centre
        moved, moved_x, moved_q = __joined(s, m, n, f, x, scale)
        terms, rest, mass_q, far = terms + moved, rest + moved_x, mass_q + moved_q, far + f
        own = n + f * _exp(scale - s)
        wide = min(np.sqrt(2.0 * m * own) + 2.0 * own, 2.0 * m * _log1p(1.0 + (x + own) / m) + abs(x))
        spread += wide
        size += _exp(s) * own + (m * _e2(s) + abs(_expm1(s)) * wide) if abs(s) <= SHIFT else np.inf
    total = terms + far * _exp(scale)
    kl = __divergence(mass, terms, far, rest, mass_q, scale, 0.0)
    bent = total / (mass + total)  # how far an error of the sum of x enters
    sure = (size <= LOSS * total) & (spread * bent <= LOSS * mass * kl)
    sure &= (scale <= SCALE) & (kl >= FAINT) & (kl < np.inf)
    found[0] = kl if sure else np.nan
    found[1], found[2], found[3] = centre + rest / mass, mass, mass_q


@njit(error_model="numpy")
def _padded(tile, row, start, none):
    """A tile of a row; the last is copied, and filled up with classes without mass."""
    size = min(TILE, row.size - start)
    if size % LINE == 0:
        return row[start : start + size]
    for j in range(size):
        tile[j] = row[start + j]
    whole = -(-size // LINE) * LINE
    for j in range(size, whole):
        tile[j] = none
    return tile[:whole]


@njit(error_model="numpy")
def _same(a, b):
    for j in range(a.size):
        if not a[j] == b[j]:
            return False
    return True


@njit(error_model="numpy")
def _slopes(a, b, frame, centre_tail, kl, unit_p, unit_q, by_p, by_q):
    """Both derivatives; a class that is too faint to count has none by P's logit."""
    least_p, origin_p, least_q, origin_q, centre = frame[0], frame[1], frame[2], frame[3], frame[4]
    for j in range(a.size):
        w, x = __weighed_single(a[j], b[j], least_p, origin_p, centre)
        w = _select(a[j] < least_p, ZERO, w)
        first, second = __slopes_single(b[j], w, x - centre_tail, least_q, origin_q, kl, unit_p, unit_q)
        by_p[j], by_q[j] = first, second


@njit(cache=True, error_model="numpy", nogil=True)
def rows(p, p_row, q, q_row, first, last, classes, value, by_p, by_q):
    """Rows first to last: logit k of row i is p[i p_row + k]; derivatives, if there is room for any, in rows."""
    tiles = -(-classes // TILE)
    sums, found = np.empty((tiles, 5)), np.empty(4)
    frame, pads = np.empty(5, np.float32), np.empty((2, TILE), np.float32)
    for row in range(first, last):
        a, b = p[row * p_row : row * p_row + classes], q[row * q_row : row * q_row + classes]
        value[row] = np.nan
        top_p, top_q, top_gap = _greatest(a, b)
        if not ((abs(top_p) < ROOM) & (abs(top_q) < ROOM) & (top_gap < ROOM)):
            continue
        frame[LEAST_P], frame[ORIGIN_P] = top_p - DEEP, np.float32(np.rint(top_p * INVERSE_LN2) - 127.0)
        frame[LEAST_Q], frame[ORIGIN_Q] = top_q - DEEP, np.float32(np.rint(top_q * INVERSE_LN2) - 127.0)
        frame[MIDDLE] = ZERO
        _sums(_padded(pads[0], a[:LINE], 0, NOTHING), _padded(pads[1], b[:LINE], 0, NOTHING), frame, sums[0])
        frame[MIDDLE] = np.float32(sums[0, SUM_X] / sums[0, MASS])
        mass, moment = 0.0, 0.0
        for t in range(tiles):
            here = sums[t]
            _tile(_padded(pads[0], a, t * TILE, NOTHING), _padded(pads[1], b, t * TILE, NOTHING), frame, here)
            mass, moment = mass + here[MASS], moment + (here[MASS] * here[CENTRE] + here[SUM_X])
            frame[MIDDLE] = np.float32(moment / mass)
        _whole(sums, frame, found)
        value[row] = found[0]
        if np.isnan(value[row]) and _same(a, b):
            value[row] = 0.0
        if by_p.size and value[row] >= 0.0:
            frame[MIDDLE] = np.float32(found[1])
            tail, kl = np.float32(found[1] - np.float64(frame[MIDDLE])), np.float32(value[row])
            unit_p, unit_q = np.float32(1.0 / found[2]), np.float32(1.0 / found[3])
            here = slice(row * classes, (row + 1) * classes)
            _slopes(a, b, frame, tail, kl, unit_p, unit_q, by_p[here], by_q[here])

"""Rows of single-precision logits, for numba: copied behind the kernels that it calls.

Terms are of single precision, in as many lanes as the machine has; so are the sums of CHUNK of them, where each lane
adds a few. What is larger is summed in doubles. A tile is taken about the mean of the gaps of those before it, and once
more about its own where that was far off. A row whose digits this does not vouch for is left NaN.
"""

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

LINE, CHUNK, TILE = 64, 256, 8192
ABREAST = 64  # rows of one tile that are finished side by side
ROOM = np.float32(2.0**18)  # of logits and gaps
DEEP = np.float32(86.0)  # e^-86 is nearly the least normal number
ZERO, NOTHING = np.float32(0.0), np.float32(-np.inf)
INVERSE_LN2, LN2 = 1.4426950408889634, 0.6931471805599453
MASS, SUM_X, NEAR, FAR, CENTRE, UNIT_P, UNIT_Q = range(7)  # of each tile
TOP_P, ORIGIN_P, TOP_Q, ORIGIN_Q, MIDDLE, ROOMY = range(6)  # of each row so far, in single precision
KL, MEAN, MASS_P, MASS_Q = range(4)  # of each row
LITTLE = 1e-300
FAINT = 2.0**-60  # a divergence so small may come of classes that do not count here
KEEP = 0.3  # how much of a tile's terms may be due to its centre
LOSS = 6.0  # how many times as large as their sum the tiles' terms may be
MOST = 600.0  # a divergence beyond which exponentials may overflow


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


@njit(error_model="numpy", forceinline=True)
def _framed(frame, row):
    """The least logits that count and the origins of weights, of P and of Q."""
    return frame[TOP_P, row] - DEEP, frame[ORIGIN_P, row], frame[TOP_Q, row] - DEEP, frame[ORIGIN_Q, row]


@njit(error_model="numpy")
def _sums(a, b, frame, row, centre, out):
    """The sums of a row's tile about a centre."""
    mass, sum_x, near, far = 0.0, 0.0, 0.0, 0.0
    least_p, origin_p, least_q, origin_q = _framed(frame, row)
    for i in range(0, a.size, CHUNK):
        m, s, n, f = ZERO, ZERO, ZERO, ZERO
        p, q = a[i : i + CHUNK], b[i : i + CHUNK]
        for j in range(p.size):
            w, x = __weighed_single(p[j], q[j], least_p, origin_p, centre)
            terms, others = __term_single(q[j], w, x, least_q, origin_q)
            m, s, n, f = _plus(m, w), _plus(s, w * x), _plus(n, terms), _plus(f, others)
        mass, sum_x, near, far = mass + m, sum_x + s, near + n, far + f
    out[MASS, row], out[SUM_X, row], out[NEAR, row], out[FAR, row], out[CENTRE, row] = mass, sum_x, near, far, centre
    out[UNIT_P, row], out[UNIT_Q, row] = origin_p, origin_q


@njit(error_model="numpy")
def _exps(x):
    for j in range(x.size):
        x[j] = _exp(x[j])


@njit(error_model="numpy")
def _expm1s(x):
    for j in range(x.size):
        x[j] = _expm1(x[j])


@njit(error_model="numpy")
def _e2s(x):
    for j in range(x.size):
        x[j] = _e2(x[j])


@njit(error_model="numpy")
def _log1ps(x):
    for j in range(x.size):
        x[j] = _log1p(x[j])


@njit(error_model="numpy")
def _doubts(sums, frame, off, own):
    """How far the centres of tiles are from their means, where that is too far, and else 0."""
    mass, sum_x, near, far, centre = sums[MASS], sums[SUM_X], sums[NEAR], sums[FAR], sums[CENTRE]
    for j in range(off.size):
        own[j] = _unit(frame, j) - centre[j]
        off[j] = abs(sum_x[j] / mass[j])
    _exps(own)
    _e2s(off)
    for j in range(off.size):
        whole = (near[j] + far[j] * own[j]) / mass[j]
        fine = (off[j] <= KEEP * whole) & (whole < np.inf)
        off[j] = 0.0 if fine else sum_x[j] / mass[j]


@njit(error_model="numpy", forceinline=True)
def _unit(frame, row):
    """The logarithm of Q's unit over P's."""
    return (np.float64(frame[ORIGIN_Q, row]) - np.float64(frame[ORIGIN_P, row])) * LN2


@njit(error_model="numpy")
def _means(sums, total, moment, frame):
    """The next tiles' centres: the mean of all so far."""
    for j in range(total.size):
        total[j] += sums[MASS, j]
        moment[j] += sums[MASS, j] * sums[CENTRE, j] + sums[SUM_X, j]
        frame[MIDDLE, j] = np.float32(moment[j] / total[j])


@njit(error_model="numpy")
def _whole(sums, frame, found, work):
    """The divergences, log1p(sum p (e^x - 1 - x)), from the tiles' sums, or NaN; and what their derivatives need.

    Terms about one centre become those about another, s less, by e^s (e^x - 1 - x) + (e^s - 1 - s) + (e^s - 1) x. An
    error of the sum of x, which is relative to that of |x|, enters with the last of the three, and once more where the
    divergence is far from that sum.
    """
    mass, mean, kl, mass_q = found[MASS_P], found[MEAN], found[KL], found[MASS_Q]
    whole, size, spread, far = work[0], work[1], work[2], work[3]
    own, wide, lean, rise = work[4], work[5], work[6], work[7]
    for j in range(mass.size):
        whole[j], size[j], spread[j], far[j] = 0.0, 0.0, 0.0, 0.0
    for t in range(sums.shape[0]):
        here = sums[t]
        for j in range(mass.size):
            lean[j] = rise[j] = here[CENTRE, j] - mean[j] if here[MASS, j] > 0.0 else 0.0
            own[j] = _unit(frame, j) - here[CENTRE, j]
        _exps(own)
        _e2s(lean)
        _expm1s(rise)
        for j in range(mass.size):
            own[j] = here[NEAR, j] + here[FAR, j] * own[j]
            wide[j] = 1.0 + (here[SUM_X, j] + own[j]) / max(here[MASS, j], LITTLE)
        _log1ps(wide)  # Jensen's inequality: the mean of x where x > 0 is at most log(1 + mean e^x)
        for j in range(mass.size):
            m, x = here[MASS, j], here[SUM_X, j]
            most = min(np.sqrt(2.0 * m * own[j]) + 2.0 * own[j], 2.0 * m * wide[j] + abs(x))
            moved = (1.0 + rise[j]) * here[NEAR, j] + m * lean[j]
            far[j] += here[FAR, j]
            whole[j] += moved + rise[j] * x
            size[j] += moved + abs(rise[j]) * most
            spread[j] += most
    for j in range(mass.size):
        own[j] = _unit(frame, j) - mean[j]
    _exps(own)
    for j in range(mass.size):
        size[j] += far[j] * own[j]
        whole[j] += far[j] * own[j]
        kl[j] = whole[j] / mass[j]
    _log1ps(kl)
    for j in range(mass.size):
        bent = whole[j] / (mass[j] + whole[j])
        sure = (size[j] <= LOSS * whole[j]) & (spread[j] * bent <= LOSS * mass[j] * kl[j])
        roomy = (frame[ROOMY, j] > ZERO) & (frame[TOP_P, j] > -ROOM) & (frame[TOP_Q, j] > -ROOM)
        sure = sure & roomy & (kl[j] >= FAINT) & (kl[j] <= MOST)
        kl[j] = kl[j] if sure else np.nan
        mass_q[j] = (mass[j] + whole[j]) / own[j]


@njit(error_model="numpy")
def _padded(tile, row, start):
    """A tile of a row; the last is copied, and filled up with classes without mass."""
    size = min(TILE, row.size - start)
    if size % LINE == 0:
        return row[start : start + size]
    piece = row[start : start + size]
    for j in range(size):
        tile[j] = piece[j]
    whole = -(-size // LINE) * LINE
    for j in range(size, whole):
        tile[j] = NOTHING
    return tile[:whole]


@njit(error_model="numpy")
def _same(a, b):
    for j in range(a.size):
        if not a[j] == b[j]:
            return False
    return True


@njit(error_model="numpy")
def _sum_x(a, b, least_p, origin_p, centre):
    """The sum of x of a tile, alone."""
    sum_x = 0.0
    for i in range(0, a.size, CHUNK):
        s, p, q = ZERO, a[i : i + CHUNK], b[i : i + CHUNK]
        for j in range(p.size):
            w, x = __weighed_single(p[j], q[j], least_p, origin_p, centre)
            s = _plus(s, _select(p[j] < least_p, ZERO, w * x))
        sum_x += s
    return sum_x


@njit(error_model="numpy")
def _slopes(a, b, frame, row, found, by_p, by_q):
    """Both derivatives of a row; a class that is too faint to count has none by P's logit."""
    least_p, origin_p, least_q, origin_q = _framed(frame, row)
    centre = np.float32(found[MEAN, row])
    tail, kl = np.float32(found[MEAN, row] - np.float64(centre)), np.float32(found[KL, row])
    unit_p, unit_q = np.float32(1.0 / found[MASS_P, row]), np.float32(1.0 / found[MASS_Q, row])
    for j in range(a.size):
        w, x = __weighed_single(a[j], b[j], least_p, origin_p, centre)
        w = _select(a[j] < least_p, ZERO, w)
        first, second = __slopes_single(b[j], w, x - tail, least_q, origin_q, kl, unit_p, unit_q)
        by_p[j], by_q[j] = first, second


@njit(error_model="numpy")
def _begin(a, b, frame, row, sums):
    """The frame of a row at its first tile, and a centre, the mean of its first classes."""
    frame[TOP_P, row], frame[TOP_Q, row], frame[ORIGIN_P, row], frame[ROOMY, row] = -ROOM, -ROOM, ZERO, np.float32(1.0)
    frame[MIDDLE, row] = ZERO
    _raise(a, b, frame, row)
    if a.size > LINE:
        _sums(a[:LINE], b[:LINE], frame, row, ZERO, sums)
        frame[MIDDLE, row] = np.float32(sums[SUM_X, row] / sums[MASS, row])


@njit(error_model="numpy")
def _raise(a, b, frame, row):
    """The frame at a further tile: weights lie about the greatest logits so far. By what earlier weights shrink."""
    top_p, top_q, top_gap = _greatest(a, b)
    if not ((top_p < ROOM) & (top_q < ROOM) & (top_gap < ROOM)):
        frame[ROOMY, row] = ZERO
        return 1.0
    before = frame[ORIGIN_P, row]
    frame[TOP_P, row], frame[TOP_Q, row] = max(top_p, frame[TOP_P, row]), max(top_q, frame[TOP_Q, row])
    frame[ORIGIN_P, row] = np.float32(np.rint(frame[TOP_P, row] * INVERSE_LN2) - 127.0)
    frame[ORIGIN_Q, row] = np.float32(np.rint(frame[TOP_Q, row] * INVERSE_LN2) - 127.0)
    return 2.0 ** np.float64(before - frame[ORIGIN_P, row])


@njit(error_model="numpy")
def _level(sums, frame, row):
    """All tiles of a row in the units of its last."""
    for t in range(sums.shape[0]):
        by_p = 2.0 ** np.float64(sums[t, UNIT_P, row] - frame[ORIGIN_P, row])
        for k in range(MASS, FAR):
            sums[t, k, row] *= by_p
        sums[t, FAR, row] *= 2.0 ** np.float64(sums[t, UNIT_Q, row] - frame[ORIGIN_Q, row])


@njit(error_model="numpy", forceinline=True)
def _row(flat, step, row, classes):
    return flat[row * step : row * step + classes]


@njit(cache=True, error_model="numpy", nogil=True)
def rows(p, p_row, q, q_row, first, last, classes, value, by_p, by_q):
    """Rows first to last: logit k of row i is p[i p_row + k]; derivatives, if there is room for any, in rows."""
    tiles = -(-classes // TILE)
    width = ABREAST if tiles == 1 else 1
    all_sums, all_found, all_work = np.empty((tiles, 7, width)), np.empty((4, width)), np.empty((9, width))
    all_frames, pads = np.empty((6, width), np.float32), np.empty((2, TILE), np.float32)
    for begin in range(first, last, width):
        count = min(width, last - begin)
        sums, found, work, frame = (
            all_sums[:, :, :count],
            all_found[:, :count],
            all_work[:, :count],
            all_frames[:, :count],
        )
        mass, mean, off = found[MASS_P], found[MEAN], work[8]
        for j in range(count):
            mass[j], mean[j] = 0.0, 0.0
            a, b = _row(p, p_row, begin + j, classes), _row(q, q_row, begin + j, classes)
            _begin(a[:TILE], b[:TILE], frame, j, sums[0])
        for t in range(tiles):
            if t > 0:  # the row is alone
                a, b = _row(p, p_row, begin, classes), _row(q, q_row, begin, classes)
                shrink = _raise(a[t * TILE : (t + 1) * TILE], b[t * TILE : (t + 1) * TILE], frame, 0)
                mass[0], mean[0] = shrink * mass[0], shrink * mean[0]
            for turn in range(2):
                for j in range(count):
                    if turn == 0 or off[j] != 0.0:
                        a, b = _row(p, p_row, begin + j, classes), _row(q, q_row, begin + j, classes)
                        here, there = _padded(pads[0], a, t * TILE), _padded(pads[1], b, t * TILE)
                        centre = frame[MIDDLE, j] if turn == 0 else np.float32(sums[t, CENTRE, j] + off[j])
                        _sums(here, there, frame, j, centre, sums[t])
                if turn == 0:
                    _doubts(sums[t], frame, off, work[0])
            _means(sums[t], mass, mean, frame)
        for j in range(count):
            mean[j] /= mass[j]
            if tiles > 1:
                _level(sums, frame, j)
        _whole(sums, frame, found, work)
        for j in range(count):
            row = begin + j
            a, b = _row(p, p_row, row, classes), _row(q, q_row, row, classes)
            if np.isnan(found[KL, j]) and _same(a, b):
                found[KL, j] = mean[j] = 0.0
            value[row] = found[KL, j]
            if by_p.size and value[row] >= 0.0:
                centre, rest = np.float32(mean[j]), 0.0
                for t in range(tiles):
                    here, there = _padded(pads[0], a, t * TILE), _padded(pads[1], b, t * TILE)
                    rest += _sum_x(here, there, frame[TOP_P, j] - DEEP, frame[ORIGIN_P, j], centre)
                mean[j] = np.float64(centre) + rest / mass[j]
                here = slice(row * classes, (row + 1) * classes)
                _slopes(a, b, frame, j, found, by_p[here], by_q[here])

"""The loops over logits, for numba: what is here is copied behind the kernels that it calls.

A tile holds up to DEPTH lines of LANES classes. With width 1 they are pieces of one row, with width LANES every lane is
a row. Sums run down the lanes, so that inner loops are over neighbours and LLVM makes vector instructions of them.
"""

import numpy as np
from numba import njit

LANES, DEPTH = 64, 16
TOP_P, TOP_Q, MODE_Q, MODE, MODE_TAIL, ODD, CENTRE = range(7)  # of each lane
MASS, SUM_Y, NEAR, FAR, SUM_X, LOST = range(6)  # of each tile, the last to compensate the rounding of the others
KL, MEAN, MEAN_TAIL, MASS_P, MASS_Q = range(5)  # of each row


@njit(error_model="numpy")
def _fill(tile, flat, start, row, step, count, size, width):
    """The lines of a tile that begins at `start`; absent classes have the logit -inf, absent rows are of zeros."""
    if width == 1:
        whole = tile.reshape(-1)
        if step == 1:
            piece = flat[start : start + size]
            for j in range(size):
                whole[j] = piece[j]
        else:
            for j in range(size):
                whole[j] = flat[start + j * step]
        for j in range(size, -(-size // LANES) * LANES):
            whole[j] = -np.inf
        return
    for i in range(size):
        k = start + i * step
        if row == 1:
            line = flat[k : k + count]
            for j in range(count):
                tile[i, j] = line[j]
        else:
            for j in range(count):
                tile[i, j] = flat[k + j * row]
        for j in range(count, LANES):
            tile[i, j] = 0.0


@njit(error_model="numpy")
def _survey(a, b, deep, top_p, top_q, mode_q, odd):
    """The greatest logits, and Q's of P's modal class; odd is 2 for NaN or +inf, 1 for -inf in Q alone."""
    for i in range(deep):
        for j in range(LANES):
            x, y = a[i, j], b[i, j]
            greater = x > top_p[j]
            top_p[j] = x if greater else top_p[j]
            mode_q[j] = y if greater else mode_q[j]
            top_q[j] = y if y > top_q[j] else top_q[j]
            unlike = 1.0 if (y == -np.inf) & (x > -np.inf) else 0.0
            unlike = unlike if (x < np.inf) & (y < np.inf) else 2.0
            odd[j] = unlike if unlike > odd[j] else odd[j]


@njit(error_model="numpy")
def _settle(lane, width):
    """What the survey found, of the lanes together where they are one row; and by how much the modes differ."""
    if width == 1:
        best, top_q, odd = 0, lane[TOP_Q, 0], lane[ODD, 0]
        for j in range(1, LANES):
            best = j if lane[TOP_P, j] > lane[TOP_P, best] else best
            top_q, odd = max(top_q, lane[TOP_Q, j]), max(odd, lane[ODD, j])
        top_p, mode_q = lane[TOP_P, best], lane[MODE_Q, best]
        for j in range(LANES):
            lane[TOP_P, j], lane[MODE_Q, j], lane[TOP_Q, j], lane[ODD, j] = top_p, mode_q, top_q, odd
    for j in range(LANES):
        lane[MODE, j], lane[MODE_TAIL, j] = __gap(lane[MODE_Q, j], lane[TOP_P, j])


@njit(error_model="numpy")
def _weigh(a, b, y, y_tail, deep, top_p, mode, mode_tail, sum_y):
    """Weights in the place of P's logits, the gaps y, and the sum of weight y."""
    for i in range(deep):
        for j in range(LANES):
            w, gap, tail = __weighed(a[i, j], b[i, j], top_p[j], mode[j], mode_tail[j])
            a[i, j], y[i, j], y_tail[i, j] = w, gap, tail
            sum_y[j] += w * gap


@njit(error_model="numpy")
def _sum(values, deep, total, lost):
    """Down the lanes, compensated: exact while what is added is less than the sum, so all but a few times."""
    for i in range(deep):
        for j in range(LANES):
            s = total[j] + values[i, j]
            lost[j] += (total[j] - s) + values[i, j]
            total[j] = s
    for j in range(LANES):
        total[j] += lost[j]
        lost[j] = 0.0


@njit(error_model="numpy")
def _terms(w, b, y, y_tail, deep, centre, top_q, sum_x):
    """near and far in the places of y and of Q's logits; and the sum of weight x."""
    for i in range(deep):
        for j in range(LANES):
            x = (y[i, j] - centre[j]) + y_tail[i, j]
            near, far = __term(b[i, j], w[i, j], x, top_q[j])
            y[i, j], b[i, j] = near, far
            sum_x[j] += w[i, j] * x


@njit(error_model="numpy")
def _tile(a, b, y, y_tail, deep, lane, sums, width):
    """The sums of one tile about its own centre; where the lanes are one row they are all in the first lane."""
    for k in range(6):
        for j in range(LANES):
            sums[k, j] = 0.0
    _weigh(a, b, y, y_tail, deep, lane[TOP_P], lane[MODE], lane[MODE_TAIL], sums[SUM_Y])
    _sum(a, deep, sums[MASS], sums[LOST])
    if width == 1:
        _gather(sums, MASS, NEAR)
    for j in range(LANES):
        i = 0 if width == 1 else j
        lane[CENTRE, j] = sums[SUM_Y, i] / (sums[MASS, i] if sums[MASS, i] > 0.0 else 1.0)
    _terms(a, b, y, y_tail, deep, lane[CENTRE], lane[TOP_Q], sums[SUM_X])
    _sum(y, deep, sums[NEAR], sums[LOST])
    _sum(b, deep, sums[FAR], sums[LOST])
    if width == 1:
        _gather(sums, NEAR, LOST)


@njit(error_model="numpy")
def _gather(sums, first, last):
    """What the lanes of one row come to, in the first lane: by halves."""
    for k in range(first, last):
        size = LANES // 2
        while size > 0:
            for j in range(size):
                sums[k, j] += sums[k, j + size]
            size //= 2


@njit(error_model="numpy")
def _finish(tiles, lane, found, whole, width):
    """What the tiles' sums come to, row by row."""
    for k in range(6):
        for j in range(width):
            whole[k, j] = 0.0
    mass, centre, terms, far, x, mass_q = whole[0], whole[1], whole[2], whole[3], whole[4], whole[5]
    top, top_tail, scale, scale_tail = whole[6], whole[7], whole[8], whole[9]
    for t in range(tiles.shape[0]):
        for j in range(width):
            mass[j] += tiles[t, MASS, j]
            centre[j] += tiles[t, SUM_Y, j]
    for j in range(width):
        centre[j] /= mass[j]
        top[j], top_tail[j], scale[j], scale_tail[j] = __scale(lane[TOP_Q, j], lane[MODE_Q, j], centre[j])
    for t in range(tiles.shape[0]):
        m, y, n, f, z = tiles[t, MASS], tiles[t, SUM_Y], tiles[t, NEAR], tiles[t, FAR], tiles[t, SUM_X]
        for j in range(width):
            moved = __joined(m[j], y[j], n[j], f[j], z[j], centre[j], top[j], top_tail[j])
            terms[j] += moved[0]
            far[j] += moved[1]
            x[j] += moved[2]
            mass_q[j] += moved[3]
    for j in range(width):
        kl = __divergence(mass[j], terms[j], far[j], x[j], mass_q[j], scale[j], scale_tail[j])
        kl = np.inf if lane[ODD, j] == 1.0 else kl
        nothing = (lane[TOP_P, j] == -np.inf) | (lane[TOP_Q, j] == -np.inf)
        found[KL, j] = np.nan if nothing | (lane[ODD, j] == 2.0) else kl
        found[MEAN, j], found[MEAN_TAIL, j], found[MASS_P, j], found[MASS_Q, j] = (
            centre[j],
            x[j] / mass[j],
            mass[j],
            mass_q[j],
        )


@njit(error_model="numpy")
def _slopes(a, b, y, y_tail, deep, lane, found):
    """Both derivatives, in the places of the logits."""
    _weigh(a, b, y, y_tail, deep, lane[TOP_P], lane[MODE], lane[MODE_TAIL], lane[CENTRE])
    top_q, kl, mean, mean_tail, mass_p, mass_q = lane[TOP_Q], found[0], found[1], found[2], found[3], found[4]
    for i in range(deep):
        for j in range(LANES):
            x = (y[i, j] - mean[j]) + (y_tail[i, j] - mean_tail[j])
            by_p, by_q = __logit_slopes(b[i, j], a[i, j], x, top_q[j], kl[j], mass_p[j], mass_q[j])
            a[i, j], b[i, j] = by_p, by_q


@njit(error_model="numpy")
def _spill(tile, flat, start, row, count, size, width):
    """A tile of derivatives to where its rows, which lie one after the other, are kept."""
    if width == 1:
        whole, piece = tile.reshape(-1), flat[start : start + size]
        for j in range(size):
            piece[j] = whole[j]
        return
    for j in range(count):
        piece = flat[start + j * row : start + j * row + size]
        for i in range(size):
            piece[i] = tile[i, j]


@njit(cache=True, error_model="numpy", nogil=True)
def rows(p, p_row, p_step, q, q_row, q_step, first, last, classes, width, value, by_p, by_q):
    """Rows first to last: logit k of row i is p[i p_row + k p_step]; derivatives, if there is room for any, in rows."""
    most = LANES * DEPTH
    four = np.empty((4, DEPTH, LANES))
    a, b, y, y_tail = four[0], four[1], four[2], four[3]
    room = most if width == 1 else DEPTH
    tiles = -(-classes // room)
    lane, found, sums = np.empty((7, LANES)), np.empty((5, LANES)), np.empty((tiles, 6, LANES if width > 1 else 1))
    whole = np.empty((10, LANES if width > 1 else 1))
    own = np.empty((6, LANES))
    for row in range(first, last, width):
        count = min(width, last - row)
        for j in range(LANES):
            lane[TOP_P, j], lane[TOP_Q, j], lane[MODE_Q, j], lane[ODD, j] = -np.inf, -np.inf, 0.0, 0.0
        for turn in range(3 if by_p.size else 2):
            for t in range(tiles):
                begin = t * room
                size = min(room, classes - begin)
                deep = -(-size // LANES) if width == 1 else size
                if turn != 1 or tiles > 1:
                    _fill(a, p, row * p_row + begin * p_step, p_row, p_step, count, size, width)
                    _fill(b, q, row * q_row + begin * q_step, q_row, q_step, count, size, width)
                if turn == 0:
                    _survey(a, b, deep, lane[TOP_P], lane[TOP_Q], lane[MODE_Q], lane[ODD])
                elif turn == 1:
                    _tile(a, b, y, y_tail, deep, lane, own, width)
                    for k in range(5):
                        for j in range(width):
                            sums[t, k, j] = own[k, j]
                else:
                    _slopes(a, b, y, y_tail, deep, lane, found)
                    _spill(a, by_p, row * classes + begin, classes, count, size, width)
                    _spill(b, by_q, row * classes + begin, classes, count, size, width)
            if turn == 0:
                _settle(lane, width)
            elif turn == 1:
                _finish(sums, lane, found, whole, width)
                if width == 1:
                    for k in range(5):
                        for j in range(1, LANES):
                            found[k, j] = found[k, 0]
                for j in range(count):
                    value[row + j] = found[KL, j]

"""Layered drawings of graphs: where boxes stand and lines run if every line is to go down.

The steps are those of K. Sugiyama, S. Tagawa and M. Toda, "Methods for Visual Understanding of Hierarchical System
Structures", IEEE Transactions on Systems, Man and Cybernetics 11 (1981): give each box a row, order the rows so that
few lines cross, then move each box to where its lines are straight.
"""

import bisect
import itertools

_SWEEPS = 8
_BESIDE, _BELOW = 28.0, 44.0  # room between two boxes of a row, and between two rows


def layout(sizes, edges):
    """(the centres (x, y) of the boxes, the points of each edge's line, the (width, height) of all).

    sizes: the (width, height) of each box. edges: (i, j) with i < j, the numbers of two boxes, the second to stand
    below the first. Boxes keep their distance, and lines pass between the boxes of the rows that they cross.
    """
    row_of = _rows_of(len(sizes), edges)
    widths = [width for width, _ in sizes]
    rows = [[] for _ in range(max(row_of, default=-1) + 1)]
    for i, row in enumerate(row_of):
        rows[row].append(i)
    chains = []  # for each edge the box it leaves, a point in each row that it crosses, the box it enters
    for i, j in edges:
        chain = [i]
        for row in range(row_of[i] + 1, row_of[j]):
            chain.append(len(widths))
            rows[row].append(len(widths))
            widths.append(0.0)
        chains.append([*chain, j])
    above, below = [[] for _ in widths], [[] for _ in widths]
    for chain in chains:
        for i, j in itertools.pairwise(chain):
            below[i].append(j)
            above[j].append(i)
    rows = _with_few_crossings(rows, above, below)
    x = _across(rows, above, below, widths)
    heights = [max((sizes[i][1] for i in row if i < len(sizes)), default=0.0) for row in rows]
    tops = [sum(heights[:row]) + row * _BELOW for row in range(len(rows))]
    centres = [(x[i], tops[row] + heights[row] / 2) for i, row in enumerate(row_of)]
    lines = [_line(chain, x, row_of, tops, heights, sizes) for chain in chains]
    width = max((x[i] + widths[i] / 2 for row in rows for i in row), default=0.0)
    return centres, lines, (width, tops[-1] + heights[-1] if rows else 0.0)


def _rows_of(count, edges):
    """The row of each box: as many boxes above it as the longest way down to it has; what nothing leads to stands
    right above what it leads to."""
    row_of = [0] * count
    for i, j in sorted(edges):
        row_of[j] = max(row_of[j], row_of[i] + 1)
    entered = {j for _, j in edges}
    for i in set(range(count)) - entered:
        row_of[i] = max(0, min((row_of[j] for start, j in edges if start == i), default=1) - 1)
    return row_of


def _with_few_crossings(rows, above, below):
    """The rows, each sorted by the mean place of what its boxes are linked to, down and up in turn; the best found."""
    best, fewest = rows, _crossings(rows, below)
    for sweep in range(_SWEEPS):
        links = above if sweep % 2 == 0 else below
        place = {i: at for row in rows for at, i in enumerate(row)}
        changed = []
        for row in rows if sweep % 2 == 0 else rows[::-1]:
            row = sorted(row, key=lambda i: _mean([place[j] for j in links[i]], place[i]))
            place.update((i, at) for at, i in enumerate(row))
            changed.append(row)
        rows = changed if sweep % 2 == 0 else changed[::-1]
        crossings = _crossings(rows, below)
        if crossings < fewest:
            best, fewest = rows, crossings
    return best


def _crossings(rows, below):
    """How many pairs of lines cross."""
    count = 0
    for upper, lower in itertools.pairwise(rows):
        place = {i: at for at, i in enumerate(lower)}
        ends = []  # of the lines so far, sorted
        for i in upper:
            for end in sorted(place[j] for j in below[i]):
                count += len(ends) - bisect.bisect_right(ends, end)
                bisect.insort(ends, end)
    return count


def _across(rows, above, below, widths):
    """The x of each box's centre; the leftmost box begins at 0."""
    x = [0.0] * len(widths)
    for sweep in range(_SWEEPS + 1):
        links = above if sweep % 2 == 0 else below
        for row in rows if sweep % 2 == 0 else rows[::-1]:
            wanted = [_mean([x[j] for j in links[i]], x[i]) for i in row]
            for i, place in zip(row, _apart(wanted, [widths[i] for i in row]), strict=True):
                x[i] = place
    left = min((x[i] - width / 2 for i, width in enumerate(widths)), default=0.0)
    return [place - left for place in x]


def _apart(wanted, widths):
    """The places nearest to those wanted (least squares) that keep the order and the room between neighbours.

    With the room taken off, the places must only not fall: an isotonic regression, by pooling what falls.
    """
    room = [0.0]
    for left, right in itertools.pairwise(widths):
        room.append(room[-1] + (left + right) / 2 + _BESIDE)
    pools = []  # [sum, count]
    for place, offset in zip(wanted, room, strict=True):
        pools.append([place - offset, 1])
        while len(pools) > 1 and pools[-2][0] * pools[-1][1] > pools[-1][0] * pools[-2][1]:
            total, count = pools.pop()
            pools[-1][0] += total
            pools[-1][1] += count
    means = [total / count for total, count in pools for _ in range(count)]
    return [mean + offset for mean, offset in zip(means, room, strict=True)]


def _line(chain, x, row_of, tops, heights, sizes):
    """The points of a line: out of a box and straight to its row's end, through the rows between, into a box."""
    first, last, row = chain[0], chain[-1], row_of[chain[0]]
    points = [(x[first], tops[row] + heights[row] / 2 + sizes[first][1] / 2), (x[first], tops[row] + heights[row])]
    for i in chain[1:-1]:
        row += 1
        points += [(x[i], tops[row]), (x[i], tops[row] + heights[row])]
    row += 1
    points += [(x[last], tops[row]), (x[last], tops[row] + heights[row] / 2 - sizes[last][1] / 2)]
    return [point for i, point in enumerate(points) if i == 0 or point != points[i - 1]]


def _mean(values, otherwise):
    return sum(values) / len(values) if values else otherwise

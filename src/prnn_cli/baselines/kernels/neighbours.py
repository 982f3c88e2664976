"""The inner loops of the session-based nearest neighbours: their index, and the scores of a mini-batch of sessions.

Shapes: E clicks of S training sessions, N items, Q clicks of the B sessions that are asked about.
"""

from typing import NamedTuple

import numpy as np

from prnn_cli.baselines.kernels.compiled import compiled

LEAST = 1.2e-38  # of a normal float32


class Clicks(NamedTuple):
    """The distinct items of each session, that of the latest click first.

    offsets: (sessions + 1,) int64; items: int32; positions: int32 of the last click on the item in its session, from 1
    """

    offsets: np.ndarray
    items: np.ndarray
    positions: np.ndarray


class Holders(NamedTuple):
    """The training sessions that hold each item, first those that are sampled first.

    offsets: (N + 1,) int64; sessions: int32, rising for each item
    """

    offsets: np.ndarray
    sessions: np.ndarray


class Formula(NamedTuple):
    """The numbers that a method's formula is made of.

    k: neighbours that are scored; sample_size: sessions that they are chosen from
    is_jaccard: whether the similarity is the shared items' part of all; else it is the sum of the shared items' weights
    session: (S,) float64, factor of a neighbour's similarity
    reach: factor of a neighbour's scores by the steps, from 1, back to the latest click that it shares
    gap: factor of an item's score by its distance, in clicks, from the neighbour's latest shared one; empty: 1
    item: (N,) float64, factor of an item's score; empty: 1
    """

    k: int
    sample_size: int
    is_jaccard: bool
    session: np.ndarray
    reach: np.ndarray
    gap: np.ndarray
    item: np.ndarray


class Room(NamedTuple):
    """What a worker writes into: zero before and after each call.

    shared: (S,) float64, the sum of the weights of the items that a neighbour shares; reach: (S,) int32
    scores: (N,) float64; clicked: (N,) bool
    """

    shared: np.ndarray
    reach: np.ndarray
    scores: np.ndarray
    clicked: np.ndarray


@compiled
def distinct_clicks(items, offsets, order, num_items):
    """The `Clicks` of sessions (offsets (S + 1,) into items (E,)), taken in the order (S,)."""
    of_session = np.zeros(len(order) + 1, np.int64)
    distinct, positions = np.empty(len(items), np.int32), np.empty(len(items), np.int32)
    seen_in = np.full(num_items, -1, np.int32)
    count = 0
    for number, session in enumerate(order):
        start = offsets[session]
        for event in range(offsets[session + 1] - 1, start - 1, -1):
            item = items[event]
            if seen_in[item] != number:
                seen_in[item] = number
                distinct[count], positions[count] = item, event - start + 1
                count += 1
        of_session[number + 1] = count
    return Clicks(of_session, distinct[:count].copy(), positions[:count].copy())


@compiled
def holders_of_items(clicks, num_items, sample_size):
    """The `Holders` of each item, at most the first `sample_size`: no sample holds more of them."""
    counts = np.zeros(num_items, np.int64)
    for item in clicks.items:
        counts[item] += 1
    offsets = np.zeros(num_items + 1, np.int64)
    for item in range(num_items):
        offsets[item + 1] = offsets[item] + min(counts[item], sample_size)
    sessions, filled = np.empty(offsets[-1], np.int32), offsets[:-1].copy()
    for session in range(len(clicks.offsets) - 1):
        for each in range(clicks.offsets[session], clicks.offsets[session + 1]):
            item = clicks.items[each]
            if filled[item] < offsets[item + 1]:
                sessions[filled[item]] = session
                filled[item] += 1
    return Holders(offsets, sessions)


@compiled
def score(trained, holders, formula, asked, weights, steps, left_out, left_out_of, first, last, room):
    """Scores of the next click after the sessions first:last of `asked`, as a CSR matrix without its shape.

    trained, asked: `Clicks`; weights: (Q,) float64 of the asked clicks in the similarity; steps: (Q,) back to them
    left_out: items that get no score, those of a session from left_out_of[row] to left_out_of[row + 1]
    """
    size, count = 1024, 0
    scored, values = np.empty(size, np.int32), np.empty(size, np.float32)
    rows = np.zeros(last - first + 1, np.int64)
    for row in range(first, last):
        begin, end = asked.offsets[row], asked.offsets[row + 1]
        neighbours, similarities = _neighbours(
            trained, holders, formula, asked.items[begin:end], weights[begin:end], steps[begin:end], room
        )
        items = _score_items(trained, formula, asked.items[begin:end], neighbours, similarities, room)
        for item in left_out[left_out_of[row] : left_out_of[row + 1]]:
            room.scores[item] = 0
        if count + len(items) > size:
            size = 2 * (count + len(items))
            scored, values = _longer(scored, size), _longer(values, size)
        start, of_row, highest = count, np.empty(len(items)), 0.0
        for item in items:
            value = room.scores[item]
            room.scores[item] = 0
            if len(formula.item):
                value *= formula.item[item]
            if value > 0:
                scored[count], of_row[count - start] = item, value
                count += 1
                highest = max(highest, value)
        for place in range(start, count):
            # As float32: what would be 0 there stays above what has no score at all.
            values[place] = max(of_row[place - start] / highest, LEAST)
        rows[row - first + 1] = count
    return rows, scored[:count], values[:count]


@compiled
def _longer(array, size):
    longer = np.empty(size, array.dtype)
    longer[: len(array)] = array
    return longer


@compiled
def _neighbours(trained, holders, formula, items, weights, steps, room):
    """The k most similar sessions of the sample, (sessions, similarities); of equal ones those sampled first.

    Leaves the steps back to the latest click that each shares in room.reach, which _score_items reads.
    """
    found = _sample(holders, formula.sample_size, items, weights, steps, room)
    sample, similarities, count = np.empty(len(found), np.int32), np.empty(len(found)), 0
    for session in found:
        similarity = room.shared[session]
        room.shared[session] = 0
        if formula.is_jaccard:
            size = trained.offsets[session + 1] - trained.offsets[session]
            similarity /= len(items) + size - similarity
        similarity *= formula.session[session]
        if similarity > 0:
            sample[count], similarities[count] = session, similarity
            count += 1
        else:
            room.reach[session] = 0
    return _most_similar(sample[:count], similarities[:count], formula.k, room)


@compiled
def _sample(holders, sample_size, items, weights, steps, room):
    """The first `sample_size` sessions that hold any of the items; adds up room.shared and sets room.reach.

    Goes through all lists of holders at once, a window of sessions at a time, each twice as wide as the one before; the
    first is as wide as it may be without finding too many, and what the last finds too many is taken back.
    """
    num_items, most = len(items), 0
    places, ends = np.empty(num_items, np.int64), np.empty(num_items, np.int64)
    for click in range(num_items):
        places[click], ends[click] = holders.offsets[items[click]], holders.offsets[items[click] + 1]
        most += ends[click] - places[click]
    found, count, before = np.empty(most, np.int32), 0, 0
    last, width = _first_window(holders.sessions, places, ends, sample_size)
    while most > 0 and count < sample_size:
        before, most = count, 0
        for click in range(num_items):  # the latest first
            place, end = places[click], ends[click]
            while place < end and holders.sessions[place] <= last:
                session = holders.sessions[place]
                place += 1
                if room.reach[session] == 0:
                    room.reach[session] = steps[click]
                    found[count] = session
                    count += 1
                room.shared[session] += weights[click]
            places[click] = place
            most += end - place
        width *= 2
        last += width
    if count > sample_size:
        count = _kept(found, before, count, sample_size - before, room)
    return found[:count]


@compiled
def _first_window(sessions, places, ends, number):
    """The last session up to which the lists sessions[place:end] hold at most `number` together, or the first of all
    where they hold more even there; and how many sessions the window is wide."""
    first, high = np.int64(2**31), np.int64(-1)
    for each in range(len(places)):
        if places[each] < ends[each]:
            first = min(first, np.int64(sessions[places[each]]))
            high = max(high, np.int64(sessions[ends[each] - 1]))
    low = first
    while low < high:
        middle = low + (high - low + 1) // 2
        together = 0
        for each in range(len(places)):
            together += np.searchsorted(sessions[places[each] : ends[each]], middle, side="right")
        if together <= number:
            low = middle
        else:
            high = middle - 1
    return low, low - first + 1


@compiled
def _kept(found, start, stop, number, room):
    """Keeps the first `number` sessions of found[start:stop], forgets the others, and returns where they end."""
    last_kept = np.partition(found[start:stop], number - 1)[number - 1]
    count = start
    for place in range(start, stop):
        session = found[place]
        if session <= last_kept:
            found[count] = session
            count += 1
        else:
            room.reach[session], room.shared[session] = 0, 0
    return count


@compiled
def _most_similar(sample, similarities, k, room):
    """The k most similar of the sample, in the arrays that it came in; forgets the others in room.reach.

    Similarities are compared as float32, so that those that are equal by their formula are equal here.
    """
    if len(sample) <= k:
        return sample, similarities
    rounded = (similarities / similarities.max()).astype(np.float32)
    least = np.partition(rounded, len(sample) - k)[len(sample) - k]
    num_better = 0
    for similarity in rounded:
        num_better += similarity > least
    tied = sample[rounded == least]
    last_tied = np.partition(tied, k - num_better - 1)[k - num_better - 1]
    count = 0
    for each in range(len(sample)):
        session = sample[each]
        if rounded[each] > least or (rounded[each] == least and session <= last_tied):
            sample[count], similarities[count] = session, similarities[each]
            count += 1
        else:
            room.reach[session] = 0
    return sample[:count], similarities[:count]


@compiled
def _score_items(trained, formula, asked, neighbours, similarities, room):
    """Adds up room.scores, and returns the items that have any, each once."""
    for item in asked:
        room.clicked[item] = True
    scored, count = np.empty(1024, np.int32), 0
    for number in range(len(neighbours)):
        session = neighbours[number]
        begin, end = trained.offsets[session], trained.offsets[session + 1]
        factor = similarities[number] * formula.reach[room.reach[session]]
        room.reach[session] = 0
        if factor == 0:
            continue
        if count + end - begin > len(scored):
            scored = _longer(scored, 2 * (count + end - begin))
        if len(formula.gap):
            count = _add_by_distance(trained, begin, end, factor, formula.gap, scored, count, room)
            continue
        for place in range(begin, end):
            item = trained.items[place]
            scored[count] = item
            count += room.scores[item] == 0  # a branch would be mispredicted half the time
            room.scores[item] += factor
    for item in asked:
        room.clicked[item] = False
    return scored[:count]


@compiled
def _add_by_distance(trained, begin, end, factor, gap, scored, count, room):
    """Adds a neighbour's items, begin:end, to room.scores by their distance from the one that was clicked last of those
    that are shared; returns the new count of scored items."""
    place = begin
    while not room.clicked[trained.items[place]]:
        place += 1
    latest_shared = trained.positions[place]
    for place in range(begin, end):
        value = factor * gap[abs(trained.positions[place] - latest_shared)]
        if value > 0:
            item = trained.items[place]
            scored[count] = item
            count += room.scores[item] == 0
            room.scores[item] += value
    return count

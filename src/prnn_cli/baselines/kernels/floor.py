"""The loop that nearest sessions cannot do without, for `prnn bench`: it adds up, and chooses nothing."""

import numpy as np

from prnn_cli.baselines.kernels.compiled import compiled


@compiled
def add_up(trained, holders, k, items, offsets):
    """For each prefix of the sessions: 1 to each session that an item's list holds, then to each item of k of them.

    trained: `Clicks`, holders: `Holders`; items, offsets: of `Sessions`. The lists of the last four clicks are read.
    """
    of_session, of_item = np.zeros(len(trained.offsets)), np.zeros(len(holders.offsets))
    for session in range(len(offsets) - 1):
        for end in range(offsets[session] + 1, offsets[session + 1]):
            left = k
            for click in range(end - 1, max(offsets[session], end - 4) - 1, -1):
                item = items[click]
                for place in range(holders.offsets[item], holders.offsets[item + 1]):
                    of_session[holders.sessions[place]] += 1.0
                for place in range(
                    holders.offsets[item], min(holders.offsets[item + 1], holders.offsets[item] + left)
                ):
                    neighbour = holders.sessions[place]
                    left -= 1
                    for each in range(trained.offsets[neighbour], trained.offsets[neighbour + 1]):
                        of_item[trained.items[each]] += 1.0
    return of_item.sum()

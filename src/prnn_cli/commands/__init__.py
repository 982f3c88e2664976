"""One file a command: `run` reads top to bottom. WRITES says whether it takes a run folder.

COMMANDS take Hydra overrides, WORD_COMMANDS plain words.
"""

COMMANDS = {
    "train": "prepare, train, evaluate against item-kNN, write tables",
    "preprocess": "read a log, filter and split it as in the paper, say what was read and dropped",
    "features": "make the item features alone, show items that are alike",
    "evaluate": "rank the test events once more with a finished run's model",
    "recommend": "the items that a finished run's model expects to be clicked next",
    "tables": "the paper's tables of finished runs, across sweeps and seeds",
    "bench": "how fast this machine prepares, trains and ranks, and how near to its floor",
    "status": "how a run stands: running, done, or failed and why",
}

WORD_COMMANDS = {
    "datasets": "the known datasets; datasets describe PATH: the YAML that reads a log of yours",
    "completion": "print the completion script of bash, zsh or fish",
}

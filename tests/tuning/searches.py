"""A search that takes seconds: four trials of an epoch each."""

from pathlib import Path

import pandas as pd

from commands.conftest import SMALL

SEARCH = ["train", "search=id_only", *SMALL, "search.trials=4", "epochs=1", "search.prune=false"]

FOLDER = Path("runs/tuned/synthetic/id_only")


def trials() -> pd.DataFrame:
    return pd.read_csv(FOLDER / "trials.csv")

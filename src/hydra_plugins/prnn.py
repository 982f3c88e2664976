"""Where Hydra looks for plugins (a namespace package that others share)."""

from prnn_cli.tuning.sweeper import TrialSweeper


class OptunaSweeper(TrialSweeper):
    """hydra/sweeper=optuna"""

"""Where Hydra looks for plugins (a namespace package that others share)."""

from hydra.core.config_search_path import ConfigSearchPath
from hydra.plugins.search_path_plugin import SearchPathPlugin

from prnn_cli.extensions import config_folders
from prnn_cli.jobs.launcher import SideBySideLauncher
from prnn_cli.tuning.sweeper import TrialSweeper


class OptunaSweeper(TrialSweeper):
    """hydra/sweeper=optuna"""


class SideBySide(SideBySideLauncher):
    """hydra/launcher=side_by_side"""


class ExtensionConfigs(SearchPathPlugin):
    """The configs of extensions stand beside prnn's own."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        known = {(each.path or "").removeprefix("file://") for each in search_path.get_path()}
        for folder in config_folders():
            if str(folder) not in known:
                search_path.append("prnn", f"file://{folder}")

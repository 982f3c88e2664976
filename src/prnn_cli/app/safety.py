"""The refusal of configurations that could run code: what they may have called, by its exact name, and how.

Hydra imports and calls whatever a configuration names, Python's logging opens the files that it names, and launchers
pass text on to a shell. Configurations are passed on, so one from elsewhere must do none of it. All of them, of single
jobs and of sweeps, come out of one loader, which checks them whole once they are composed: wherever a file came from.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from hydra._internal import hydra as hydra_internal
from hydra.core.plugins import Plugins
from hydra.plugins.launcher import Launcher
from hydra.plugins.sweeper import Sweeper
from hydra.types import RunMode
from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from prnn_cli.app.config_files import check_config_folders
from prnn_cli.app.kept_configs import KeepingLoader
from prnn_cli.errors import UserError, first_line

# What `_target_` may name beside the launchers and sweepers that are installed: torch.optim's classes, and this.
TARGETS = ("hydra.experimental.callbacks.LogJobReturnCallback",)
OPTIMISER = re.compile(r"torch\.optim\.[A-Z]\w*")
# What "class" and "()" may name: the parts of logging.
LOGGING = (
    "prnn_cli.system.progress.ConsoleHandler",
    "logging.StreamHandler",
    "logging.FileHandler",
    "logging.NullHandler",
    "logging.Formatter",
    "logging.Filter",
    "colorlog.ColoredFormatter",
)
# A file elsewhere, such as a shell's own, would take what is logged for commands.
LOG_FILE = re.compile(r"(\$\{hydra\.runtime\.output_dir\}/)?(\$\{hydra\.job\.name\}|[\w-])+\.log")
OPTION = re.compile(r"\$\{(\w[\w.]*)\}")
STREAMS = ("ext://sys.stdout", "ext://sys.stderr")
# Environment variables that decide numbers of threads and devices; others decide which programs are run.
ENVIRONMENT = re.compile(r"\w+_NUM_THREADS|CUDA_VISIBLE_DEVICES")
# Options of launchers that reach a shell, or another machine, in which a job then runs.
TO_A_SHELL = re.compile(r"setup|python|srun_args|additional_parameters|runtime_env|.*commands?")

Node = tuple[str, Any]  # the dotted path of a value, and the value


class CheckedLoader(KeepingLoader):
    """Hydra's loader, which refuses a configuration that names foreign code.

    A launcher takes it along to the machine that composes a job.
    """

    def load_configuration(
        self,
        config_name: str | None,
        overrides: list[str],
        run_mode: RunMode,
        from_shell: bool = True,
        validate_sweep_overrides: bool = True,
    ) -> DictConfig:
        """Composes a configuration. Raises `UserError` for one that could run code, Hydra's errors for others."""
        try:
            config = super().load_configuration(
                config_name, overrides, run_mode, from_shell, validate_sweep_overrides
            )
        except KeyError as error:  # of os.environ
            raise UserError(f"hydra.job.env_copy names {error}, which the environment lacks") from error
        except (AttributeError, TypeError, AssertionError, IndexError) as error:
            # What Hydra does not look for, such as `hydra: null`.
            raise UserError(f"the configuration cannot be composed ({first_line(error)})") from error
        refuse_foreign_code(config, overrides)
        return config

    def _process_config_searchpath(self, config_name: Any, parsed_overrides: Any, repo: Any) -> None:
        check_config_folders([each.path for each in self.config_search_path.get_path()])
        given = [each.value() for each in parsed_overrides if each.key_or_group == "hydra.searchpath"]
        if config_name is not None and (primary := repo.load_config(config_name)):
            given.append(OmegaConf.select(primary.config, "hydra.searchpath"))
        for folders in given:
            check_config_folders(folders if isinstance(folders, list | ListConfig) else [])
        super()._process_config_searchpath(config_name, parsed_overrides, repo)


def check_compositions() -> None:
    """Has every configuration that Hydra composes in this process checked."""
    hydra_internal.ConfigLoaderImpl = CheckedLoader  # type: ignore[attr-defined]


def refuse_foreign_code(config: DictConfig, typed: Sequence[str] = ()) -> None:
    """Raises `UserError` where a composed configuration could have foreign code run. typed: the overrides"""
    plain = OmegaConf.to_container(config, resolve=False)
    for path, value in _walk(plain):
        key = path.rpartition(".")[2]
        if key == "_target_" and value is not None and not _may_be_called(value):
            raise _refused(path, value, "torch's optimisers, and launchers and sweepers that are installed,")
        if key in ("class", "()") and value is not None and value not in LOGGING:
            raise _refused(path, value, f"{', '.join(LOGGING)}")
    for node in ("callbacks", "launcher", "sweeper"):
        _refuse_hidden_nodes(config, plain, f"hydra.{node}")
    for node in ("job_logging", "hydra_logging"):
        _check_logging(plain, f"hydra.{node}")
    _check_job(config, plain)
    _check_launcher(config, plain, typed)


def _may_be_called(name: object) -> bool:
    if name in TARGETS or OPTIMISER.fullmatch(str(name)):
        return True
    plugin = Plugins.instance().class_name_to_class.get(str(name))
    return plugin is not None and issubclass(plugin, Launcher | Sweeper)


def _refused(path: str, value: object, allowed: str) -> UserError:
    return UserError(f"{path}={value} names code to be called; configurations may name {allowed} alone")


def _refuse_hidden_nodes(config: DictConfig, plain: Any, root: str) -> None:
    """An interpolation may stand for a plain value, but not for a node, which could hold anything by then."""
    for path, value in _walk(plain, root):
        # With more text around it, an interpolation can only become text.
        if not (isinstance(value, str) and value.startswith("${") and value.endswith("}")):
            continue
        option = OPTION.fullmatch(value)
        if option is None or OmegaConf.is_config(_selected(config, option[1])):
            raise UserError(f"{path}={value} hides what is to be called; write it out")


def _check_logging(plain: Any, root: str) -> None:
    for path, value in _walk(plain, root):
        key = path.rpartition(".")[2]
        if ".." in path:  # the key "."
            raise UserError(f"{path} sets an attribute of a part of logging; leave it out")
        if not isinstance(value, str):
            continue
        is_file = bool(LOG_FILE.fullmatch(value))
        if "filename" in key and not is_file:
            raise UserError(
                f"{path}={value} is no log file of a run; write "
                "filename=${hydra.runtime.output_dir}/NAME.log"
            )
        if "${" in value and not is_file:
            raise UserError(f"{path}={value} is an interpolation, which logging may not hold; write it out")
        if value.startswith(("ext://", "cfg://")) and value not in STREAMS:
            raise UserError(f"{path}={value} names an object of Python; valid: {', '.join(STREAMS)}")


def _check_job(config: DictConfig, plain: Any) -> None:
    if (subfolder := config.hydra.output_subdir) not in (".hydra", None):
        raise UserError(
            f"hydra.output_subdir={subfolder} could overwrite files elsewhere; leave it .hydra, which prnn reads"
        )
    name = OmegaConf.to_container(config.hydra.job).get("name", "")  # type: ignore[union-attr]
    if "/" in str(name) or "${" in str(name):
        raise UserError(f"hydra.job.name={name} is part of the name of a log file; write one word")
    variables = [path.rpartition(".")[2] for path, value in _walk(plain, "hydra.job.env_set") if value != {}]
    variables += [str(value) for _, value in _walk(plain, "hydra.job.env_copy") if value != []]
    for variable in variables:
        if not ENVIRONMENT.fullmatch(variable):
            raise UserError(
                f"hydra.job.env_set and env_copy may not set {variable}, which may decide what programs are run; set "
                "it in your shell"
            )


def _check_launcher(config: DictConfig, plain: Any, typed: Sequence[str]) -> None:
    """What reaches a shell comes from who types the command, never from a file."""
    for path, value in _walk(plain, "hydra.launcher"):
        if isinstance(value, str) and "\n" in f"{value}{_selected(config, path)}":
            raise UserError(f"{path} holds a line end, behind which a job's script would go on; leave it out")
        option = next((each for each in path.split(".")[2:] if TO_A_SHELL.fullmatch(each)), None)
        is_elsewhere = path == "hydra.launcher.ray.init.address" and value not in ("auto", "local")
        if not (option or is_elsewhere) or value in (None, [], {}):
            continue
        start = path.partition(f".{option}")[0] + f".{option}" if option else path
        if not any(each.lstrip("+").startswith(start) for each in typed):
            raise UserError(
                f"{path}={value} reaches a shell or another machine, and comes from a file; give it on the command line"
            )


def _selected(config: DictConfig, path: str) -> Any:
    """The resolved value at a path; None where it cannot be resolved yet."""
    try:
        return OmegaConf.select(config, path)
    except OmegaConfBaseException:
        return None


def _walk(plain: Any, root: str = "") -> Iterator[Node]:
    """The values of a plain configuration at and below a node: those that are no containers, and empty containers."""
    for part in root.split(".") if root else ():
        plain = plain.get(part) if isinstance(plain, dict) else plain
    nodes: list[Node] = [(root, plain)]
    while nodes:
        path, node = nodes.pop()
        if isinstance(node, dict) and node:
            nodes += [(f"{path}.{key}".lstrip("."), value) for key, value in node.items()]
        elif isinstance(node, list) and node:
            nodes += [(path, value) for value in node]
        else:
            yield path, node

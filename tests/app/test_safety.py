"""Nothing that prnn reads can run code, leave its folder, or fill the memory."""

import importlib
import os
import pickle
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from commands.conftest import SMALL, Result, refusal
from prnn_cli.app.safety import LOGGING, TARGETS
from prnn_cli.errors import UserError
from prnn_cli.features.images import read_image
from prnn_cli.features.items import _inside, _refuse_links_out
from prnn_cli.features.vector_files import read_ids, read_matrix

Prnn = Callable[..., Result]
pytest_plugins = ["commands.conftest"]


class Trap:
    """Unpickling it leaves a file."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("trapped",)


LOGGED = "job_logging: {handlers: {file: {class: logging.FileHandler, filename: %s}}}"
MADE = "${oc.create:'{trap: {_target_: os.mkdir, path: trapped}}'}"


def experiment(text: str, folder: str = "own") -> list[str]:
    """The arguments that compose a folder of configs with one experiment."""
    Path(folder, "experiment").mkdir(parents=True, exist_ok=True)
    Path(folder, "experiment/evil.yaml").write_text(f"# @package _global_\n{text}\n")
    return ["-cd", folder, "experiment=evil"]


@pytest.mark.parametrize(
    ("hydra", "sentence"),
    [
        # called by Hydra
        (
            "callbacks: {trap: {_target_: os.mkdir, path: trapped}}",
            "hydra.callbacks.trap._target_=os.mkdir names",
        ),
        (
            "callbacks: {trap: {_target_: prnn_cli.cli.os.mkdir, path: trapped}}",
            "prnn_cli.cli.os.mkdir names",
        ),
        ("callbacks: {trap: {_target_: prnn_cli.data.prepare.pd.read_pickle}}", "pd.read_pickle names"),
        (
            "callbacks: {trap: {_target_: hydra.utils.get_method, path: os.mkdir}}",
            "hydra.utils.get_method names",
        ),
        ("callbacks: {trap: {_target_: torch.optim.lr_scheduler.warnings.warn}}", "warnings.warn names"),
        (
            "callbacks: {a: {_target_: torch.optim.SGD, x: {_target_: os.mkdir}}}",
            "hydra.callbacks.a.x._target_",
        ),
        ("callbacks: {a: {_target_: torch.optim.SGD, _args_: [{_target_: os.mkdir}]}}", "_target_=os.mkdir"),
        (f'callbacks: "{MADE}"', "hides what is to be called"),
        ("callbacks: ${recipe.options.hidden}", "hydra.callbacks=${recipe.options.hidden} hides"),
        ("callbacks: {trap: '${${recipe.options.named}}'}", "hides what is to be called"),
        ("callbacks: {trap: {_target_: '${label}'}}", "_target_=${label} names"),
        ("launcher: {_target_: os.mkdir}", "hydra.launcher._target_=os.mkdir names"),
        ("sweeper: {_target_: os.mkdir}", "hydra.sweeper._target_=os.mkdir names"),
        # called by logging
        ("job_logging: {handlers: {file: {class: os.mkdir}}}", "class=os.mkdir names"),
        (
            "job_logging: {handlers: {file: {class: prnn_cli.system.progress.logging.handlers.SMTPHandler}}}",
            "names",
        ),
        ("job_logging: {handlers: {trap: {(): os.mkdir, name: trapped}}}", "()=os.mkdir names"),
        ("job_logging: {formatters: {trap: {(): prnn_cli.cli.os.system}}}", "formatters.trap.()=prnn_cli"),
        ("job_logging: {filters: {trap: {(): os.mkdir}}}", "filters.trap.()=os.mkdir names"),
        ("hydra_logging: {formatters: {trap: {class: os.mkdir}}}", "formatters.trap.class=os.mkdir names"),
        ("job_logging: {handlers: {console: {stream: 'ext://os.environ'}}}", "names an object of Python"),
        ("job_logging: {handlers: {console: {stream: '${label}://os.environ'}}}", "logging may not hold"),
        ("job_logging: {handlers: {file: {'.': {baseFilename: /tmp/.bashrc}}}}", "sets an attribute"),
        (f'job_logging: "{MADE}"', "logging may not hold"),
        # a log that a shell reads as commands
        (LOGGED % "/home/me/.bashrc", "is no log file of a run"),
        (LOGGED % "'${hydra.runtime.output_dir}/../.bashrc'", "is no log file of a run"),
        (LOGGED % "'${hydra.runtime.output_dir}/.bashrc'", "is no log file of a run"),
        (LOGGED % "'${oc.env:HOME}/.bashrc'", "is no log file of a run"),
        ("job: {name: ../../evil}", "hydra.job.name=../../evil is part of the name of a log file"),
        # programs that are run
        ("job: {env_set: {CXX: ./evil.sh}}", "may not set CXX"),
        ("job: {env_set: {PATH: /tmp/evil}}", "may not set PATH"),
        ("job: {env_copy: [HOME]}", "may not set HOME"),
        ("output_subdir: ../elsewhere", "could overwrite files elsewhere"),
        ("job: {env_copy: [NOT_THERE]}", "which the environment lacks"),
    ],
)
def test_a_folder_of_configs_cannot_have_code_run(hydra: str, sentence: str, prnn: Prnn) -> None:
    named = f'recipe: {{options: {{hidden: "{MADE}", named: recipe.options.hidden}}}}\n'
    result = prnn("train", *experiment(f"{named}hydra:\n  {hydra}"), "--cfg", "job")
    assert sentence in refusal(result)
    assert not Path("trapped").exists()


@pytest.mark.parametrize("arguments", [["--info", "config"], ["-m"], []])
def test_whatever_is_asked_for_is_refused(arguments: list[str], prnn: Prnn) -> None:
    trap = experiment(
        "hydra: {hydra_logging: {handlers: {trap: {(): prnn_cli.cli.os.mkdir, path: trapped}}}}"
    )
    assert "prnn_cli.cli.os.mkdir names code" in refusal(prnn("train", *trap, *arguments))
    assert prnn("train", *trap, "--help").exit_code == 0  # it composes nothing
    assert not Path("trapped").exists()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("# @package _global_\nhydra: null\n", "the configuration cannot be composed"),
        ("# @pac\n", "begins with a line that Hydra cannot read"),
    ],
)
def test_what_hydra_does_not_foresee_is_a_sentence(text: str, sentence: str, prnn: Prnn) -> None:
    arguments = experiment("")
    Path("own/experiment/evil.yaml").write_text(text)
    assert sentence in refusal(prnn("train", *arguments, "--cfg", "job"))


@pytest.mark.parametrize("key", ["+hydra.callbacks.trap._target_", "hydra.job_logging.handlers.file.class"])
def test_a_sweep_cannot_name_code_in_its_jobs(key: str, prnn: Prnn) -> None:
    trap = experiment(f"hydra: {{mode: MULTIRUN, sweeper: {{params: {{{key}: os.mkdir}}}}}}")
    assert "=os.mkdir names code to be called" in refusal(prnn("train", *trap, *SMALL))
    assert not Path("trapped").exists()


def test_a_search_cannot_name_code_in_its_trials(prnn: Prnn) -> None:
    pytest.importorskip("optuna")
    Path("own/search").mkdir(parents=True)
    Path("own/search/evil.yaml").write_text(
        "# @package _global_\ndefaults: [custom]\n"
        "search: {name: evil, space: {hydra.job_logging.handlers.file.class: 'choice(os.mkdir,os.rmdir)'}}\n"
    )
    result = prnn("train", "-cd", "own", "search=evil", *SMALL)
    assert "names code to be called" in refusal(result)


@pytest.mark.parametrize(
    "setting",
    ["setup: ['touch trapped']", "additional_parameters: {wrap: 'touch trapped'}", 'comment: "a\\nb"'],
)
def test_what_a_launcher_gives_to_a_shell_comes_from_the_command_line(setting: str, prnn: Prnn) -> None:
    pytest.importorskip("hydra_plugins.hydra_submitit_launcher")
    trap = experiment(
        f"defaults: [{{override /hydra/launcher: submitit_slurm}}]\nhydra: {{launcher: {{{setting}}}}}"
    )
    assert (
        "a shell" in refusal(prnn("train", *trap, "--cfg", "job"))
        or "holds a line end" in prnn("train", *trap).err
    )
    typed = ["hydra/launcher=submitit_slurm", "hydra.launcher.setup=[module load cuda]"]
    assert prnn("train", *typed, "--cfg", "job").exit_code == 0


def test_folders_that_links_lead_to_and_search_paths_are_checked_too(prnn: Prnn) -> None:
    experiment("hydra: {callbacks: {trap: {_target_: os.mkdir, path: trapped}}}", "elsewhere")
    Path("own").mkdir()
    Path("own/experiment").symlink_to(Path("elsewhere/experiment").absolute())
    for arguments in (
        ["-cd", "own"],
        ["hydra.searchpath=[elsewhere]"],
        ["hydra.searchpath=[file://elsewhere]"],
    ):
        assert "=os.mkdir names code" in refusal(prnn("train", *arguments, "experiment=evil"))
    assert not Path("trapped").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["hydra.searchpath=[pkg://evil]"],
        ["-cd", "own", "--config-name", "evil"],
        ["--config-path", "pkg://evil"],
    ],
)
def test_no_package_is_imported_for_its_configs(
    arguments: list[str], prnn: Prnn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(".")
    Path("evil").mkdir()
    Path("evil/__init__.py").write_text("import os; os.mkdir('trapped')")
    Path("own").mkdir()
    Path("own/evil.yaml").write_text("defaults: [train]\nhydra: {searchpath: ['pkg://evil']}\n")
    assert "is no folder" in refusal(prnn("train", *arguments))
    assert not Path("trapped").exists()


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (BOMB, "holds more than 20,000 values"),
        ("a: &a [*a]", "holds more than 20,000 values"),
        (f"a: {'[' * 300}{']' * 300}", "nested more than 50 levels deep"),
        (f"a: {'[' * 3000}{']' * 3000}", "a config file is nested too deep"),
        ("- " * 3000, "nested more than 50 levels deep"),
        (
            "a: !!python/object/apply:os.mkdir [trapped]",
            "of the type tag:yaml.org,2002:python/object/apply:os.mkdir",
        ),
    ],
)
def test_yaml_that_unfolds_or_names_types_is_refused(text: str, sentence: str, prnn: Prnn) -> None:
    assert sentence in refusal(prnn("train", *experiment(text), "--cfg", "job"))
    assert not Path("trapped").exists()


@pytest.mark.parametrize(
    "override",
    [
        "+hydra.callbacks.trap._target_=os.mkdir",
        "+hydra.callbacks={trap: {_target_: os.mkdir, path: trapped}}",
        "hydra.job_logging.handlers.file.class=os.system",
        "+recipe._target_=builtins.eval",
    ],
)
def test_an_override_cannot_name_code(override: str, prnn: Prnn) -> None:
    assert "names code to be called" in refusal(prnn("train", *SMALL, override))
    assert not Path("trapped").exists()


def test_a_pickled_job_is_not_run_again(prnn: Prnn) -> None:
    Path("config.pickle").write_bytes(pickle.dumps(Trap()))
    for flag in ("--experimental-rerun", "--exp"):  # argparse takes a beginning
        assert "reads a pickle" in refusal(prnn("train", flag, "config.pickle"))
    assert not Path("trapped").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["hydra/job_logging=default", "hydra/hydra_logging=default"],
        ["hydra/job_logging=stdout", "hydra/hydra_logging=hydra_debug"],
        ["hydra/job_logging=disabled", "hydra/hydra_logging=none"],
        ["hydra/launcher=basic", "hydra/sweeper=basic", "+hydra.job.env_set.OMP_NUM_THREADS=1"],
        ["+x._target_=torch.optim.Adagrad"],
        ["hydra.job_logging.handlers.file.filename='${hydra.runtime.output_dir}/mine.log'"],
    ],
)
def test_what_ships_with_hydra_and_torchs_optimisers_may_be_named(arguments: list[str], prnn: Prnn) -> None:
    assert prnn("train", *arguments, "--cfg", "job").exit_code == 0


def test_what_may_be_named_is_defined_where_it_is_named() -> None:
    for name in (
        name for name in (*LOGGING, *TARGETS) if not name.startswith("colorlog.")
    ):  # an extra of Hydra's
        module, _, attribute = name.rpartition(".")
        assert getattr(importlib.import_module(module), attribute).__module__ == module
    optimisers = [getattr(torch.optim, name) for name in dir(torch.optim) if name[0].isupper()]
    assert all(issubclass(each, torch.optim.Optimizer) for each in optimisers)


def test_pickles_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("m.npy", np.array([Trap()], dtype=object), allow_pickle=True)
    for name in ("m.safetensors", "m.parquet"):
        Path(name).write_bytes(pickle.dumps(Trap()))
    torch.save(Trap(), "w.pth")
    for name in ("m.npy", "m.safetensors", "m.parquet"):
        with pytest.raises(UserError, match="cannot be used"):
            read_matrix(Path(name))
    with pytest.raises(UserError, match="cannot be used"):
        read_ids(Path("m.npy"))
    assert not Path("trapped").exists()


@pytest.mark.parametrize("name", ["../secret.png", "/etc/passwd", "a/../../secret.png"])
def test_the_images_of_a_table_lie_in_its_folder(name: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="lies outside"):
        _inside(tmp_path, name, "a")


@pytest.mark.parametrize("link", ["own/a.png", "own"])
def test_a_link_does_not_lead_an_image_out_of_the_folder(link: str, tmp_path: Path) -> None:
    """Whether the file or its folder is the link; a link within the folder, or to it, holds."""
    (tmp_path / "private").mkdir()
    (tmp_path / "private/a.png").write_bytes(b"secret")
    (tmp_path / "shop/real").mkdir(parents=True)
    (tmp_path / "shop/real/a.png").write_bytes(b"picture")
    (tmp_path / "shop/inner").symlink_to("real")
    (tmp_path / "linked").symlink_to("shop")
    _refuse_links_out(tmp_path / "linked", [tmp_path / "linked/inner/a.png", None])
    (tmp_path / "shop" / link).parent.mkdir(exist_ok=True)
    (tmp_path / "shop" / link).symlink_to(tmp_path / "private" / link.removeprefix("own").lstrip("/"))
    with pytest.raises(UserError, match=r"is a link to .*private/a\.png, outside"):
        _refuse_links_out(tmp_path / "shop", [tmp_path / "shop/own/a.png"])


def test_an_image_bomb_is_not_unpacked(tmp_path: Path) -> None:
    """A gigapixel in a kilobyte: its header is enough to refuse it."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    header = (40_000).to_bytes(4, "big") * 2 + bytes([8, 0, 0, 0, 0])
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(10**6)))
    (tmp_path / "bomb.png").write_bytes(bomb)
    with pytest.raises((Image.DecompressionBombError, Image.DecompressionBombWarning)):
        read_image(tmp_path / "bomb.png")

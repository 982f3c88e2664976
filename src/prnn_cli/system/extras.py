"""Optional extras: what needs which, and the line that installs it."""

import importlib.util
import shutil
import socket

from prnn_cli.errors import UserError

EXTRAS = {  # option: (a module that it needs, the extra that brings it)
    "hydra/sweeper=optuna": ("optuna", "tune"),
    "hydra/launcher=joblib": ("hydra_plugins.hydra_joblib_launcher", "joblib"),
    "hydra/launcher=submitit_local": ("hydra_plugins.hydra_submitit_launcher", "slurm"),
    "hydra/launcher=submitit_slurm": ("hydra_plugins.hydra_submitit_launcher", "slurm"),
    "hydra/launcher=slurm_gpu": ("hydra_plugins.hydra_submitit_launcher", "slurm"),
    "hydra/launcher=ray": ("hydra_plugins.hydra_ray_launcher", "ray"),
    "hydra/launcher=ray_cluster": ("hydra_plugins.hydra_ray_launcher", "ray"),
    "logger=tensorboard": ("tensorboard", "tensorboard"),
    "logger=mlflow": ("mlflow", "mlflow"),
    "prnn export": ("onnxscript", "export"),
    "prnn serve": ("fastapi", "serve"),
}

ANSWERS_WITHIN_S = 5.0
ON_SLURM = ("hydra/launcher=submitit_slurm", "hydra/launcher=slurm_gpu")


def require(option: str) -> None:
    """Raises `UserError` where the extra that the option needs is not installed, or its cluster is not in sight."""
    if option not in EXTRAS:
        return
    module, extra = EXTRAS[option]
    try:
        found = importlib.util.find_spec(module)
    except ModuleNotFoundError:  # the package that should hold it
        found = None
    if found is None:
        raise UserError(
            f"{option} needs an extra that is not installed; type: pip install 'prnn-cli[{extra}]'"
        )
    if option in ON_SLURM and shutil.which("sbatch") is None:
        raise UserError(
            f"{option} submits jobs with sbatch, which this machine lacks; run the command on a node of the cluster, "
            "or use hydra/launcher=submitit_local"
        )


def refuse_silent(address: str | None) -> None:
    """Raises `UserError` where no Ray cluster answers at HOST:PORT: Ray itself would try for minutes. Other forms of
    an address are Ray's to understand."""
    host, _, port = str(address).rpartition(":")
    if not (host and port.isdigit()) or "/" in host:
        return
    try:
        socket.create_connection((host, int(port)), ANSWERS_WITHIN_S).close()
    except (OSError, OverflowError) as error:
        raise UserError(
            f"hydra.launcher.ray.init.address={address} does not answer ({error}); give HOST:PORT of a Ray cluster "
            "that runs, as `ray start --head` prints it"
        ) from error

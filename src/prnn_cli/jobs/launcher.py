"""The launcher that prnn gives to Hydra: the jobs of a sweep on this machine, several at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hydra._internal.core_plugins.basic_launcher import BasicLauncher

if TYPE_CHECKING:
    from hydra.core.utils import JobReturn


class SideBySideLauncher(BasicLauncher):
    """Runs jobs in processes of their own, as many at a time as the plan of the sweep says.

    One job, or one at a time, runs in this process. Hydra scans its plugins at every start, so what this needs is
    imported once it launches.
    """

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Runs the jobs, and returns what came of each, in their order. Raises `Stopped` after a signal."""
        from hydra.core.utils import JobReturn, JobStatus

        from prnn_cli.jobs.job import JobRunner
        from prnn_cli.jobs.side_by_side import JobsSideBySide

        # Hydra is given the method of a runner, and hands that on.
        runner = getattr(self.task_function, "__self__", None)
        if not isinstance(runner, JobRunner) or not runner.needs_processes(len(job_overrides)):
            return super().launch(job_overrides, initial_job_idx)
        assert self.config is not None
        assert self.hydra_context is not None
        jobs = JobsSideBySide(runner, self.hydra_context, self.config, job_overrides, initial_job_idx)
        return [
            JobReturn(overrides=given, status=JobStatus.COMPLETED, _return_value=job)
            for given, job in zip(job_overrides, jobs.run(), strict=True)
        ]

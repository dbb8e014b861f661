"""Everything that is asked of sweeps: starting one, what it has come to, stopping and deleting it.

A sweep is its runs: it is found again in their folders. Knows no widget.
"""

from dataclasses import replace
from functools import partial

from demo.errors import NotFound
from demo.lab.runs import Runs, run_name
from demo.sweep_records import SweepRequest, SweepState
from demo.training import sweep
from demo.training.sweep_result import sweep_of, sweeps_in


class Sweeps(Runs):
    """The sweeps of all workspaces behind one door."""

    def start_sweep(self, workspace: str, request: SweepRequest) -> str:
        """Queue the runs of a sweep, all or none; returns its id.

        Raises:
            BadInput: it cannot be; the message names the value that spoils it.
            Busy: another sweep of this workspace is under way, or there is no place for more runs.
        """
        folder = self.workspaces.open(workspace)
        self.workspaces.require_room(folder)
        request = replace(request, name=run_name(request.name))
        wanted = self._wanted(workspace, request.dataset, request.name, request.settings)
        ordering = self.runs.ordering.for_request()
        plan = partial(ordering.plan, wanted.rows, wanted.info)
        runs = sweep.runs_of(request, wanted, plan)
        return self.runs.enqueue(folder, runs, ordering)[0].sweep

    def sweep(self, workspace: str, sweep: str) -> SweepState:
        """A sweep as the folders of its runs tell it now. Raises `NotFound`."""
        runs = self.runs_of(workspace)
        if not sweep or all(run.sweep != sweep for run in runs):
            raise NotFound
        return sweep_of(runs, sweep)

    def sweeps_of(self, workspace: str) -> list[SweepState]:
        """Every sweep of a workspace, newest first."""
        return sweeps_in(self.runs_of(workspace))

    def stop_sweep(self, workspace: str, sweep: str) -> None:
        """Stop all of its runs; what they have learned is kept."""
        # The waiting ones first: none shall begin while the one that trains ends.
        for point in sorted(
            self.sweep(workspace, sweep).points, key=lambda p: p.status != "queued"
        ):
            self.stop_run(workspace, point.run)

    def delete_sweep(self, workspace: str, sweep: str) -> None:
        """Stop all of its runs and delete their folders."""
        points = self.sweep(workspace, sweep).points
        for point in sorted(points, key=lambda p: p.status != "queued"):
            self.delete_run(workspace, point.run)

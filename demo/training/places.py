"""How many runs may wait: of one visitor, of all, and beside how full a disk.

Refuses with numbers; queues nothing.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path

from demo.errors import Busy
from demo.settings import LabSettings
from demo.training.run_folder import RunOrder

LEAST_FREE_BYTES = 500_000_000
"""A run leaves about 20 MB; the rest keeps the lab itself alive."""


def require_place(
    workspace: Path, own: Sequence[RunOrder], more: Sequence[RunOrder], settings: LabSettings
) -> None:
    """Refuse runs for which this visitor has no place left.

    Args:
        workspace: whose runs they are.
        own: what waits or runs there already.
        more: what shall be queued together; the runs of a sweep share one place, a taste takes none.
        settings: the operator's limits.

    Raises:
        Busy: this visitor has enough runs or a taste under way, or the disk is full.
    """
    if any(order.taste for order in own) and any(order.taste for order in more):
        raise Busy("taste_busy")
    taken = _places(own)
    if len(taken | _places(more)) > settings.runs_per_workspace:
        raise Busy("runs_busy", got=len(taken))
    if shutil.disk_usage(workspace).free < LEAST_FREE_BYTES:
        raise Busy("disk_full")


def require_one_sweep(own: Sequence[RunOrder], more: Sequence[RunOrder]) -> None:
    """Refuse a sweep beside another one of the same visitor. Raises `Busy`."""
    under_way = {order.sweep for order in own if order.sweep}
    if any(order.sweep and under_way - {order.sweep} for order in more):
        raise Busy("sweep_busy")


def require_room_in_line(
    line: Sequence[RunOrder], more: Sequence[RunOrder], settings: LabSettings
) -> None:
    """Refuse runs beyond what may wait of all visitors.

    Args:
        line: what waits or runs already.
        more: what shall be queued together.
        settings: the operator's limit, for tastes and full runs each: tastes are for full lines.

    Raises:
        Busy: too many wait.
    """
    for taste in (False, True):
        waiting, coming = (sum(one.taste == taste for one in orders) for orders in (line, more))
        if coming and waiting + coming > settings.runs_waiting:
            raise Busy("runs_full", got=waiting)


def _places(orders: Sequence[RunOrder]) -> set[str]:
    return {order.sweep or order.id for order in orders if not order.taste}

"""Everything that is asked of adapters that travel: in from elsewhere, merged, renamed, out again.

Passes on; what is checked, and how, stands in `own_adapters` and `whole_model`.
"""

from collections.abc import Sequence
from pathlib import Path

from demo.lab.own_adapters import OwnAdapters
from demo.lab.whole_model import WholeModels
from demo.records import AdapterInfo


class Travel:
    """The adapters of all workspaces that no run made behind one door."""

    own_adapters: OwnAdapters
    whole_models: WholeModels

    def import_adapter(self, workspace: str, name: str, content: bytes | Path) -> AdapterInfo:
        """Check a zip from elsewhere, or a file that holds it, and write its adapter anew."""
        return self.own_adapters.bring(workspace, name, content)

    def merge_adapters(
        self, workspace: str, name: str, parts: Sequence[tuple[str, float]]
    ) -> AdapterInfo:
        """A new low-rank adapter that is the exact weighted sum of others."""
        return self.own_adapters.merge(workspace, name, parts)

    def brought_adapters(self, workspace: str) -> list[AdapterInfo]:
        """The brought and merged adapters of a workspace, newest first."""
        return self.own_adapters.list(workspace)

    def rename_adapter(self, workspace: str, adapter: str, name: str) -> None:
        """Call a brought or merged adapter otherwise."""
        self.own_adapters.rename(workspace, adapter, name)

    def delete_adapter(self, workspace: str, adapter: str) -> None:
        """Delete a brought or merged adapter; a run's adapter goes with its run."""
        self.own_adapters.delete(workspace, adapter)

    def whole_model(self, workspace: str, adapter: str) -> Path:
        """A zip of the base model with an adapter merged into it, where the operator allows its size."""
        return self.whole_models.export(workspace, adapter)

    def whole_model_code(self, workspace: str, adapter: str) -> str:
        """The lines that merge a downloaded adapter into the base model elsewhere."""
        return self.whole_models.code(workspace, adapter)

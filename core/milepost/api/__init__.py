"""The one door into the core. Guests (cli, milepost_lsp, milepost_mcp) import from here only.

The errors come at once; everything else is loaded when it is first named, because an MCP server
that only lists its tools must not wait for SQLite and the whole house.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from milepost.base.errors import (
    ConflictError,
    MilepostError,
    Stopped,
    UserError,
    WorldError,
)

if TYPE_CHECKING:
    from milepost.api.data_views import DataFile, DataScan, KeptSecret
    from milepost.api.run_views import Question, RunEvent, RunOutcome, WorkSession
    from milepost.api.settings import settings_files, settings_in_force
    from milepost.api.views import (
        Action,
        Brief,
        BriefEntry,
        Change,
        Check,
        Checkpoint,
        Diff,
        Entry,
        EntryPage,
        Evidence,
        Goal,
        HistoryEvent,
        HistoryResult,
        Hit,
        Import,
        ImportPlace,
        LeftOut,
        Location,
        MemoryChange,
        NotCovered,
        Omission,
        OutlineItem,
        Project,
        Refusal,
        Relocation,
        Restore,
        Revision,
        RulesFile,
        SearchResult,
        Setting,
        Sign,
        StoreSize,
        VectorUse,
        Verdict,
    )
    from milepost.api.workspace import Workspace, open_workspace, project_folder
    from milepost.base.symbols import enclosing_symbol

__all__ = [
    "Action",
    "Brief",
    "BriefEntry",
    "Change",
    "Check",
    "Checkpoint",
    "ConflictError",
    "DataFile",
    "DataScan",
    "Diff",
    "Entry",
    "EntryPage",
    "Evidence",
    "Goal",
    "HistoryEvent",
    "HistoryResult",
    "Hit",
    "Import",
    "ImportPlace",
    "KeptSecret",
    "LeftOut",
    "Location",
    "MemoryChange",
    "MilepostError",
    "NotCovered",
    "Omission",
    "OutlineItem",
    "Project",
    "Question",
    "Refusal",
    "Relocation",
    "Restore",
    "Revision",
    "RulesFile",
    "RunEvent",
    "RunOutcome",
    "SearchResult",
    "Setting",
    "Sign",
    "Stopped",
    "StoreSize",
    "UserError",
    "VectorUse",
    "Verdict",
    "WorkSession",
    "Workspace",
    "WorldError",
    "enclosing_symbol",
    "open_workspace",
    "project_folder",
    "settings_files",
    "settings_in_force",
]


_ROOMS = {
    "DataFile": "milepost.api.data_views",
    "KeptSecret": "milepost.api.data_views",
    "DataScan": "milepost.api.data_views",
    "RunOutcome": "milepost.api.run_views",
    "WorkSession": "milepost.api.run_views",
    "RunEvent": "milepost.api.run_views",
    "Question": "milepost.api.run_views",
    "Workspace": "milepost.api.workspace",
    "open_workspace": "milepost.api.workspace",
    "project_folder": "milepost.api.workspace",
    "enclosing_symbol": "milepost.base.symbols",
    "settings_files": "milepost.api.settings",
    "settings_in_force": "milepost.api.settings",
}


def __getattr__(name: str) -> object:
    """Load what is named for the first time (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_ROOMS.get(name, "milepost.api.views")), name)

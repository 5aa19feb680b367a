"""The tools, one a file, in the order in which they are listed."""

from milepost_mcp.tools import (
    checkpoint_list,
    checkpoint_restore,
    checkpoint_save,
    goal_set,
    goal_verify,
    history_search,
    memory_forget,
    memory_get,
    memory_save,
    memory_search,
)

TOOLS = {
    tool.name: tool
    for tool in (
        memory_search.TOOL,
        memory_get.TOOL,
        memory_save.TOOL,
        memory_forget.TOOL,
        history_search.TOOL,
        checkpoint_save.TOOL,
        checkpoint_list.TOOL,
        checkpoint_restore.TOOL,
        goal_set.TOOL,
        goal_verify.TOOL,
    )
}

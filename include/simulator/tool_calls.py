"""Tools that a request makes the model call: the input is what their schema asks for."""

from typing import Any

Params = dict[str, Any]
Tool = dict[str, Any]


def forced_tool(params: Params) -> Tool | None:
    """Return the tool that has to be called; None where the model may answer in words."""
    choice, tools = params.get("tool_choice") or {}, params.get("tools") or []
    if choice.get("type") == "any":
        return next(iter(tools), None)
    if choice.get("type") == "tool":
        return next((tool for tool in tools if tool.get("name") == choice.get("name")), None)
    return None


def tools_problem(params: Params) -> str | None:
    """Return what is wrong with the tools and the choice among them."""
    tools, choice = params.get("tools"), params.get("tool_choice")
    if not isinstance(tools or [], list):
        return "tools: Input should be a valid list"
    if not isinstance(choice or {}, dict):
        return "tool_choice: Input should be an object"
    for position, tool in enumerate(tools or []):
        if not isinstance(tool, dict) or not tool.get("name"):
            return f"tools.{position}.name: Field required"
    if choice and not tools:
        return "tool_choice: may only be given together with tools"
    if choice and choice.get("type") in ("any", "tool") and forced_tool(params) is None:
        return f"tool_choice: tool {choice.get('name')!r} is not among the tools"
    return None

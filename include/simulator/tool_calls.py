"""Tools that a request makes the model call: the input is what their schema asks for."""

from typing import Any

Params = dict[str, Any]
Tool = dict[str, Any]

_CHOICES = ("auto", "any", "tool", "none")


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
    tools = params.get("tools") or []
    if not isinstance(tools, list):
        return "tools: Input should be a valid list"
    for position, tool in enumerate(tools):
        if problem := _tool_problem(tool):
            return f"tools.{position}.{problem}"
    return _choice_problem(params) if params.get("tool_choice") else None


def _tool_problem(tool: Any) -> str | None:
    if not isinstance(tool, dict) or not tool.get("name"):
        return "name: Field required"
    if not isinstance(tool.get("input_schema", {}), dict):
        return "input_schema: Input should be an object"
    return None


def _choice_problem(params: Params) -> str | None:
    choice = params["tool_choice"]
    if not isinstance(choice, dict):
        return "tool_choice: Input should be an object"
    if not params.get("tools"):
        return "tool_choice: may only be given together with tools"
    if choice.get("type") not in _CHOICES:
        return f"tool_choice.type: Input should be one of {', '.join(_CHOICES)}"
    if choice["type"] in ("any", "tool") and forced_tool(params) is None:
        return f"tool_choice: tool {choice.get('name')!r} is not among the tools"
    return None

"""The text of a module: its tree, with the number of parameters of each part."""

from __future__ import annotations

from .base import AnyModule


def describe(module: AnyModule) -> str:
    """The module and what it contains, one line each, indented by depth."""
    name, own = module._get_name(), module.__dict__
    children = [(key, own[key]) for key in own["_modules"]]
    extra = module.extra_repr()
    if not children:
        return f"{name}({extra}){_count(module)}"
    lines = [f"{name}({extra}{_count(module)}"]
    for key, child in children:
        first, *rest = repr(child).split("\n")
        lines += [f"  ({key}): {first}", *["  " + line for line in rest]]
    return "\n".join([*lines, ")"])


def _count(module: AnyModule) -> str:
    parameters = list(module.parameters())
    if not parameters:
        return ""
    total = sum([p.size for p in parameters])
    frozen = sum([p.size for p in parameters if not p.requires_grad])
    text = f"  # {total:,} parameter{'s' if total != 1 else ''}"
    return f"{text}, {frozen:,} frozen" if frozen else text

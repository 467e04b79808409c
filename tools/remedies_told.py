"""What a check advises, read from its source: the page of a failure mode says it without a cluster to compute it for.

A remedy's sentence has holes where it names an object or a number of the cluster; on a page they are shown as words in capitals,
as in `kubectl cordon NODE`. A sentence that consists of what was computed alone is left out.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

# How a check writes its remedies, and which of the arguments are the sentence, a fragment to copy, and how to see that it worked.
_WRITTEN = {"Remedy": (0, None, 2), "advise": (0, None, 1), "paste": (0, 1, 2)}
_KEYWORDS = ("text", "fragment", "verify")
# Holes whose name in the source says nothing to a reader.
_CALLED = {
    "runs": "ENGINE",
    "locked": "CONTAINER",
    "whom": "container",
    "init": "init container",
    "basis": "periodSeconds times failureThreshold above the slowest load",
    "probe": "startupProbe: {periodSeconds: 10, failureThreshold: N}",
    "heads": "all",
    **dict.fromkeys(("wanted", "longest", "fits"), "N"),
}


def remedies_told(source: Path) -> tuple[tuple[str, str], ...]:
    """Each remedy that the module `source` may give, in its order: what to do, and how to see that it worked ("" where it does not say)."""
    tree = ast.parse(source.read_text(encoding="utf-8"))
    found: dict[str, str] = {}
    for names, call in _calls(tree, {}):
        sentence, fragment, verify = (_argument(call, at) for at in range(3))
        text = _said(sentence, names)
        copied = _said(fragment, names)
        if text:
            found.setdefault(f"{text} Copy: `{copied}`." if copied else text, _said(verify, names))
    return tuple(found.items())


def _calls(node: ast.AST, names: Mapping[str, ast.expr]) -> Iterator[tuple[Mapping[str, ast.expr], ast.Call]]:
    """The calls that make a remedy, each with what the names around it stand for."""
    if isinstance(node, ast.FunctionDef | ast.Module):
        names = {**names, **_assigned(node)}
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _WRITTEN:
        yield names, node
    for child in ast.iter_child_nodes(node):
        yield from _calls(child, names)


def _assigned(within: ast.FunctionDef | ast.Module) -> dict[str, ast.expr]:
    """What a name is given first."""
    found: dict[str, ast.expr] = {}
    for node in ast.walk(within):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found.setdefault(node.targets[0].id, node.value)
    return found


def _argument(call: ast.Call, which: int) -> ast.expr | None:
    assert isinstance(call.func, ast.Name)
    places = _WRITTEN[call.func.id]
    at = places[which]
    if at is not None and at < len(call.args):
        return call.args[at]
    return next((keyword.value for keyword in call.keywords if keyword.arg == _KEYWORDS[which]), None)


def _said(expression: ast.expr | None, names: Mapping[str, ast.expr], depth: int = 0) -> str:
    """The sentence with its holes in capitals, "" where nothing of it is written down."""
    if expression is None or depth > 3:
        return ""
    if isinstance(expression, ast.Constant):
        return expression.value if isinstance(expression.value, str) else ""
    if isinstance(expression, ast.JoinedStr):
        return _filled(expression)
    if isinstance(expression, ast.IfExp):
        return _said(expression.body, names, depth + 1) or _said(expression.orelse, names, depth + 1)
    if isinstance(expression, ast.BoolOp):
        return next((told for one in expression.values if (told := _said(one, names, depth + 1))), "")
    if isinstance(expression, ast.Name) and expression.id in names:
        return _said(names[expression.id], names, depth + 1)
    return ""


def _filled(written: ast.JoinedStr) -> str:
    told = ""
    for part in written.values:
        if isinstance(part, ast.Constant):
            told += str(part.value)
        # What follows a word or a full stop at once is a further clause that was computed, with its own blank.
        elif isinstance(part, ast.FormattedValue) and told[-1:] in tuple(" `[(/:=,'\"") and told[-2:] != ". ":
            told += _hole(part.value)
    return " ".join(told.split())


def _hole(value: ast.expr) -> str:
    """A word in capitals for what is filled in, a flag for the engine's option of that name."""
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr == "option":
        return "--" + _hole(value.args[-1]).lower().replace("_", "-")
    if isinstance(value, ast.Call):
        inner = value.func.value if isinstance(value.func, ast.Attribute) else next(iter(value.args), value.func)
        return _hole(inner)
    if isinstance(value, ast.Subscript):
        return _hole(value.value)
    if isinstance(value, ast.Attribute) and value.attr in ("text", "shown", "number"):
        return _hole(value.value)
    if isinstance(value, ast.Attribute):
        return value.attr.upper()
    return _CALLED.get(value.id, value.id.upper()) if isinstance(value, ast.Name) else "N"

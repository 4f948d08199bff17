"""Takes the bodies out of functions by syntax tree, and tells whether one is still without.

What is left says that it is the exercise: the decorators, the signature and the docstring stay, so that the rest works on.
"""

import ast
import textwrap
from collections.abc import Collection

from shared.lab.verdict import EXERCISE

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(tree: ast.Module) -> dict[str, Function]:
    """Return the functions of a module, in their order."""
    return {node.name: node for node in tree.body if isinstance(node, Function)}


def lines_of(function: Function) -> tuple[int, int]:
    """Return the first line of a function, that of its decorators if there are any, and the last one, counted from 1."""
    return min(part.lineno for part in (function, *function.decorator_list)), function.end_lineno or function.lineno


def is_stub(function: Function) -> bool:
    """Say whether a function still has the body that `without_bodies` gave it."""
    match _after_docstring(function):
        case [ast.Raise(exc=ast.Call(func=ast.Name(id="NotImplementedError"), args=[ast.Constant(value=str(said))])), *_]:
            return said.startswith(EXERCISE)
    return False


def without_bodies(text: str, names: Collection[str]) -> str:
    """Return a module's text with the bodies of these functions taken out; a name that it does not have is left out of account.

    Args:
        text: Python.
        names: Functions of it.

    """
    lines = text.split("\n")
    chosen = [function for name, function in functions(ast.parse(text)).items() if name in names]
    for function in reversed(chosen):  # From the end, so that the lines before stay where they are.
        first = function.body[0]
        start = (first.end_lineno or 0) + 1 if ast.get_docstring(function) is not None else first.lineno
        lines[start - 1 : function.end_lineno] = textwrap.indent(_stub(function), "    ").split("\n")
    return "\n".join(lines)


def _stub(function: Function) -> str:
    said = f'raise NotImplementedError("{EXERCISE} write {function.name}, as its docstring says.")'
    return f"{said}\nyield  # It has to stay a generator." if _yields(function) else said


def _after_docstring(function: Function) -> list[ast.stmt]:
    return function.body[1:] if ast.get_docstring(function) is not None else function.body


def _yields(node: ast.AST) -> bool:
    """Say whether a function is a generator; what a function inside it yields does not count."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Yield | ast.YieldFrom):
            return True
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) and _yields(child):
            return True
    return False

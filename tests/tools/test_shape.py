"""All variants have the same shape: the same files, the same functions in the same order, small enough to be read whole."""

import ast
from pathlib import Path

import pytest

from shared.lab.variants import EXAMPLES, groups, named
from shared.lesson.contract import ENDPOINTS, MODULES, Endpoint

MODULE_LINES = 120  # Beside the imports: the application has to list every chapter.
FUNCTION_LINES = 25
# Reading the command line differs with the server, and only there.
SERVER_MODULE = "serve"
ALL = [*groups(), *groups(home=EXAMPLES)]


def tree(variant: str, module: str) -> ast.Module:
    """Return the syntax tree of a variant's module."""
    return ast.parse(Path(named(variant)[0].folder, f"{module}.py").read_text(encoding="utf-8"))


def functions(module: ast.Module) -> dict[str, ast.FunctionDef | ast.AsyncFunctionDef]:
    """Return the public functions of a module, in their order; `def` or `async def` is a difference that a lesson may have."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name: node for node in module.body if isinstance(node, kinds) and not node.name.startswith("_")}


@pytest.mark.parametrize("variant", ALL)
def test_same_files(variant: str) -> None:
    """Each variant has the modules of the contract, and no other."""
    names = {path.stem for path in named(variant)[0].folder.glob("*.py")}
    assert names == {"__init__", *MODULES}


@pytest.mark.parametrize("module", [module for module in MODULES if module != SERVER_MODULE])
def test_same_functions_in_the_same_order(module: str) -> None:
    """Each module has the same public functions in the same order in every variant."""
    found = {variant: list(functions(tree(variant, module))) for variant in ALL}
    assert len(set(map(tuple, found.values()))) == 1, f"{module}.py differs: {found}"


@pytest.mark.parametrize("variant", ALL)
def test_a_server_is_started_alike(variant: str) -> None:
    """Each `serve.py` has `serve` first and `main` last, and says which event loops it runs on."""
    module = tree(variant, SERVER_MODULE)
    names = list(functions(module))
    assert (names[0], names[-1]) == ("serve", "main")
    assert "LOOPS" in {
        name.id for node in module.body if isinstance(node, ast.Assign) for name in node.targets if isinstance(name, ast.Name)
    }


@pytest.mark.parametrize("variant", ALL)
@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.path)
def test_the_contract_names_what_is_there(variant: str, endpoint: Endpoint) -> None:
    """The function of each endpoint, and what it waits with, stand where the contract says."""
    assert endpoint.function in functions(tree(variant, endpoint.module))
    everywhere = {name for module in MODULES for name in functions(tree(variant, module))}
    assert not endpoint.operation or endpoint.operation in everywhere


@pytest.mark.parametrize("variant", ALL)
@pytest.mark.parametrize("module", MODULES)
def test_small_enough_to_read_whole(variant: str, module: str) -> None:
    """A module has at most 120 lines beside its imports, a function at most 25, and it opens with the three headings."""
    parsed = tree(variant, module)
    text = ast.get_docstring(parsed) or ""
    headings = [
        line.partition(":")[0]
        for line in text.splitlines()
        if line.startswith(("Different here:", "Pick it when:", "Watch for:"))
    ]
    assert headings == ["Different here", "Pick it when", "Watch for"]
    for name, function in functions(parsed).items():
        assert function.end_lineno is not None
        assert function.end_lineno - function.lineno < FUNCTION_LINES, f"{name} is too long to be read at a glance"
    imports = [node for node in parsed.body if isinstance(node, ast.Import | ast.ImportFrom)]
    listed = sum((node.end_lineno or 0) - node.lineno + 1 for node in imports)
    assert (parsed.body[-1].end_lineno or 0) - listed <= MODULE_LINES

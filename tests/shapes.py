"""Shapes and kinds of arrays are checked while tests run: what a signature says of them is true, or a test fails.

Only what takes or gives an array is checked, for all else is mypy's business: that keeps the tests quick.
"""

import ast
import dataclasses
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType
from typing import Any, get_args

import jaxtyping
from beartype import BeartypeConf, beartype

PACKAGE = "cardiotrace"
_BEARTYPE = beartype(conf=BeartypeConf(is_pep484_tower=True))  # a whole number is a number


def install() -> None:
    """Check all modules of the package that are imported from now on."""
    early = [name for name in sys.modules if name.partition(".")[0] == PACKAGE]
    assert not early, f"imported before shapes are checked: {early}"
    sys.meta_path.insert(0, _Finder())


def checked(item: Any) -> Any:
    """A function, or a dataclass, that checks the arrays that it is given and gives; anything else as it is."""
    if isinstance(item, type):
        is_concerned = dataclasses.is_dataclass(item) and any(map(_holds_array, _stated(item).values()))
    else:
        is_concerned = callable(item) and any(map(_holds_array, _stated(item).values()))
    return jaxtyping.jaxtyped(item, typechecker=_arrays_only) if is_concerned else item


def _arrays_only(function: Any) -> Any:
    function.__annotations__ = {name: hint for name, hint in _stated(function).items() if _holds_array(hint)}
    return _BEARTYPE(function)


def _stated(item: Any) -> dict[str, Any]:
    return dict(getattr(item, "__annotations__", {}))


def _holds_array(hint: Any) -> bool:
    is_array = isinstance(hint, type) and issubclass(hint, jaxtyping.AbstractArray)
    return is_array or any(map(_holds_array, get_args(hint)))


class _Finder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] != PACKAGE:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _Loader(spec.loader.name, spec.loader.path)
        return spec


class _Loader(SourceFileLoader):
    """Puts `checked` above every function and class."""

    def path_stats(self, path: str) -> Any:
        """Unknown, so that what is compiled here is not kept beside the source, where a run without checks takes it."""
        raise OSError(path)

    def source_to_code(self, data: Any, path: Any, *, _optimize: int = -1) -> Any:  # type: ignore[override]
        tree = _Decorator().visit(ast.parse(data))
        first = 1 if ast.get_docstring(tree) is not None else 0
        tree.body.insert(first, ast.parse(f"from {__name__} import {checked.__name__} as _array_checked").body[0])
        return compile(ast.fix_missing_locations(tree), path, "exec", dont_inherit=True, optimize=_optimize)


class _Decorator(ast.NodeTransformer):
    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.generic_visit(node)
        node.decorator_list.append(self._above(node))  # first to act: what other decorators make states no shapes
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        self.generic_visit(node)
        node.decorator_list.insert(0, self._above(node))  # last to act: the class is a dataclass by then
        return node

    @staticmethod
    def _above(node: ast.FunctionDef | ast.ClassDef) -> ast.expr:
        return ast.copy_location(ast.Name("_array_checked", ast.Load()), node)

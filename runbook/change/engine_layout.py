"""Whether files put back one by one would leave an engine made of two layouts.

Modules move from one release to the next. A file of an older tag then imports what no longer
stands there, or lacks what the others import of it: such an engine does not start. Nothing is
imported here: syntax trees and symbol tables are read.
"""

from __future__ import annotations

import ast
import symtable
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from pipeline.platform import disk
from runbook.change.files import files_below

ENGINE = "pipeline"


def missing_imports(root: Path, restored: Mapping[str, bytes], removed: Collection[str] = ()) -> list[str]:
    """What the engine at ``root`` would import in vain, were ``restored`` (path to bytes) put back
    and ``removed`` taken away.

    Only what the restoring itself breaks: an import that is in vain already is not told.
    """
    new = {path: source for path, source in restored.items() if _is_code(path)}
    if not new:
        return []
    standing = {path: disk.read_plain(root / path) for path in files_below(root, [ENGINE]) if _is_code(path)}
    after = {path: source for path, source in {**standing, **new}.items() if path not in removed}
    now, then = _Modules(standing), _Modules(after)
    names = {_module(path).rpartition(".")[2].encode() for path in new}
    found = []
    for path, source in after.items():
        # A file that stays and mentions none of the restored modules imports nothing of theirs.
        if path not in new and not any(name in source for name in names):
            continue
        for module, name in _imports(source):
            if not then.have(module, name) and (path in new or now.have(module, name)):
                found.append(f"{path} needs {module}{'.' + name if name else ''}")
    return sorted(set(found))


class _Modules:
    """The engine's modules, and lazily the names that each binds at its top."""

    def __init__(self, sources: Mapping[str, bytes]) -> None:
        self._sources = {_module(path): source for path, source in sources.items()}
        self._packages = {name.rpartition(".")[0] for name in self._sources} | set(self._sources)
        self._bound: dict[str, set[str] | None] = {}

    def have(self, module: str, name: str) -> bool:
        if module not in self._packages:
            return False
        if not name or name == "*" or f"{module}.{name}" in self._packages:
            return True
        bound = self._names(module)
        return bound is None or name in bound or "__getattr__" in bound

    def _names(self, module: str) -> set[str] | None:
        """None for what cannot be read, of which nothing can be said."""
        if module not in self._bound:
            try:
                table = symtable.symtable(self._sources.get(module, b"").decode(), module, "exec")
                self._bound[module] = {
                    each.get_name()
                    for each in table.get_symbols()
                    if each.is_assigned() or each.is_imported()
                }
            except (SyntaxError, ValueError, RecursionError):
                self._bound[module] = None
        return self._bound[module]


def _imports(source: bytes) -> Iterator[tuple[str, str]]:
    """Each import of the engine's own, as (module, name or nothing)."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((each.name, "") for each in node.names if _is_ours(each.name))
        elif isinstance(node, ast.ImportFrom) and not node.level and _is_ours(node.module or ""):
            yield from ((node.module or "", each.name) for each in node.names)


def _is_ours(module: str) -> bool:
    return module == ENGINE or module.startswith(f"{ENGINE}.")


def _is_code(path: str) -> bool:
    return path.startswith(f"{ENGINE}/") and path.endswith(".py")


def _module(path: str) -> str:
    """``pipeline/a/b.py`` and ``pipeline/a/b/__init__.py`` as ``pipeline.a.b``."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

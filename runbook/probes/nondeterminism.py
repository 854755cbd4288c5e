"""What in a file's syntax tree may make two runs differ: clock, chance, order, the machine, others' writes.

Nothing is imported or run. A suspect is a place to look at, not a proof: a clock that only times
a run harms nobody. What was there when all was well is told from what is new.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from enum import StrEnum

from runbook.probes.evidence import Record


class Kind(StrEnum):
    """Which kind of thing it is, the usual one first."""

    CLOCK = "clock"
    RANDOM = "random"
    UUID = "uuid"
    SET_ORDER = "set_order"
    LISTING_ORDER = "listing_order"
    HASH_SEED = "hash_seed"
    MACHINE = "machine"
    CONCURRENT_WRITERS = "concurrent_writers"


class Suspect(Record):
    """``code`` is the expression, as Python writes it."""

    kind: Kind
    path: str
    line: int
    code: str

    @property
    def told(self) -> str:
        return f"{self.path}:{self.line} {self.kind}: {self.code}"


# By the name that an expression has once its imports are resolved; a trailing dot means all below.
_NAMES: dict[str, Kind] = {
    **dict.fromkeys(
        (
            *(f"time.{name}" for name in ("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter")),
            *(f"time.{name}" for name in ("perf_counter_ns", "process_time", "ctime", "localtime", "gmtime")),
            "datetime.datetime.now",
            "datetime.datetime.utcnow",
            "datetime.datetime.today",
            "datetime.date.today",
            "pipeline.engine.clock.now_iso",
            "pipeline.engine.clock.monotonic",
        ),
        Kind.CLOCK,
    ),
    **dict.fromkeys(("random.", "secrets.", "os.urandom", "os.getrandom"), Kind.RANDOM),
    **dict.fromkeys(("uuid.uuid1", "uuid.uuid4"), Kind.UUID),
    **dict.fromkeys(
        ("os.getpid", "os.getppid", "os.environ", "os.getenv", "os.cpu_count", "socket.gethostname"),
        Kind.MACHINE,
    ),
    **dict.fromkeys(("threading.get_ident", "time.tzname", "time.timezone", "platform."), Kind.MACHINE),
    **dict.fromkeys(
        (
            "threading.Thread",
            "multiprocessing.",
            "concurrent.futures.ThreadPoolExecutor",
            "concurrent.futures.ProcessPoolExecutor",
            "concurrent.futures.as_completed",
            "os.fork",
        ),
        Kind.CONCURRENT_WRITERS,
    ),
    **dict.fromkeys(("os.listdir", "os.scandir", "os.walk", "glob.glob", "glob.iglob"), Kind.LISTING_ORDER),
}
_LISTING_METHODS = ("iterdir", "glob", "rglob")
# What comes out of these is the same in whatever order it went in.
_ORDERLESS = ("sorted", "min", "max", "len", "set", "frozenset", "any", "all", "sum", "dict.fromkeys")
_ITERATING = ("list", "tuple", "enumerate", "iter", "zip", "map", "filter", "reversed", "next")
_SET_METHODS = ("union", "intersection", "difference", "symmetric_difference")


def suspects(source: bytes, path: str) -> list[Suspect]:
    """Every suspect expression of a module, in order of lines; none of one that does not parse."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return []
    found = {
        (node.lineno, kind, ast.unparse(node)): Suspect(
            kind=kind, path=path, line=node.lineno, code=ast.unparse(node)
        )
        for kind, node in _Reader(tree).found()
    }
    return sorted(found.values(), key=lambda each: (each.line, each.kind))


def new_suspects(before: bytes, after: bytes, path: str) -> list[Suspect]:
    """Those that ``after`` has and ``before`` had not, wherever in the file they stand."""
    known = Counter((each.kind, each.code) for each in suspects(before, path))
    found = []
    for each in suspects(after, path):
        if known[each.kind, each.code] > 0:
            known[each.kind, each.code] -= 1
        else:
            found.append(each)
    return found


class _Reader:
    """One module: what its names were imported as, which of them are sets, who stands around whom."""

    def __init__(self, tree: ast.Module) -> None:
        self._tree = tree
        self._imported: dict[str, str] = {}
        self._sets: set[str] = set()
        self._parents: dict[ast.AST, ast.AST] = {}
        for node in ast.walk(tree):
            for child in ast.iter_child_nodes(node):
                self._parents[child] = node
            self._note_import(node)
        for node in ast.walk(tree):
            self._note_set(node)

    def found(self) -> Iterator[tuple[Kind, ast.expr]]:
        for node in ast.walk(self._tree):
            if isinstance(node, ast.Attribute | ast.Name) and isinstance(node.ctx, ast.Load):
                kind = self._by_name(node)
                if kind is not None:
                    yield kind, self._called(node)
            if isinstance(node, ast.Call):
                if isinstance(node.func, ast.Name) and node.func.id in ("hash", "id"):
                    yield Kind.HASH_SEED, node
                listing = isinstance(node.func, ast.Attribute) and node.func.attr in _LISTING_METHODS
                if listing and not self._is_orderless(node):
                    yield Kind.LISTING_ORDER, node
            for iterated in _iterated(node):
                if self._is_set(iterated) and not self._is_orderless(node):
                    yield Kind.SET_ORDER, iterated

    def _note_import(self, node: ast.AST) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                name = alias.asname or alias.name.split(".")[0]
                self._imported[name] = alias.name if alias.asname else name
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                self._imported[alias.asname or alias.name] = f"{node.module}.{alias.name}"

    def _note_set(self, node: ast.AST) -> None:
        """Names that are bound to a set, or annotated as one, anywhere in the module."""
        if isinstance(node, ast.Assign) and self._is_set(node.value):
            self._sets |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        annotated = node.annotation if isinstance(node, ast.AnnAssign | ast.arg) else None
        if annotated is not None and ast.unparse(annotated).split("[")[0] in ("set", "frozenset"):
            name = node.arg if isinstance(node, ast.arg) else getattr(node, "target", None)
            self._sets.add(name if isinstance(name, str) else ast.unparse(name) if name else "")

    def _name_of(self, node: ast.expr) -> str | None:
        """``t.time`` as ``time.time``; None for what starts with no name."""
        if isinstance(node, ast.Name):
            return self._imported.get(node.id)
        if isinstance(node, ast.Attribute):
            above = self._name_of(node.value)
            return f"{above}.{node.attr}" if above else None
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "__import__":
            first = node.args[0] if node.args else None
            return str(first.value) if isinstance(first, ast.Constant) else None
        return None

    def _by_name(self, node: ast.Attribute | ast.Name) -> Kind | None:
        name = self._name_of(node)
        if name is None:
            return None
        kind = _NAMES.get(name)
        if kind is None:
            module = name.split(".", 1)[0] + "."
            kind = _NAMES.get(module) if name.count(".") == 1 else None
        call = self._parents.get(node)
        if name == "random.Random" and isinstance(call, ast.Call) and call.args:
            return None  # seeded
        if kind is Kind.LISTING_ORDER and self._is_orderless(call or node):
            return None
        return kind

    def _called(self, node: ast.expr) -> ast.expr:
        call = self._parents.get(node)
        return call if isinstance(call, ast.Call) and call.func is node else node

    def _is_set(self, node: ast.expr) -> bool:
        match node:
            case ast.Set() | ast.SetComp():
                return True
            case ast.Name(id=name):
                return name in self._sets
            case ast.Call(func=ast.Name(id="set" | "frozenset")):
                return True
            case ast.Call(func=ast.Attribute(value=value, attr=attr)):
                return attr in _SET_METHODS and self._is_set(value)
            case ast.BinOp(left=left, op=ast.BitOr() | ast.BitAnd() | ast.Sub() | ast.BitXor(), right=right):
                return self._is_set(left) or self._is_set(right)
            case _:
                return False

    def _is_orderless(self, node: ast.AST) -> bool:
        """Whether an expression goes into something that does not mind the order, however deep."""
        if isinstance(node, ast.comprehension):
            node = self._parents[node]
        while not isinstance(node, ast.stmt):
            if isinstance(node, ast.SetComp):
                return True
            if isinstance(node, ast.Call) and ast.unparse(node.func) in _ORDERLESS:
                return True
            above = self._parents.get(node)
            if above is None:
                return False
            node = above
        return False


def _iterated(node: ast.AST) -> list[ast.expr]:
    """What ``node`` goes through one after the other."""
    match node:
        case ast.For(iter=iterated) | ast.comprehension(iter=iterated):
            return [iterated]
        case ast.Starred(value=value, ctx=ast.Load()):
            return [value]
        case ast.Call(func=ast.Name(id=name), args=args) if name in _ITERATING:
            return [*args]
        case ast.Call(func=ast.Attribute(attr="join"), args=args):
            return [*args]
        case ast.Call(func=ast.Attribute(value=value, attr="pop"), args=[]):
            return [value]
        case _:
            return []

"""What a driver calls of a vendor's library: every method by name and arguments, whatever it is called on."""

import ast
import builtins
import inspect

OWN_METHODS = frozenset(
    name
    for kind in (str, bytes, list, dict, set, tuple, frozenset, int, float, type(None))
    for name in dir(kind)
) | {"append", "popleft", "warning", "info", "debug", "group", "join", "start", "is_alive", "monotonic_ns"}


def methods(spec):
    """Overloads by method name, of all classes; a driver's objects have no declared class."""
    found = {}
    for entry in spec["classes"].values():
        for name, method in entry["methods"].items():
            found.setdefault(name, []).extend(method["sigs"] or [None])
    return found


def properties(spec):
    """Names of properties of all classes."""
    return {name for entry in spec["classes"].values() for name in entry["properties"]}


def takes(signature, call):
    """Whether an overload takes what a call gives it; `None` tells nothing of its arguments."""
    if signature is None or any(isinstance(arg, ast.Starred) for arg in call.args):
        return True
    if any(keyword.arg is None for keyword in call.keywords):
        return True
    kinds = [
        inspect.Parameter(
            each["name"],
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
            default=None if "default" in each else inspect.Parameter.empty,
        )
        for each in signature["args"]
    ]
    try:
        names = [each.name for each in kinds]
        if len(set(names)) < len(names):
            return len(call.args) == len(kinds)
        keywords = {keyword.arg: None for keyword in call.keywords}
        inspect.Signature(kinds).bind(*call.args, **keywords)
    except (TypeError, ValueError):
        return False
    return True


def receiver(node):
    """The name at the root of `a.b().c`; "self" of a method of our own class, empty of a literal."""
    depth = 0
    while True:
        if isinstance(node, ast.Attribute):
            node, depth = node.value, depth + 1
        elif isinstance(node, ast.Call):
            node, depth = node.func, depth + 1
        elif isinstance(node, ast.Subscript):
            node = node.value
        else:
            break
    name = node.id if isinstance(node, ast.Name) else ""
    return name, depth


def own_names(tree):
    """Names that are imported or defined in the module, classes with their methods and attributes."""
    names = set(dir(builtins))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
    return names


def wrong_calls(source, spec, ours=()):
    """Calls of methods that the library has under this name, with arguments that no overload takes.

    Args:
        source: of a driver.
        spec: names of the library.
        ours: names of methods of our own types that the driver calls on them.
    """
    tree = ast.parse(source)
    imported, listed = own_names(tree), methods(spec)
    known = OWN_METHODS | set(ours)
    bad = []
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        if not isinstance(call.func, ast.Attribute):
            continue
        name, (root, depth) = call.func.attr, receiver(call.func)
        if root in imported or (root == "self" and depth == 1):
            continue
        if name in listed:
            if not any(takes(signature, call) for signature in listed[name]) and name not in known:
                bad.append(f"{call.lineno}: {name} takes other arguments")
        elif name not in known and name not in spec["names"] and name not in imported:
            bad.append(f"{call.lineno}: {name} is no method of the library")
    return bad

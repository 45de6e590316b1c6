"""Every name that a driver takes from a vendor's library is in that library."""

import ast
import inspect
import json

import pytest

from drivers.cameras import orbbec, realsense, zed

ALIASES = {realsense: "rs", orbbec: "ob"}


def dotted(node):
    """("ob", "OBFormat", "RGB") of `ob.OBFormat.RGB` and of `self._ob.OBFormat.RGB`; None for all else."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.insert(0, node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    return parts if node.id == "self" else [node.id, *parts]


def names_of(source, alias):
    """Chains of names below the library, also through `kind = ob.OBSensorType`."""
    roots = {alias: [], f"_{alias}": []}
    for scope in (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)):
        local = dict(roots)
        for node in ast.walk(scope):
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                chain = dotted(node.value)
                if chain and chain[0] in roots:
                    local[node.targets[0].id] = chain[1:]
        for node in ast.walk(scope):
            chain = dotted(node) if isinstance(node, ast.Attribute) else None
            if chain and chain[0] in local:
                yield (*local[chain[0]], *chain[1:])


@pytest.mark.parametrize("module", ALIASES)
def test_names_are_there(module):
    state = module.SDK.state()
    if not state.ready:
        pytest.skip(f"{state.text} {state.fix}")
    library = module.SDK.require()
    chains = set(names_of(inspect.getsource(module), ALIASES[module]))
    assert len(chains) > 20

    missing = []
    for chain in chains:
        value = library
        for name in chain:
            if not hasattr(value, name):
                missing.append(".".join(chain))
                break
            value = getattr(value, name)

    assert missing == []


def test_names_of_the_zed_sdk_are_in_its_public_source(shared):
    """The SDK itself needs an NVIDIA GPU; the names were read in its published Python source."""
    spec = json.loads((shared / "sdk/api_zed.json").read_text(encoding="utf-8"))
    members = {
        name: set(entry["methods"]) | set(entry["properties"]) for name, entry in spec["classes"].items()
    }
    members |= {name: set(entry) for name, entry in spec["enums"].items()}
    chains = set(names_of(inspect.getsource(zed), "sl"))
    assert len(chains) > 20

    missing = [
        chain
        for chain in chains
        if chain and (chain[0] not in spec["names"] or (len(chain) > 1 and chain[1] not in members[chain[0]]))
    ]

    assert missing == []


def test_names_are_followed_through_assignments():
    code = "def f(rs):\n    kind = rs.format\n    return kind.z16, rs.nonsense.part"

    found = {".".join(chain) for chain in names_of(code, "rs")}

    assert found == {"format", "format.z16", "nonsense", "nonsense.part"}

"""Every name, member and argument that a driver uses of a vendor's library is in that library."""

import ast
import inspect
import json
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from sdk_calls import wrong_calls

from drivers.cameras import orbbec, realsense, zed
from drivers.clock import ClockFit, FrameCounter
from drivers.controls import Control
from drivers.geometry import Intrinsics
from drivers.profiles import Wish
from drivers.sdk import Sdk
from drivers.vendor import (
    orbbec_controls,
    orbbec_filters,
    orbbec_motion,
    realsense_controls,
    realsense_motion,
    zed_controls,
)
from drivers.vendor.realsense_motion import MotionReader

ALIASES = {realsense: "rs", orbbec: "ob"}
MODULES = {
    "realsense": (realsense, realsense_controls, realsense_motion),
    "orbbec": (orbbec, orbbec_controls, orbbec_filters, orbbec_motion),
    "zed": (zed, zed_controls),
}
_KINDS = (Sdk, Wish, Control, ClockFit, FrameCounter, Intrinsics, MotionReader, np.ndarray, Path)
OURS = {name for kind in _KINDS for name in dir(kind)}


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
    sources = [inspect.getsource(part) for part in MODULES[module.SDK.name]]
    chains = {chain for source in sources for chain in names_of(source, ALIASES[module])}
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
    sources = [inspect.getsource(part) for part in MODULES["zed"]]
    chains = {chain for source in sources for chain in names_of(source, "sl")}
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


@pytest.mark.parametrize("vendor", MODULES)
def test_methods_are_called_with_arguments_that_they_take(shared, vendor):
    spec = json.loads((shared / f"sdk/api_{vendor}.json").read_text(encoding="utf-8"))

    wrong = {
        part.__name__: found
        for part in MODULES[vendor]
        if (found := wrong_calls(inspect.getsource(part), spec, OURS))
    }

    assert wrong == {}


@pytest.mark.parametrize(
    ("code", "count"),
    [
        ("sensor.set_option(option, 1.0)", 0),
        ("sensor.set_option(option)", 1),
        ("sensor.set_option(option, value=1.0)", 0),
        ("sensor.set_option(option, number=1.0)", 1),
        ("self._device.first()[0].query_sensor()", 2),
        ("device.query_sensors()[0].get_stream_profiles(3)", 1),
        ("queue.try_wait_for_frame(100)", 0),
    ],
)
def test_a_wrong_name_or_argument_is_found(shared, code, count):
    spec = json.loads((shared / "sdk/api_realsense.json").read_text(encoding="utf-8"))

    assert len(wrong_calls(f"def f(self, sensor, option, device, queue):\n    {code}", spec, OURS)) == count

import os
from dataclasses import replace

import pytest

from app.flow.engines import EngineKeeper, Loaded, key_of
from drivers.session.refined import MadeBy
from model.engine import ClassicalEngine
from model.spec import EngineChoice

CHOICE = EngineChoice(model="classical")


@pytest.fixture
def loaded():
    made_by = MadeBy(
        model="classical", title="filling", weights_sha256="", precision="fp32", tokens=0, anchored=True
    )
    return Loaded(key_of(CHOICE, 2), ClassicalEngine(), made_by)


def test_an_engine_is_kept_for_the_same_choice_once(loaded):
    keeper = EngineKeeper()
    keeper.keep(loaded)
    assert keeper.take(key_of(CHOICE, 2)) is loaded
    assert keeper.take(key_of(CHOICE, 2)) is None


@pytest.mark.parametrize("key", [key_of(CHOICE, 3), key_of(replace(CHOICE, tokens=200), 2)])
def test_another_choice_or_number_of_cameras_lets_go_of_it(loaded, key):
    keeper = EngineKeeper()
    keeper.keep(loaded)
    assert keeper.take(key) is None
    assert keeper.take(loaded.key) is None


def test_an_engine_that_had_trouble_is_not_kept(loaded):
    keeper = EngineKeeper()
    keeper.keep(replace(loaded, engine=ClassicalEngine(troubled=True)))
    assert keeper.take(loaded.key) is None


def test_weights_that_changed_on_disk_are_another_engine(tmp_path):
    weights = tmp_path / "a.safetensors"
    weights.write_bytes(b"one")
    choice = EngineChoice(model=str(weights))
    before = key_of(choice, 1)
    assert key_of(choice, 1) == before
    weights.write_bytes(b"two")
    os.utime(weights, ns=(0, 0))
    assert key_of(choice, 1) != before

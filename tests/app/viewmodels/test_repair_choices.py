import pytest

from app.viewmodels.repair_choices import devices, has_network, precisions, token_choices
from model.spec import AUTO, CLASSICAL, DEMO, OFF, RECOMMENDED, EngineChoice, from_file


@pytest.mark.parametrize("spec", [DEMO, RECOMMENDED])
def test_tokens_go_from_the_fewest_to_the_most_the_model_knows(spec):
    choices = token_choices(spec)
    assert choices[0] == 0
    assert (choices[1], choices[-1]) == spec.rules.tokens
    assert len(choices) == 5


def test_the_present_choice_is_always_offered(tmp_path):
    assert 777 in token_choices(DEMO, 777)
    assert token_choices(from_file(tmp_path / "mine.pt"))[0] == 0


def test_every_default_can_be_chosen():
    choice = EngineChoice()
    assert choice.device in devices()
    assert choice.precision in precisions()


def test_only_a_network_has_tokens():
    assert [has_network(spec) for spec in (AUTO, DEMO, CLASSICAL, OFF)] == [True, True, False, False]


def test_a_device_is_offered_where_its_package_is_installed(monkeypatch):
    here = {"openvino"}
    monkeypatch.setattr("app.viewmodels.repair_choices._installed", lambda package: package in here)
    assert list(devices()) == ["auto", "cpu", "openvino", "openvino-gpu", "openvino-npu"]
    here.clear()
    assert list(devices()) == ["auto", "cpu"]
    assert list(devices("tensorrt")) == ["auto", "cpu", "tensorrt"]


def test_the_screen_spells_what_the_engine_abbreviates():
    assert devices("cuda")["cuda"] == "GPU"
    assert precisions()["bf16"] == "BF16"

import pytest

from drivers.errors import SessionError
from drivers.session.manifest import SessionInfo, read_model

WHOLE = '{"id": "a", "started_utc": "", "anchor": {"utc_ns": 0, "monotonic_ns": 0}, "cameras": [%s]}'


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("{", "it is not JSON at line 1, column 1"),
        ("[]", "it holds no fields, but []"),
        ("{}", "the field id is missing"),
        (WHOLE % '{"id": "left"}, {"name": "right"}', "the field cameras.1.id is missing"),
        (WHOLE % '{"id": "left", "depth_unit_m": 0}', "the field cameras.0.depth_unit_m cannot be 0"),
        (WHOLE % '{"id": "left", "rate_hz": "fast"}', 'the field cameras.0.rate_hz cannot be "fast"'),
    ],
)
def test_a_damaged_file_is_told_by_its_field_and_not_in_the_words_of_a_library(tmp_path, text, mistake):
    path = tmp_path / "session.json"
    path.write_text(text)
    with pytest.raises(SessionError) as error:
        read_model(path, SessionInfo)
    assert str(error.value) == f"{path} is damaged: {mistake}"
    assert error.value.hint == "Put the file back from a copy."

"""The catalogue says everything that the window says, with the same figures in it."""

import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from app.language import FOLDER, LANGUAGES, Entry, changed, fields, from_below, read, tr, tr_many
from drivers.calibration.board import BOARDS
from drivers.calibration.factory import Finding, Sample, judge, square_note
from drivers.errors import SdkMissing
from drivers.registry import SDKS
from drivers.sdk import Sdk

CATALOGUES = [FOLDER / f"{language}.po" for language in LANGUAGES if language != "en"]


@pytest.fixture(params=CATALOGUES, ids=lambda file: file.stem)
def catalogue(request):
    return request.param


def test_every_text_is_translated_with_its_placeholders(catalogue):
    entries = read(catalogue)
    assert entries
    assert [entry.words for entry in entries if not entry.said] == []
    assert [entry.words for entry in entries if fields(entry.many or entry.words) != fields(entry.said)] == []


def test_a_catalogue_is_read_as_babel_reads_it(catalogue):
    with catalogue.open("rb") as file:
        messages = [message for message in read_po(file) if message.id and not message.fuzzy]
    by_babel = []
    for message in messages:
        words, many = message.id if message.pluralizable else (message.id, "")
        said = message.string[0] if message.pluralizable else message.string
        by_babel.append(Entry(words, many, said))
    assert read(catalogue) == by_babel


def test_what_was_stripped_and_changed_is_said_again_in_another_language():
    words = tr("In {parent}").format(parent="/data ").strip()
    loud = changed(words, str.upper)
    assert (str(words), str(loud)) == ("In /data", "IN /DATA")
    assert words.in_language("zh_CN") == tr("In {parent}").in_language("zh_CN").format(parent="/data")
    assert loud.in_language("zh_CN") == words.in_language("zh_CN").upper()


def test_a_chinese_name_stands_without_spaces_and_a_latin_one_with():
    template = tr("{names} becomes the origin of the rig.")
    assert " " not in template.format(names=tr("Demo time of flight")).in_language("zh_CN")
    assert "D455 " in template.format(names="D455").in_language("zh_CN")
    one, many = "{cameras} is lost; {others}.", "{cameras} are lost; {others}."
    assert " " not in tr_many(one, many, 1, cameras=tr("Demo time of flight"), others="").in_language("zh_CN")
    assert "D455 " in tr_many(one, many, 1, cameras="D455", others="").in_language("zh_CN")


def test_a_path_or_a_name_keeps_its_own_spaces_in_chinese():
    folder = Path("/data/\u5f20 \u4e09")
    for given in (folder, str(folder)):
        said = tr("The folder {folder} cannot be made: {strerror}. Choose another one.")
        assert str(folder) in said.format(folder=given, strerror="no").in_language("zh_CN")
    assert str(folder) in from_below(f"The folder {folder} cannot be used: no.").in_language("zh_CN")


def test_the_library_that_no_registry_has_is_told_in_chinese():
    words = f"Not installed. It comes with {next(sdk.comes_with for sdk in SDKS if sdk.comes_with)}."
    said = from_below(words).in_language("zh_CN")
    assert not re.search("[a-z]{3} [a-z]{3}", said)
    assert "\uff09\u3002" in said  # the bracket brings its own space


def test_a_cameras_own_name_is_no_count_of_cameras():
    assert from_below("left camera").in_language("zh_CN") == "left camera"
    assert "left camera" in from_below("left camera (recorded)").in_language("zh_CN")
    assert from_below("3 cameras").in_language("zh_CN") != "3 cameras"


@pytest.mark.parametrize("ir_px", [None, 0.3, 4.0])
@pytest.mark.parametrize("offset_mm", [-90.0, -2.0, 2.0, 90.0])
def test_what_a_calibration_finds_of_a_camera_is_translated_whole(offset_mm, ir_px):
    words = judge([Sample(1.4, offset_mm, 0.2, 900, ir_px)] * 8).words
    assert not re.search("[A-Za-z]{3}", from_below(words).in_language("zh_CN"))


def test_another_size_of_the_board_is_said_in_chinese():
    words = square_note([Finding(True, "", 0.1), Finding(True, "", 0.101)], BOARDS["a3"])
    assert not re.search("[A-Za-z]{3}", from_below(words).in_language("zh_CN"))


def test_why_a_camera_without_its_library_cannot_be_used_is_translated():
    without = Sdk("acme", "Acme", "no_such_module", (), (), "get it")
    with pytest.raises(SdkMissing) as caught:
        without.require()
    assert from_below(str(caught.value)).in_language("zh_CN") == "Acme 的库尚未就绪。未安装。"
    assert from_below(caught.value.hint).in_language("zh_CN") == "请执行\uff1aget it"


@pytest.mark.parametrize(
    "problem", ["This user may not open it.", "Another program uses it.", "Its library does not see it."]
)
def test_why_a_plugged_in_camera_cannot_be_used_is_translated(problem):
    assert not re.search("[A-Za-z]", from_below(problem).in_language("zh_CN"))


@pytest.mark.parametrize(
    "mistake",
    [
        "line 3, camera.1.wdth: there is no such field",
        "line 3, camera.1.wdth, and 2 more after it: there is no such field",
        "line 4: two orbbec cameras are primary; one gives the beat",
        "line 9: there is no calibration a.json",
    ],
)
def test_a_mistake_in_a_rig_file_is_translated_whole(mistake):
    said = from_below(f"Mistake in cart.toml, {mistake}").in_language("zh_CN")
    assert not re.search(r"\b(?!cart|camera|wdth|orbbec|a\.json|toml|json)[A-Za-z]+", said)


@pytest.mark.parametrize(
    "words",
    [
        "/a/session.json is damaged: it is not JSON at line 1, column 1",
        "/a/session.json is damaged: the field cameras.0.rate_hz cannot be 0",
        "/a/seg_00000.mcap is damaged: its index points beyond its end",
        "it has 1,204 bytes, and 1,210 were recorded",
        "The files tell no times; 30 frames per second are assumed.",
        "The lens focused while recording (1.2%); its median is taken.",
        "Too little memory: from here on, gradients of 2 samples at a time are added up.",
        "Preparing the samples.",
        "The run cannot begin: 3.",
        "Something went wrong that DepthMend does not know: ValueError: 3.",
    ],
)
def test_what_files_imports_and_runs_say_is_translated_whole(words):
    said = from_below(words).in_language("zh_CN")
    assert not re.search(r"\b(?!session|json|seg|cameras|rate_hz|mcap)[a-z]{2,}", said)

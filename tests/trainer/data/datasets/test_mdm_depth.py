import io
import tarfile

import cv2
import numpy as np
import pytest
import zstandard

from trainer.data import cli
from trainer.data.datasets.mdm_depth import MdmDepth, triplets
from trainer.data.shards import Shards
from trainer.errors import DataError

SEQUENCE = "RobbyReal/kitchen/orbbec_335_0001"


def png(image):
    return cv2.imencode(".png", image)[1].tobytes()


def files(count):
    """As in the archives: one folder after the other."""
    yield f"{SEQUENCE}/intrinsic.txt", b"500 0 31.5\n0 500 23.5\n0 0 1\n"
    for n in range(count):
        yield f"{SEQUENCE}/color/{n:06}.png", png(np.full((48, 64, 3), n, np.uint8))
    for n in range(count):
        raw = np.full((48, 64), 1000 + n, np.uint16)
        raw[:3], raw[3:5] = 65535, 63_000  # none, and an outlier of a RealSense camera
        yield f"{SEQUENCE}/rawdepth/{n:06}.png", png(raw)
    for n in range(count):
        yield f"{SEQUENCE}/gtdepth/{n:06}.png", png(np.full((48, 64), 990 + n, np.uint16))


def archive(count, tail=b""):
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as tar:
        for name, content in files(count):
            header = tarfile.TarInfo(name)
            header.size = len(content)
            tar.addfile(header, io.BytesIO(content))
        if tail:
            header = tarfile.TarInfo("other/tail.bin")
            header.size = len(tail)
            tar.addfile(header, io.BytesIO(tail))
    return zstandard.ZstdCompressor().compress(plain.getvalue())


class Counting(io.BytesIO):
    """Forward only, like a download."""

    taken = 0

    def read(self, size=-1):
        block = super().read(size)
        self.taken += len(block)
        return block

    def seekable(self):
        return False


def test_triplets_come_out_with_metres_holes_and_the_sequence_s_camera():
    samples = list(triplets(io.BytesIO(archive(3))))
    assert len(samples) == 3
    two = samples[2]
    assert np.allclose(two.truth_m, 0.992)
    assert np.allclose(two.depth.metres[5:], 1.002)
    assert not two.depth.values[:5].any()
    assert two.camera.fx == 500
    assert two.scene == "kitchen"
    assert two.color[0, 0, 0] == 2


def test_the_first_ones_are_had_without_reading_the_rest():
    noise = np.random.default_rng(0).bytes(8 << 20)  # does not compress
    stream = Counting(archive(4, tail=noise))
    assert len(list(triplets(stream, first=2))) == 2
    assert stream.taken < (1 << 20)


def test_the_first_ones_of_a_cut_off_download_are_had_too():
    whole = archive(4, tail=np.random.default_rng(0).bytes(1 << 20))
    assert len(list(triplets(io.BytesIO(whole[: len(whole) // 2]), first=4))) == 4


def test_an_archive_that_ends_too_soon_says_how_far_it_came():
    with pytest.raises(DataError, match="after 2 samples"):
        list(triplets(io.BytesIO(archive(2)), first=5))
    whole = archive(2, tail=np.random.default_rng(0).bytes(1 << 20))
    with pytest.raises(DataError, match="after 2 samples"):
        list(triplets(io.BytesIO(whole[: len(whole) // 2])))


def test_something_else_is_refused():
    with pytest.raises(DataError):
        list(triplets(io.BytesIO(b"not an archive")))


def test_the_verb_turns_an_archive_into_shards(tmp_path, capsys):
    path = tmp_path / "RobbySimVal.tar.zst"
    path.write_bytes(archive(5))
    out = tmp_path / "shards"
    arguments = ["convert", "mdm_depth", str(path), "--out", str(out), "--first", "3", "--shard-samples", "2"]
    assert cli.main(arguments) == 0
    shards = Shards(out)
    assert len(shards) == 3
    assert len(list(out.glob("*.tar"))) == 2
    assert np.allclose(shards.stored(2).truth_m, 0.992)
    assert shards.stored(0).camera.cx == 31.5
    assert cli.main(arguments) == 1, "shards that are there are not written over"
    assert "already" in capsys.readouterr().out


def test_unpacked_triplets_are_a_data_set_and_convert_as_well(tmp_path):
    for name, content in files(3):
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    data = MdmDepth(tmp_path / "data")
    assert len(data) == 3
    assert data.scene(0) == "kitchen"
    assert np.allclose(data.read(1).target_m, 0.991)
    out = tmp_path / "shards"
    assert cli.main(["convert", "mdm_depth", str(tmp_path / "data"), "--out", str(out)]) == 0
    assert np.allclose(Shards(out).read(1).target_m, 0.991, atol=0.0002)


def test_an_archive_that_is_not_there_is_one_sentence(tmp_path, capsys):
    assert cli.main(["convert", "mdm_depth", str(tmp_path / "no.tar.zst"), "--out", str(tmp_path / "o")]) == 1
    assert "cannot be read" in capsys.readouterr().out

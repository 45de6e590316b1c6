import io
import itertools
import tarfile

import numpy as np
import pytest

from drivers.depth import DepthMap
from drivers.geometry import Intrinsics
from drivers.synth.shapes import Material
from trainer.data import cli
from trainer.data.dataset import DatasetSource, split
from trainer.data.order import place_of, shuffled
from trainer.data.shard_index import TAR, index_path, read_index, scan, write_index
from trainer.data.shard_writer import ShardWriter, shard_path
from trainer.data.shards import Shards
from trainer.data.stored import StoredSample, decoded, encoded
from trainer.errors import DataError

CAMERA = Intrinsics(8, 6, 10.0, 10.0, 3.5, 2.5)


def stored(number, scene="room"):
    rng = np.random.default_rng(number)
    counts = rng.integers(0, 5000, (6, 8)).astype(np.uint16)
    truth = (rng.integers(1, 20_000, (6, 8)) * np.float32(0.00025)).astype(np.float32)
    return StoredSample(
        color=np.full((6, 8, 3), number % 256, np.uint8),
        depth=DepthMap(counts, 0.001),
        truth_m=truth,
        camera=CAMERA,
        source="test",
        scene=scene,
        nothing=rng.random((6, 8)) < 0.2,
        material=rng.integers(0, 8, (6, 8)).astype(np.uint8),
        ir_left=np.full((4, 5), 70, np.uint8),
        ir_right=np.full((4, 5), 90, np.uint8),
        disparity_px=np.full((6, 8), 12.25, np.float32),
        baseline_m=0.1,
        sensor="active stereo",
    )


def written(folder, counts=(3, 4)):
    number = itertools.count()
    for shard, count in enumerate(counts):
        with ShardWriter(shard_path(folder, shard)) as writer:
            for _ in range(count):
                n = next(number)
                writer.add(f"{n:09}", stored(n, scene=f"room {n}"))
    return folder


def test_a_stored_sample_comes_back_with_everything_that_it_carried():
    before = stored(3)
    after = decoded(encoded(before))
    assert np.array_equal(after.depth.values, before.depth.values)
    assert np.allclose(after.truth_m, before.truth_m, atol=0.00013)
    assert np.array_equal(after.nothing, before.nothing)
    assert np.array_equal(after.material, before.material)
    assert np.array_equal(after.disparity_px, before.disparity_px)
    assert (after.camera, after.scene, after.sensor, after.baseline_m) == (
        CAMERA,
        "room",
        "active stereo",
        0.1,
    )
    assert np.abs(after.color.astype(int) - before.color).max() <= 2
    assert np.abs(after.ir_right.astype(int) - 90).max() <= 2


def bare(number, scene="room"):
    """A view through a pane of glass at a metre, on the left, of a wall at two; a window on the right."""
    truth = np.full((48, 64), 2.0, np.float32)
    truth[:, :30], truth[:, 50:] = 1.0, 0.0
    material = np.zeros((48, 64), np.uint8)
    material[:, :30], material[:, 50:] = Material.GLASS, Material.WINDOW
    return StoredSample(
        color=np.full((48, 64, 3), 40 * number, np.uint8),
        depth=None,
        truth_m=truth,
        camera=Intrinsics(64, 48, 60.0, 60.0, 31.5, 23.5),
        source="synth",
        scene=scene,
        nothing=material == Material.WINDOW,
        material=material,
        beyond_m=np.full((48, 64), 2.0, np.float32),
    )


def bare_shards(folder):
    with ShardWriter(shard_path(folder, 0)) as writer:
        for number in range(6):
            writer.add(f"{number:09}", bare(number))
    return Shards(folder)


def test_a_bare_view_comes_back_for_a_sensor_to_measure():
    after = decoded(encoded(bare(1)))
    assert after.depth is None
    view = after.view
    assert np.allclose(view.depth_m[:, :30], 1)
    assert np.allclose(view.depth_m[:, 30:], 2)  # a window's pane has depth for the sensor, not for training
    assert np.allclose(view.beyond, 0.5)
    assert np.allclose(view.inverse_depth * view.depth_m, 1)


def test_a_sample_with_neither_a_measurement_nor_a_view_is_refused():
    files = encoded(stored(0))
    del files["depth.png"]
    with pytest.raises(DataError, match=r"depth\.png"):
        decoded(files)


def test_a_bare_view_is_measured_by_another_sensor_each_time_that_it_is_drawn(tmp_path):
    shards = bare_shards(tmp_path)
    assert np.array_equal(shards.read(3).depth_m, shards.read(3).depth_m)
    source = DatasetSource(shards, seed=2)
    epochs = [[source.sample(epoch * len(source) + n) for n in range(len(source))] for epoch in (0, 1)]
    first, second = ({int(s.color[0, 0, 0]): s for s in epoch} for epoch in epochs)
    assert first.keys() == second.keys()
    assert all(not np.array_equal(first[key].depth_m, second[key].depth_m) for key in first)
    assert all(np.array_equal(first[key].target_m, second[key].target_m) for key in first)
    assert np.array_equal(source.sample(7).depth_m, DatasetSource(shards, seed=2).sample(7).depth_m)
    assert np.array_equal(source.held_out(0).depth_m, source.held_out(0).depth_m)


def test_a_sensor_sees_through_the_glass_of_a_bare_view(tmp_path):
    shards = bare_shards(tmp_path)
    seen = [shards.read_anew(0, np.random.default_rng(seed)).depth_m[:, :30] for seed in range(20)]
    assert any((np.abs(depth - 2) < 0.1).mean() > 0.3 for depth in seen)


def test_far_truth_takes_a_coarser_unit_instead_of_being_lost():
    far = StoredSample(**{**vars(stored(0)), "truth_m": np.full((6, 8), 300.0, np.float32)})
    assert np.allclose(decoded(encoded(far)).truth_m, 300, atol=0.006)


def test_every_sample_is_read_from_its_place_in_any_order(tmp_path):
    shards = Shards(written(tmp_path))
    assert len(shards) == 7
    for number in (6, 0, 3, 2, 5):
        assert np.array_equal(shards.stored(number).depth.values, stored(number).depth.values)
        assert shards.scene(number) == f"room {number}"


def test_the_tar_is_webdataset_layout_and_its_index_is_what_a_scan_finds(tmp_path):
    written(tmp_path)
    shard = shard_path(tmp_path, 1)
    with tarfile.open(shard) as tar:
        names = tar.getnames()
    keys = [name.partition(".")[0] for name in names]
    assert [key for key, _ in itertools.groupby(keys)] == [f"{n:09}" for n in range(3, 7)]
    assert "000000003.color.jpg" in names
    assert scan(shard) == read_index(index_path(shard))


def test_the_same_samples_are_the_same_bytes(tmp_path):
    one, two = (shard_path(written(tmp_path / name), 0).read_bytes() for name in ("a", "b"))
    assert one == two


def test_an_interrupted_shard_leaves_nothing(tmp_path):
    def write():
        with ShardWriter(shard_path(tmp_path, 0)) as writer:
            writer.add("0", stored(0))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write()
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_sample_is_refused_and_named(tmp_path):
    written(tmp_path)
    shard = shard_path(tmp_path, 0)
    place = read_index(index_path(shard))[1]
    with shard.open("r+b") as file:
        file.seek(place.offset + place.size // 2)
        file.write(b"damage")
    shards = Shards(tmp_path)
    with pytest.raises(DataError, match="000000001"):
        shards.read(1)
    assert shards.read(0).depth_m.shape == (6, 8)


def test_a_cut_off_shard_is_refused_at_the_samples_that_are_gone(tmp_path):
    written(tmp_path)
    shard = shard_path(tmp_path, 0)
    shard.write_bytes(shard.read_bytes()[: read_index(index_path(shard))[1].offset + 100])
    shards = Shards(tmp_path)
    shards.read(0)
    with pytest.raises(DataError, match="damaged"):
        shards.read(2)


@pytest.mark.parametrize("missing", ["index", "tar"])
def test_half_a_shard_says_what_to_do(tmp_path, missing):
    written(tmp_path, (2,))
    shard = shard_path(tmp_path, 0)
    (index_path(shard) if missing == "index" else shard).unlink()
    with pytest.raises(DataError) as caught:
        Shards(tmp_path)
    assert ("dataset index" if missing == "index" else "Bring the file back") in caught.value.hint


def test_a_foreign_tar_gets_its_index_from_the_verb(tmp_path, capsys):
    files = encoded(stored(5))
    with tarfile.open(tmp_path / f"foreign{TAR}", "w") as tar:
        for ending, content in files.items():
            header = tarfile.TarInfo(f"abc.{ending}")
            header.size = len(content)
            tar.addfile(header, io.BytesIO(content))
    assert cli.main(["index", str(tmp_path)]) == 0
    assert np.array_equal(Shards(tmp_path).stored(0).depth.values, stored(5).depth.values)
    assert cli.main(["check", str(tmp_path)]) == 0
    assert "1 samples, all whole" in capsys.readouterr().out


def test_check_finds_damage_and_says_so_in_its_status(tmp_path, capsys):
    written(tmp_path)
    shard = shard_path(tmp_path, 0)
    place = read_index(index_path(shard))[0]
    with shard.open("r+b") as file:
        file.seek(place.offset + 600)
        file.write(b"??")
    assert cli.main(["check", str(tmp_path)]) == 1
    assert "1 of 7 samples are damaged" in capsys.readouterr().out


@pytest.mark.parametrize("count", [1, 2, 3, 7, 64, 1000, 4097])
def test_the_shuffle_takes_every_sample_once_in_each_epoch(count):
    for epoch in (0, 5):
        order = [shuffled(place, count, seed=3, epoch=epoch) for place in range(count)]
        assert sorted(order) == list(range(count))


def test_epochs_and_seeds_have_other_orders_and_neighbours_do_not_stay_together():
    count = 2000
    orders = {
        key: np.array([shuffled(place, count, seed=key[0], epoch=key[1]) for place in range(count)])
        for key in ((0, 0), (0, 1), (1, 0))
    }
    pairs = itertools.combinations(orders.values(), 2)
    assert all((one == two).mean() < 0.01 for one, two in pairs)
    gaps = np.abs(np.diff(orders[0, 0]))
    assert gaps.mean() == pytest.approx(count / 3, rel=0.1)  # of two random places, on the mean
    assert abs(np.corrcoef(np.arange(count), orders[0, 0])[0, 1]) < 0.1


def test_an_endless_run_goes_through_all_samples_before_it_repeats():
    numbers = [place_of(number, 50, seed=1) for number in range(100)]
    assert sorted(numbers[:50]) == sorted(numbers[50:]) == list(range(50))


class Set:
    clean = False

    def __init__(self, count, scenes, bad=()):
        self.count, self.scenes, self.bad = count, scenes, set(bad)

    def __len__(self):
        return self.count

    def scene(self, number):
        return f"scene {number % self.scenes}"

    def read(self, number):
        if number in self.bad:
            raise DataError(f"sample {number} is broken", hint="fetch it")
        return stored(number).sample


def test_whole_scenes_are_held_out():
    data = Set(400, 40)
    train, test = split(data)
    assert len(train) + len(test) == 400
    assert len(test) == 20
    assert not {data.scene(n) for n in train} & {data.scene(n) for n in test}


def test_of_few_scenes_the_last_tenth_is_held_out():
    train, test = split(Set(50, 2))
    assert list(test) == list(range(45, 50))
    assert list(train) == list(range(45))


def test_a_broken_sample_gives_its_turn_to_another_one_and_is_told_once():
    said = []
    source = DatasetSource(Set(100, 1, bad=[7]), seed=0, say=said.append)
    epoch = [source.sample(number) for number in range(200)]
    assert all(sample.depth_m.shape == (6, 8) for sample in epoch)
    assert said == ["Skipped: sample 7 is broken"]


def test_too_many_broken_samples_end_the_run():
    source = DatasetSource(Set(100, 1, bad=range(0, 100, 2)), seed=0, name="the shards")
    with pytest.raises(DataError, match="Too much of the shards"):
        [source.sample(number) for number in range(200)]


def test_an_index_of_another_format_is_refused(tmp_path):
    written(tmp_path, (1,))
    path = index_path(shard_path(tmp_path, 0))
    path.write_text(path.read_text("utf-8").replace('"format": 1', '"format": 9'), "utf-8")
    with pytest.raises(DataError, match="cannot be read"):
        Shards(tmp_path)


def test_write_index_and_read_index_are_inverse(tmp_path):
    shard = tmp_path / "x.tar"
    shard.write_bytes(b"")
    places = scan(shard_path(written(tmp_path / "s"), 0))
    write_index(shard, places)
    assert read_index(index_path(shard)) == places

"""An exact shuffle that needs no memory: the place of every sample in every epoch is computed."""

ROUNDS = 6
_MASK64 = (1 << 64) - 1


def shuffled(place: int, count: int, *, seed: int, epoch: int) -> int:
    """Which of `count` samples stands at `place` of the epoch; over all places, each sample comes once.

    A Feistel network over the smallest even number of bits that holds `count`; numbers beyond it walk on
    (Black and Rogaway, "Ciphers with arbitrary finite domains", 2002). Any machine that knows seed and epoch
    can start anywhere in the order, whatever the number of machines.

    Args:
        place: 0 to `count` - 1.
        count: of samples.
        seed: of the run.
        epoch: another one has another order.
    """
    assert 0 <= place < count, (place, count)
    half = max(1, ((count - 1).bit_length() + 1) // 2)
    low = (1 << half) - 1
    keys = _keys(seed, epoch)
    while True:
        left, right = place >> half, place & low
        for key in keys:
            left, right = right, left ^ (_mixed(right ^ key) & low)
        place = (left << half) | right
        if place < count:
            return place


def _keys(seed: int, epoch: int) -> list[int]:
    return [_mixed(_mixed(seed * ROUNDS + number) ^ epoch) for number in range(ROUNDS)]


def _mixed(value: int) -> int:
    """SplitMix64's finaliser (Steele, Lea and Flood, OOPSLA 2014)."""
    value = (value + 0x9E3779B97F4A7C15) & _MASK64
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK64
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK64
    return value ^ (value >> 31)


def place_of(number: int, count: int, *, seed: int) -> int:
    """The sample that an endless run over `count` shuffled samples takes as its `number`-th."""
    epoch, place = divmod(number, count)
    return shuffled(place, count, seed=seed, epoch=epoch)

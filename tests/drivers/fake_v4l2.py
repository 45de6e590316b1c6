"""The kernel's side of a depth node, as far as `drivers.v4l2` calls it; anything else is an error."""

import errno

import numpy as np

from drivers import v4l2, v4l2_controls

LISTED = {
    0x980900: (1, "Brightness", 0, 255, 1, 128, 0),
    0x98090C: (2, "White Balance, Automatic", 0, 1, 1, 1, 0),
    0x980913: (1, "Gain", 0, 255, 1, 0, 0),
    0x980918: (3, "Power Line Frequency", 0, 2, 1, 2, 0),
    0x98091A: (1, "White Balance Temperature", 2000, 6500, 10, 4000, 0x10),
    0x98091B: (1, "Sharpness", 0, 9, 1, 5, v4l2_controls.READ_ONLY),
    0x98091C: (1, "Backlight", 0, 1, 1, 0, v4l2_controls.DISABLED),
    0x9A0901: (3, "Auto Exposure", 0, 3, 1, 3, 0),
    0x9A0902: (1, "Exposure Time, Absolute", 3, 2047, 1, 250, 0x10),
    0x9A0903: (2, "Exposure, Dynamic Framerate", 0, 1, 1, 0, 0),
    0x9A0910: (4, "Pan, Reset", 0, 0, 0, 0, 0),
    0x9A0999: (9, "Link Rate", 0, 2, 1, 0, 0),
}
"""By number: type, name, minimum, maximum, step, default, flags."""
WORDS = {
    0x980918: {0: "Disabled", 1: "50 Hz", 2: "60 Hz"},
    0x9A0901: {1: "Manual Mode", 3: "Aperture Priority Mode"},
    0x9A0999: {0: 100, 1: 200, 2: 400},
}
CHOSEN_BY = {0x9A0902: (0x9A0901, 3), 0x98091A: (0x98090C, 1)}


class FakeControls:
    """The controls of a UVC webcam, as the kernel tells them.

    Like uvcvideo it refuses an exposure or a white balance while the camera chooses it.
    """

    def __init__(self):
        self.values = {
            0x980900: 128, 0x98090C: 1, 0x980913: 0, 0x980918: 2, 0x98091A: 4000, 0x9A0901: 3, 0x9A0902: 250,
            0x9A0903: 0, 0x98091B: 5, 0x9A0999: 1,
        }  # fmt: skip
        self.silent = set()
        self.chosen_by = dict(CHOSEN_BY)
        self.gone = False
        self.opened = 0
        self.kernel = v4l2.Kernel(self.open, self.close, self.ioctl, None, None)

    def open(self, _node):
        self.opened += 1
        return 9

    def close(self, descriptor):
        assert descriptor == 9
        self.opened -= 1

    def ioctl(self, _descriptor, number, data):
        if self.gone:
            raise OSError(errno.ENODEV, "No such device")
        self.calls()[number](data)

    def calls(self):
        return {
            v4l2_controls.QUERY: self.query,
            v4l2_controls.QUERY_MENU: self.menu,
            v4l2_controls.GET: self.get,
            v4l2_controls.SET: self.set,
        }

    def query(self, data):
        assert data.id & v4l2_controls.NEXT
        after = [number for number in sorted(LISTED) if number > data.id & ~v4l2_controls.NEXT]
        if not after:
            raise OSError(errno.EINVAL, "Invalid argument")
        data.id = after[0]
        data.type, name, data.minimum, data.maximum, data.step, data.default, data.flags = LISTED[after[0]]
        data.name[: len(name)] = name.encode()

    def menu(self, data):
        if data.index not in WORDS[data.id]:
            raise OSError(errno.EINVAL, "Invalid argument")
        word = WORDS[data.id][data.index]
        if isinstance(word, int):
            data.word.value = word
        else:
            data.word.name[: len(word)] = word.encode()

    def get(self, data):
        if data.id in self.silent:
            raise OSError(errno.EIO, "Input/output error")
        data.value = self.values[data.id]

    def set(self, data):
        kind, _, minimum, maximum, step, _, flags = LISTED[data.id]
        if flags & v4l2_controls.READ_ONLY:
            raise OSError(errno.EACCES, "Permission denied")
        automatic, on = self.chosen_by.get(data.id, (None, None))
        if automatic is not None and self.values[automatic] == on:
            raise OSError(errno.EACCES, "Permission denied")
        if kind == 3 and data.value not in WORDS[data.id]:
            raise OSError(errno.EINVAL, "Invalid argument")
        assert minimum <= data.value <= maximum
        assert (data.value - minimum) % step == 0
        self.values[data.id] = data.value


class FakeNode:
    """Gives depth of `width` x `height` whatever is asked for, with rows padded to 64 bytes."""

    def __init__(self, width=32, height=24, *, formats=(v4l2.Z16,)):
        self.width, self.height, self.formats = width, height, formats
        self.row_bytes = -(-2 * width // 64) * 64
        self.memory = []
        self.queued, self.streaming, self.opened = [], False, 0
        self.images = []
        self.gone = self.busy = False
        self.controls = FakeControls()
        self.kernel = v4l2.Kernel(self.open, self.close, self.ioctl, self.map, self.ready)

    def send(self, counts, number, *, stamp_us=1_000_000, flags=v4l2.MONOTONIC, cut_bytes=0):
        """Put an image where the driver would."""
        self.images.append((counts, number, stamp_us, flags, cut_bytes))

    def open(self, _node):
        self.opened += 1
        return 7

    def close(self, descriptor):
        assert descriptor == 7
        self.opened -= 1

    def ready(self, _descriptor, timeout_s):
        assert timeout_s >= 0
        return bool(self.images) or self.gone

    def map(self, _descriptor, length, offset):
        assert length == self.row_bytes * self.height
        self.memory.append(Shared(length))
        assert offset == 4096 * (len(self.memory) - 1)
        return self.memory[-1]

    def ioctl(self, _descriptor, number, data):
        if self.gone:
            raise OSError(errno.ENODEV, "No such device")
        calls = {
            v4l2.ENUM_FORMATS: self.enumerate,
            v4l2.SET_FORMAT: self.agree,
            v4l2.REQUEST_BUFFERS: self.request,
            v4l2.QUERY_BUFFER: self.query,
            v4l2.QUEUE: self.queue,
            v4l2.DEQUEUE: self.dequeue,
            v4l2.STREAM_ON: self.on,
            v4l2.STREAM_OFF: self.off,
            **self.controls.calls(),
        }
        calls[number](data)

    def enumerate(self, data):
        assert data.type == v4l2.CAPTURE
        if data.index >= len(self.formats):
            raise OSError(errno.EINVAL, "Invalid argument")
        data.pixelformat = self.formats[data.index]

    def agree(self, data):
        if self.busy:
            raise OSError(errno.EBUSY, "Device or resource busy")
        data.fmt.pix.width, data.fmt.pix.height = self.width, self.height
        data.fmt.pix.bytesperline = self.row_bytes

    def request(self, data):
        data.count = min(data.count, 3)  # a driver may give fewer

    def query(self, data):
        data.length, data.place.offset = self.row_bytes * self.height, 4096 * data.index

    def queue(self, data):
        assert data.index not in self.queued, "queued twice"
        self.queued.append(data.index)

    def dequeue(self, data):
        assert self.streaming
        counts, number, stamp_us, flags, cut_bytes = self.images.pop(0)
        data.index = self.queued.pop(0)
        padded = np.zeros((self.height, self.row_bytes // 2), np.uint16)
        padded[:, : self.width] = counts
        self.memory[data.index].data[:] = padded.tobytes()
        data.bytesused, data.sequence, data.flags = padded.nbytes - cut_bytes, number, flags
        data.timestamp.seconds, data.timestamp.microseconds = divmod(stamp_us, 1_000_000)

    def on(self, data):
        assert data.value == v4l2.CAPTURE
        self.streaming = True

    def off(self, data):
        assert data.value == v4l2.CAPTURE
        self.streaming = False


class Shared:
    """Memory that the driver writes into."""

    def __init__(self, length):
        self.data, self.closed = bytearray(length), False

    def __getitem__(self, part):
        return bytes(self.data[part])

    def close(self):
        self.closed = True

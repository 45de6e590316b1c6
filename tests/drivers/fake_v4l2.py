"""The kernel's side of a depth node, as far as `drivers.v4l2` calls it; anything else is an error."""

import errno

import numpy as np

from drivers import v4l2


class FakeNode:
    """Gives depth of `width` x `height` whatever is asked for, with rows padded to 64 bytes."""

    def __init__(self, width=32, height=24, *, formats=(v4l2.Z16,)):
        self.width, self.height, self.formats = width, height, formats
        self.row_bytes = -(-2 * width // 64) * 64
        self.memory = []
        self.queued, self.streaming, self.opened = [], False, 0
        self.images = []
        self.gone = self.busy = False
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

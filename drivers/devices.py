"""What is plugged in: one line for each camera, opened or not."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Device:
    """A camera that is connected to this computer.

    Attributes:
        source: what opens it, such as "realsense:123456"; empty where nothing does.
        vendor: such as "Intel RealSense".
        model: the vendor's name of it.
        serial: the vendor's serial number, or empty.
        firmware: its version, or empty.
        link: how it is connected, such as "USB 3.2", or empty.
        port: where it is plugged in, as the system calls it, or empty.
        problem: why it cannot be opened, or not be used in full; empty while all is well.
        hint: what to do about it.
        automatic: whether the source "auto" opens it; a webcam has to be asked for by name.
    """

    source: str
    vendor: str
    model: str
    serial: str = ""
    firmware: str = ""
    link: str = ""
    port: str = ""
    problem: str = ""
    hint: str = ""
    automatic: bool = True

    @property
    def usable(self) -> bool:
        """Whether it can be opened."""
        return bool(self.source)

"""What RealSense and Orbbec cameras share of changing size and rate while they are open."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from drivers.camera import CameraBase, CameraInfo
from drivers.clock import FrameCounter
from drivers.controls import Control
from drivers.errors import CameraError, CameraLost
from drivers.profiles import Profile, Stream, Wish, bytes_per_s, mode_controls


class SwitchesModes(CameraBase):
    """A camera that tells its modes as controls, and streams in another one when it is asked to."""

    _live: bool
    _info: CameraInfo
    _offers: Mapping[Profile, Any]
    _chosen: Mapping[Stream, tuple[Profile, Any]]
    _usual: Wish
    _wish: Wish
    _counter: FrameCounter

    def _start(self) -> None:
        raise NotImplementedError

    def _modes(self) -> tuple[Control, ...]:
        if not self._live:
            return ()
        return mode_controls(self._offers, [profile for profile, _ in self._chosen.values()], self._usual)

    def _restart(self, wish: Wish) -> None:
        """Stream in another mode; the old one comes back if the device refuses."""
        before, self._wish = self._wish, wish
        try:
            self.close()
            self._start()
        except CameraLost:
            raise
        except CameraError:
            self._wish = before
            self.close()
            self._start()
            raise
        rate_hz = float(self._chosen[Stream.DEPTH][0].rate_hz)
        self._info = replace(self._info, rate_hz=rate_hz, link_bytes_per_s=bytes_per_s(self._chosen))
        self._counter.restart(rate_hz=rate_hz)

"""The data sets that can be read, by the name that flags and configurations use."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from trainer.data.dataset import Dataset
from trainer.data.datasets.aria import AriaDigitalTwin
from trainer.data.datasets.arkitscenes import ArkitScenes
from trainer.data.datasets.cleargrasp import ClearGrasp
from trainer.data.datasets.hypersim import Hypersim
from trainer.data.datasets.mdm_depth import MdmDepth
from trainer.data.datasets.moge import MoGe
from trainer.data.datasets.scannetpp import ScanNetPP
from trainer.data.datasets.tartanair import TartanAir
from trainer.data.datasets.taskonomy import Taskonomy
from trainer.data.shards import Shards


@dataclass(frozen=True)
class Kind:
    """One data set that can be read.

    Attributes:
        open: the reader of a folder.
        title: what the screen says.
        licence: what may be done with weights that learned from it.
        clean: whether its depth has neither holes nor noise, as the reader says.
    """

    open: Callable[[Path], Dataset]
    title: str
    licence: str
    clean: bool


NON_COMMERCIAL = "research only, not commercial"

KINDS: Mapping[str, Kind] = {
    "shards": Kind(Shards, "Shards of this program", "as their sources", clean=False),
    "taskonomy": Kind(Taskonomy, "Taskonomy", NON_COMMERCIAL, clean=True),
    "scannetpp": Kind(ScanNetPP, "ScanNet++", NON_COMMERCIAL, clean=False),
    "tartanair": Kind(TartanAir, "TartanAir", "CC BY 4.0", clean=True),
    "arkitscenes": Kind(ArkitScenes, "ARKitScenes", NON_COMMERCIAL, clean=False),
    "aria": Kind(AriaDigitalTwin, "Aria Digital Twin", "Project Aria terms", clean=True),
    "hypersim": Kind(Hypersim, "Hypersim", "CC BY-SA 3.0", clean=True),
    "cleargrasp": Kind(ClearGrasp, "ClearGrasp", "CC BY 4.0", clean=False),
    "mdm_depth": Kind(MdmDepth, "LingBot-Depth triplets", "CC BY-NC-SA 4.0", clean=False),
    "moge": Kind(MoGe, "MoGe's evaluation sets", "as their sources", clean=True),
}

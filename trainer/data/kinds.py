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
    """

    open: Callable[[Path], Dataset]
    title: str
    licence: str


NON_COMMERCIAL = "research only, not commercial"

KINDS: Mapping[str, Kind] = {
    "shards": Kind(Shards, "Shards of this program", "as their sources"),
    "taskonomy": Kind(Taskonomy, "Taskonomy", NON_COMMERCIAL),
    "scannetpp": Kind(ScanNetPP, "ScanNet++", NON_COMMERCIAL),
    "tartanair": Kind(TartanAir, "TartanAir", "CC BY 4.0"),
    "arkitscenes": Kind(ArkitScenes, "ARKitScenes", NON_COMMERCIAL),
    "aria": Kind(AriaDigitalTwin, "Aria Digital Twin", "Project Aria terms"),
    "hypersim": Kind(Hypersim, "Hypersim", "CC BY-SA 3.0"),
    "cleargrasp": Kind(ClearGrasp, "ClearGrasp", "CC BY 4.0"),
    "mdm_depth": Kind(MdmDepth, "LingBot-Depth triplets", "CC BY-NC-SA 4.0"),
    "moge": Kind(MoGe, "MoGe's evaluation sets", "as their sources"),
}

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
from trainer.data.datasets.scannetpp import ScanNetPP, ScanNetPPCamera
from trainer.data.datasets.tartanair import TartanAir
from trainer.data.datasets.taskonomy import Taskonomy
from trainer.data.shard_index import INDEX, TAR
from trainer.data.shards import Shards


@dataclass(frozen=True)
class Kind:
    """One data set that can be read.

    Attributes:
        open: the reader of a folder.
        title: what the screen says.
        licence: what may be done with weights that learned from it.
        clean: whether its depth has neither holes nor noise, as the reader says.
        marks: patterns of files that tell it, with as many folders as the pattern has parts.
    """

    open: Callable[[Path], Dataset]
    title: str
    licence: str
    clean: bool
    marks: tuple[str, ...]


NON_COMMERCIAL = "research only, not commercial"

KINDS: Mapping[str, Kind] = {
    "shards": Kind(
        Shards, "Shards of this program", "as their sources", clean=False, marks=(f"*{INDEX}", f"*{TAR}")
    ),
    "taskonomy": Kind(Taskonomy, "Taskonomy", NON_COMMERCIAL, clean=True, marks=("*_domain_rgb.png",)),
    "scannetpp": Kind(
        ScanNetPP, "ScanNet++", NON_COMMERCIAL, clean=False, marks=("iphone/depth/frame_*.png",)
    ),
    "scannetpp_dslr": Kind(
        ScanNetPPCamera,
        "ScanNet++, pictures of the camera",
        NON_COMMERCIAL,
        clean=True,
        marks=("dslr/render_depth/*.png",),
    ),
    "tartanair": Kind(
        TartanAir,
        "TartanAir",
        "CC BY 4.0",
        clean=True,
        marks=("depth_left/*_left_depth.npy", "depth_lcam_*/*_depth.png", "depth_rcam_*/*_depth.png"),
    ),
    "arkitscenes": Kind(
        ArkitScenes, "ARKitScenes", NON_COMMERCIAL, clean=False, marks=("lowres_depth/*.png",)
    ),
    "aria": Kind(
        AriaDigitalTwin, "Aria Digital Twin", "Project Aria terms", clean=True, marks=("video.vrs",)
    ),
    "hypersim": Kind(
        Hypersim,
        "Hypersim",
        "CC BY-SA 3.0",
        clean=True,
        marks=("scene_cam_*_final_preview/frame.*.tonemap.jpg",),
    ),
    "cleargrasp": Kind(
        ClearGrasp,
        "ClearGrasp",
        "CC BY 4.0",
        clean=False,
        marks=("rgb-imgs/*-rgb.jpg", "*-transparent-rgb-img.jpg"),
    ),
    "mdm_depth": Kind(
        MdmDepth, "LingBot-Depth triplets", "CC BY-NC-SA 4.0", clean=False, marks=("rawdepth/*.png",)
    ),
    "moge": Kind(
        MoGe, "MoGe's evaluation sets", "as their sources", clean=True, marks=("image.jpg", "image.png")
    ),
}

"""Follows light through a scene: the first surfaces, the picture, and the projector's dots.

Written for Dr.Jit, which turns each loop into one kernel. Other than Mitsuba's own path tracer it lets light
cross glass on a straight line once a ray has met a rough surface: windows, cups and bottles then light what
is behind them, and the projector's dots are seen there, without the noise that refracted light makes. Before
that, glass refracts and mirrors mirror.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from drivers.geometry import Intrinsics
from trainer.synth.physical.studio import IS_GLASS, IS_MIRROR, IS_WINDOW, Studio, dr, mi

Float = NDArray[np.float32]
Transform = NDArray[np.float64]
LANES = 4_000_000
"""Rays at once; of more, memory would run out on machines with many processes."""
PIXEL_SIGMA = 0.45
"""Of the lens' blur, in pixels."""
BOUNCES = 7
CROSSED = 12
"""Surfaces of glass that a straight line may cross."""
STEPS = 26
"""Of one path, glass and mirrors included."""
CLAMP = 2.0
"""Most that one bounce may add, in units of a white wall: a brighter one is a firefly."""
DOT_CLAMP = 60.0
EPSILON_M = 2e-4
NEAREST_M = 0.02
MIRRORED_SHARE = 0.9
"""Of a projector's light that a mirror on its way sends on."""
LUMINANCE_IR = (0.5, 0.35, 0.15)
"""Near infrared from red, green and blue."""


def first_surfaces(
    studio: Studio, pose: Transform, camera: Intrinsics
) -> tuple[Float, Float, NDArray[np.uint8]]:
    """What lies on the line through each pixel's middle.

    Returns:
        (H, W) planar depth of the first surface in metres, 0 for none; (H, W) depth of what is seen through
        glass or in a mirror, elsewhere the same; (H, W) material.
    """
    rays, forward = _rays(pose, camera, 1, None)
    found = _first(studio, rays, forward)
    dr.eval(*found)
    shape = (camera.height, camera.width)
    depth, beyond, material = (np.array(part).reshape(shape) for part in found)
    return depth.astype(np.float32), beyond.astype(np.float32), material.astype(np.uint8)


def light(
    studio: Studio, pose: Transform, camera: Intrinsics, *, samples: int, seed: int
) -> tuple[Float, Float, Float, Float]:
    """Light that comes to each pixel, in units of a white wall in good light.

    Args:
        studio: the scene.
        pose: (4, 4) world_from_camera.
        camera: its picture.
        samples: paths of each pixel.
        seed: of all chance.

    Returns:
        (H, W, 3) light; for a denoiser (H, W, 3) albedo and (H, W, 3) normals; (H, W) near infrared that is
        reflected over visible light.
    """
    found = _means(studio, pose, camera, samples, seed, _paths)
    return found[..., :3], found[..., 3:6], found[..., 6:9], found[..., 9]


def dots(
    studio: Studio,
    pose: Transform,
    camera: Intrinsics,
    *,
    from_projector_m: float,
    pattern: Any,
    shift_px: float,
    samples: int,
    seed: int,
) -> Float:
    """(H, W) light of a projector of unit strength, in the same units, seen by a camera beside it.

    Args:
        studio: the scene.
        pose: (4, 4) world_from_camera.
        camera: its picture; the pattern is as fine as its pixels.
        from_projector_m: how far right of the projector the camera stands.
        pattern: texture with the projector's picture, which is repeated.
        shift_px: of the pattern.
        samples: paths of each pixel.
        seed: of all chance.
    """
    projector = _Projector(pose, camera, from_projector_m, pattern, shift_px)

    def trace(studio: Studio, rays: Any, chance: Any) -> tuple[Any, ...]:
        return (_dotted(studio, rays, chance, projector),)

    return _means(studio, pose, camera, samples, seed, trace)[..., 0]


class _Projector:
    """Shines a pattern; no dataclass, as `Studio`."""

    def __init__(
        self, pose: Transform, camera: Intrinsics, from_projector_m: float, pattern: Any, shift_px: float
    ) -> None:
        self.place = mi.Point3f(*_opaque(pose[:3, 3] - pose[:3, 0] * from_projector_m))
        self.axes = [mi.Vector3f(*_opaque(pose[:3, k])) for k in range(3)]
        self.focal, *self.centre = _opaque([camera.fx, camera.cx + shift_px, camera.cy])
        self.pattern = pattern
        self.size = float(pattern.shape[0])
        self.mean = float(np.array(pattern.value()).mean())


def _means(  # noqa: PLR0917 - as `light`
    studio: Studio, pose: Transform, camera: Intrinsics, samples: int, seed: int, trace: Any
) -> Float:
    """(H, W, C) mean over the samples of what `trace` finds."""
    pixels = camera.width * camera.height
    together = max(1, min(samples, LANES // pixels))
    total, done = np.zeros(0), 0
    while done < samples:
        count = min(together, samples - done)
        lanes = pixels * count
        chance = mi.PCG32(
            lanes,
            initstate=dr.opaque(mi.UInt64, 0x9E3779B9 + 7919 * seed + done),
            initseq=dr.arange(mi.UInt64, lanes),
        )
        rays, _ = _rays(pose, camera, count, chance)
        found = trace(studio, rays, chance)
        dr.eval(
            *found
        )  # all at once: a reduction of what is not yet known would trace the paths again for each
        sums = np.stack([np.array(part).reshape(pixels, count).sum(axis=1) for part in found], axis=1)
        total, done = (sums if not done else total + sums), done + count
    return np.asarray(total.reshape(camera.height, camera.width, -1) / samples, np.float32)


def _opaque(values: Any) -> list[Any]:
    """Numbers that are no part of the kernel, which would be compiled anew for each."""
    return [dr.opaque(mi.Float, float(value)) for value in values]


def _rays(pose: Transform, camera: Intrinsics, count: int, chance: Any) -> tuple[Any, Any]:
    """`count` rays for each pixel, one after the other, and the camera's forward."""
    index = dr.arange(mi.UInt32, camera.width * camera.height * count)
    pixel = index // count
    column, row = mi.Float(pixel % camera.width), mi.Float(pixel // camera.width)
    if chance is not None:
        blur = mi.warp.square_to_std_normal(mi.Point2f(chance.next_float32(), chance.next_float32()))
        column, row = column + blur.x * PIXEL_SIGMA, row + blur.y * PIXEL_SIGMA
    fx, fy, cx, cy = _opaque([camera.fx, camera.fy, camera.cx, camera.cy])
    across, down, forward = (mi.Vector3f(*_opaque(pose[:3, k])) for k in range(3))
    direction = across * ((column - cx) / fx) + down * ((row - cy) / fy) + forward
    return mi.Ray3f(mi.Point3f(*_opaque(pose[:3, 3])), dr.normalize(direction)), forward


def _number(shape: Any) -> Any:
    return dr.reinterpret_array(mi.UInt32, shape)


def _infrared(color: Any) -> Any:
    red, green, blue = LUMINANCE_IR
    return color.x * red + color.y * green + color.z * blue


def _first_loop(studio: Studio, rays: Any, forward: Any) -> Any:
    ray = mi.Ray3f(rays)
    slant = dr.dot(ray.d, forward)
    length, depth, beyond = mi.Float(0), mi.Float(0), mi.Float(0)
    last = mi.Point3f(ray.o)
    material, step = mi.UInt32(0), mi.UInt32(0)
    active = mi.Bool(True)
    while active:
        hit = studio.scene.ray_intersect(ray, active)
        active &= hit.is_valid()
        number = _number(hit.shape)
        flags = dr.gather(mi.UInt32, studio.flags, number, active)
        length += dr.select(
            active, dr.norm(hit.p - last), 0
        )  # not `t`: a ray begins a little off its surface
        last = dr.select(active, hit.p, last)
        first = active & (step == 0)
        depth = dr.select(first, length * slant, depth)
        material = dr.select(first, dr.gather(mi.UInt32, studio.material, number, first), material)
        beyond = dr.select(active, length * slant, beyond)
        through = (flags & IS_GLASS) != 0
        mirrored = ((flags & IS_MIRROR) != 0) & (step < 6)
        onward = dr.select(mirrored, ray.d - 2 * dr.dot(ray.d, hit.n) * hit.n, ray.d)
        active &= (through | mirrored) & (step < CROSSED)
        ray = hit.spawn_ray(onward)
        step += 1
    return depth, beyond, material


def _passed_loop(  # noqa: PLR0917 - the state of one loop
    studio: Studio, start: Any, normal: Any, toward: Any, distance: Any, goal: Any, enabled: Any
) -> Any:
    """What of light comes straight from `distance` away, or by way of a surface with a flag of `goal`."""
    aimed = goal != 0
    left = dr.select(aimed, mi.Float(1e4), distance * (1 - 1e-4) - EPSILON_M)
    at = mi.Point3f(start + dr.mulsign(mi.Vector3f(normal), dr.dot(normal, toward)) * EPSILON_M)
    passed = mi.Color3f(1)
    passed = dr.select(enabled, passed, 0)
    step = mi.UInt32(0)
    active = mi.Bool(enabled)
    while active:
        ray = mi.Ray3f(at, toward)
        ray.maxt = left
        hit = studio.scene.ray_intersect_preliminary(ray, False, active=active)
        met = active & hit.is_valid()
        flags = dr.gather(mi.UInt32, studio.flags, _number(hit.shape), met)
        glass = met & ((flags & IS_GLASS) != 0)
        reached = met & ((flags & goal) != 0)
        tint = dr.gather(mi.Color3f, studio.tint, hit.prim_index, glass)
        passed = dr.select(glass, passed * tint, passed)
        passed = dr.select((met & ~glass & ~reached) | (active & ~met & aimed), 0, passed)
        at = dr.select(glass, at + toward * (hit.t + EPSILON_M), at)
        left = dr.select(glass, left - hit.t - EPSILON_M, left)
        step += 1
        active &= glass & (step < CROSSED) & (left > 0)
    return passed


def _paths_loop(studio: Studio, rays: Any, chance: Any) -> Any:
    scene, context = studio.scene, mi.BSDFContext()
    ray = mi.Ray3f(rays)
    carried, total = mi.Color3f(1), mi.Color3f(0)
    albedo, normal, infrared = mi.Color3f(0), mi.Normal3f(0), mi.Float(1)
    seen, felt = mi.Bool(False), mi.Bool(False)
    sharp, singular = mi.Bool(True), mi.Bool(True)
    density, last = mi.Float(1), mi.Point3f(ray.o)
    bounce, step = mi.UInt32(0), mi.UInt32(0)
    active = mi.Bool(True)
    while active:
        hit = scene.ray_intersect(ray, mi.RayFlags.All, bounce == 0, active)
        active &= hit.is_valid()
        number = _number(hit.shape)
        flags = dr.gather(mi.UInt32, studio.flags, number, active)
        bsdf = hit.bsdf()
        rough = mi.has_flag(bsdf.flags(), mi.BSDFFlags.Smooth)

        # What it sends out itself; chosen lamps (below) and lamps that are met share that between them.
        source = dr.zeros(mi.SurfaceInteraction3f)
        source.p = last
        chosen = mi.DirectionSample3f(scene, hit, source)
        rival = scene.pdf_emitter_direction(source, chosen, active & ~singular)
        share = dr.select(singular, 1, density / dr.maximum(density + rival, 1e-12))
        shine = hit.emitter(scene).eval(hit, active) * carried * share
        total += dr.select(active, dr.select(sharp, shine, dr.minimum(shine, CLAMP)), 0)

        straight = active & ~sharp & ((flags & IS_GLASS) != 0)
        scattered = active & ~straight

        # What a denoiser wants to know of the first surface that is not a mirror or glass.
        window = (flags & IS_WINDOW) != 0
        told = scattered & rough & ~seen
        look = dr.select(window, shine / (1 + shine), carried * bsdf.eval_diffuse_reflectance(hit, told))
        albedo = dr.select(told, look, albedo)
        infrared = dr.select(told, dr.gather(mi.Float, studio.infrared, number, told), infrared)
        seen |= told
        touched = scattered & (rough | ((flags & IS_GLASS) != 0)) & ~felt
        outwards = mi.Normal3f(dr.mulsign(mi.Vector3f(hit.sh_frame.n), -dr.dot(hit.sh_frame.n, ray.d)))
        normal = dr.select(touched, outwards, normal)
        felt |= touched

        # Light of a lamp that is chosen by chance, and of the sun.
        asked = scattered & rough & (bounce < BOUNCES - 1)
        lamp, weight = scene.sample_emitter_direction(
            hit, mi.Point2f(chance.next_float32(), chance.next_float32()), False, asked
        )
        lit = asked & (lamp.pdf > 0)
        passed = _passed(studio, hit.p, hit.n, lamp.d, lamp.dist, mi.UInt32(0), lit)
        value, pdf, sample, thrown = bsdf.eval_pdf_sample(
            context,
            hit,
            hit.to_local(lamp.d),
            chance.next_float32(),
            mi.Point2f(chance.next_float32(), chance.next_float32()),
            scattered,
        )
        found = carried * value * weight * passed * (lamp.pdf / dr.maximum(lamp.pdf + pdf, 1e-12))
        facing = asked & (dr.dot(hit.n, studio.toward_sun) * dr.dot(hit.n, -ray.d) > 0) & (studio.sun.x > 0)
        sunny = _passed(studio, hit.p, hit.n, studio.toward_sun, mi.Float(0), mi.UInt32(IS_WINDOW), facing)
        slanted = bsdf.eval(context, hit, hit.to_local(studio.toward_sun), facing)
        found = dr.select(lit, found, 0) + carried * slanted * sunny * studio.sun * dr.pi
        total += dr.select(asked, dr.select(bounce == 0, found, dr.minimum(found, CLAMP)), 0)

        # Onward.
        singular_now = mi.has_flag(sample.sampled_type, mi.BSDFFlags.Delta)
        carried = dr.select(scattered, carried * thrown, carried)
        triangle = dr.select(straight, hit.prim_index, 0)
        carried = dr.select(
            straight, carried * dr.gather(mi.Color3f, studio.tint, triangle, straight), carried
        )
        ray = hit.spawn_ray(dr.select(scattered, hit.to_world(sample.wo), ray.d))
        last = dr.select(scattered, hit.p, last)
        density = dr.select(scattered, sample.pdf, density)
        singular = dr.select(scattered, singular_now, singular)
        sharp &= straight | singular_now
        bounce += dr.select(scattered & ~singular_now, mi.UInt32(1), mi.UInt32(0))
        step += 1
        active &= (bounce < BOUNCES) & (step < STEPS) & (dr.max(carried) > 1e-3)
        survives = dr.minimum(dr.max(carried), 0.95)
        gamble = active & (bounce >= 2)
        drawn = chance.next_float32()
        active &= ~gamble | (drawn < survives)
        carried = dr.select(gamble, carried / dr.maximum(survives, 1e-6), carried)
    return (
        total.x,
        total.y,
        total.z,
        albedo.x,
        albedo.y,
        albedo.z,
        normal.x,
        normal.y,
        normal.z,
        infrared,
    )


def _lit_by(  # noqa: PLR0917 - a projector and what it shines on
    studio: Studio,
    projector: _Projector,
    hit: Any,
    active: Any,
    place: Any,
    axes: Any,
    blurred: Any,
    goal: Any,
) -> tuple[Any, Any, Any]:
    """Direction to a projector, light from there (its mean if `blurred`), and whether there is any."""
    offset = hit.p - place
    forward = dr.dot(offset, axes[2])
    column = dr.dot(offset, axes[0]) / forward * projector.focal + projector.centre[0]
    row = dr.dot(offset, axes[1]) / forward * projector.focal + projector.centre[1]
    asked = active & (forward > NEAREST_M)
    at = mi.Point2f((column + 0.5) / projector.size, (row + 0.5) / projector.size)
    bright = dr.select(blurred, projector.mean, projector.pattern.eval(at, asked & ~blurred)[0])
    asked &= bright > 1e-4
    distance = dr.norm(offset)
    toward = -offset / distance
    passed = _passed(studio, hit.p, hit.n, toward, distance, goal, asked)
    return toward, passed * (bright / dr.square(forward)), asked


def _dots_loop(studio: Studio, rays: Any, chance: Any, projector: _Projector) -> Any:
    context = mi.BSDFContext()
    ray = mi.Ray3f(rays)
    carried, total = mi.Color3f(1), mi.Float(0)
    bounce, step = mi.UInt32(0), mi.UInt32(0)
    # The projector's image in the last mirror on the way: its dots come by way of that as well.
    image, across, down, forward = (
        mi.Point3f(projector.place),
        *(mi.Vector3f(axis) for axis in projector.axes),
    )
    mirrored = mi.Bool(False)
    # What is not quite a mirror shows the dots as a glow; few paths would show that as noise in their stead.
    blurred = mi.Bool(False)
    active = mi.Bool(True)
    while active:
        hit = studio.scene.ray_intersect(ray, mi.RayFlags.All, bounce == 0, active)
        active &= hit.is_valid()
        number = _number(hit.shape)
        flags = dr.gather(mi.UInt32, studio.flags, number, active)
        bsdf = hit.bsdf()
        asked = active & mi.has_flag(bsdf.flags(), mi.BSDFFlags.Smooth)
        toward, shone, lit = _lit_by(
            studio, projector, hit, asked, projector.place, projector.axes, blurred, mi.UInt32(0)
        )
        value, _, sample, thrown = bsdf.eval_pdf_sample(
            context,
            hit,
            hit.to_local(toward),
            chance.next_float32(),
            mi.Point2f(chance.next_float32(), chance.next_float32()),
            active,
        )
        found = dr.select(lit, _infrared(carried * value * shone), 0)
        toward, shone, lit = _lit_by(
            studio,
            projector,
            hit,
            asked & mirrored,
            image,
            [across, down, forward],
            blurred,
            mi.UInt32(IS_MIRROR),
        )
        value = bsdf.eval(context, hit, hit.to_local(toward), lit)
        found += dr.select(lit, _infrared(carried * value * shone) * MIRRORED_SHARE, 0)
        found *= dr.gather(mi.Float, studio.infrared, number, active)
        total += dr.select(asked, dr.minimum(found, DOT_CLAMP), 0)
        met = active & ((flags & IS_MIRROR) != 0)
        image = dr.select(met, image - 2 * dr.dot(image - hit.p, hit.n) * hit.n, image)
        across = dr.select(met, across - 2 * dr.dot(across, hit.n) * hit.n, across)
        down = dr.select(met, down - 2 * dr.dot(down, hit.n) * hit.n, down)
        forward = dr.select(met, forward - 2 * dr.dot(forward, hit.n) * hit.n, forward)
        mirrored |= met
        carried = dr.select(active, carried * thrown, carried)
        ray = hit.spawn_ray(hit.to_world(sample.wo))
        # Dots by way of mirrors, glass and shiny coats are seen; those that paint scattered are too faint.
        active &= ~mi.has_flag(sample.sampled_type, mi.BSDFFlags.Diffuse)
        sharp = mi.has_flag(sample.sampled_type, mi.BSDFFlags.Delta)
        blurred |= ~sharp
        bounce += dr.select(sharp, mi.UInt32(0), mi.UInt32(1))
        step += 1
        active &= (bounce < 3) & (step < STEPS) & (dr.max(carried) > 1e-3)
    return total


_first = dr.syntax(_first_loop)
_passed = dr.syntax(_passed_loop)
_paths = dr.syntax(_paths_loop)
_dotted = dr.syntax(_dots_loop)

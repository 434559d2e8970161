"""Random networks, videos and sessions for parity fixtures. See make_parity.py."""

import contextlib
import copy
import random

import torch
import torch.nn.functional as F

from parity_reference import Session, build_model, run_image, run_stages

# Two runs of one step may differ by rounding only: far below what a swapped mask proposal or
# another object score's sign does, far above what kernels do to these networks.
MAX_MOVE = 0.02
# Decisions closer than this could fall differently in another implementation.
SCORE_MARGIN = 1e-3
IOU_MARGIN = 2e-4


def seed_weights(model, rng):
    """Random weights that keep activations near unit size through every layer."""
    for name, tensor in model.state_dict().items():
        noise = torch.randn(tensor.shape, generator=rng)
        if name.endswith("gamma"):
            value = 0.3 + 0.1 * noise
        elif tensor.dim() == 1 and name.endswith("weight"):
            value = 1 + 0.2 * noise
        elif name.endswith("bias"):
            value = 0.1 * noise
        elif "pos_embed" in name:
            value = 0.3 * noise
        elif "embed" in name and "patch_embed" not in name or "gaussian" in name:
            value = noise
        elif name.endswith("token.weight") or name.endswith("tokens.weight"):
            value = noise
        elif "sam_mask_decoder.transformer" in name and "attn" in name and tensor.dim() == 2:
            # sharper attention, so that prompts and memories reach the masks
            value = 2 * noise / tensor.shape[1] ** 0.5
        elif "output_upscaling" in name:  # transposed convolution: (in, out, kh, kw)
            value = noise / tensor.shape[0] ** 0.5
        elif tensor.dim() >= 2 and name.endswith("weight"):
            value = noise / tensor[0].numel() ** 0.5
        else:  # the memory's own tokens and encodings
            value = 0.5 * noise
        tensor.copy_(value)


def centre_outputs(model, pictures, video_size):
    """Scales and shifts the decoder's last layers by what they give on a short session.

    Then object scores change sign over time, the best proposal changes, and masks vary over the
    picture with logits of several units, so that a wrong memory is seen in them.
    """
    decoder = model.sam_mask_decoder
    height, width = video_size
    heads = {f"token{i}": mlp.layers[-1] for i, mlp in enumerate(decoder.output_hypernetworks_mlps)}
    heads["iou"] = decoder.iou_prediction_head.layers[-1]
    if model.pred_obj_scores:
        score_head = decoder.pred_obj_score_head
        heads["score"] = score_head.layers[-1] if hasattr(score_head, "layers") else score_head

    def collect():
        seen = {name: [] for name in [*heads, "feature", "mask"]}

        def watch(module, name, keep):
            return module.register_forward_hook(lambda _, __, out: seen[name].append(keep(out)))

        hooks = [watch(head, name, lambda out: out) for name, head in heads.items()]
        hooks.append(watch(decoder.output_upscaling[4], "feature", lambda out: out.mean((2, 3))))
        hooks.append(watch(decoder, "mask", lambda out: out[0].std((2, 3)).flatten()))
        session = Session(model, pictures, video_size)
        point = [0.4 * width, 0.5 * height]
        box = [0.3 * width, 0.2 * height, 0.8 * width, 0.7 * height]
        session.apply({"op": "add_points", "frame": 0, "obj": 1, "points": [point], "labels": [1]})
        session.apply({"op": "add_points", "frame": 1, "obj": 2, "box": box})
        session.apply({"op": "propagate"})
        for hook in hooks:
            hook.remove()
        return {name: torch.cat(values) for name, values in seen.items()}

    def scale(head, values, wanted):
        gain = float((wanted / values.std(0).mean().clamp(min=1e-4)).clamp(0.1, 100))
        head.bias.copy_((head.bias - values.median(0).values) * gain)
        head.weight *= gain

    for _ in range(4):  # what is remembered changes with every turn
        seen = collect()
        feature = seen["feature"].mean(0)
        gain = float((5 / seen["mask"].mean().clamp(min=1e-3)).clamp(0.2, 50))
        for name, head in heads.items():
            if name.startswith("token"):
                token = seen[name].mean(0)
                head.bias -= (token @ feature) / (feature @ feature) * feature
                head.weight *= gain
                head.bias *= gain
        scale(heads["iou"], seen["iou"], 1.0)
        if "score" in heads:
            scale(heads["score"], seen["score"], 1.5)


def shrink(state):
    """The weights in half precision, the large matrices as windows on one storage.

    The windows start a few values apart, so no two matrices are equal; the values are multiples
    of half their deviation, so that the file packs well.
    """
    large = [name for name, value in state.items() if value.numel() >= 4096 and value.dim() >= 2]
    apart = 97
    widest = max(large, key=lambda name: state[name].numel())
    pool = state[widest].flatten()
    pool = torch.cat([pool, pool.flip(0)[: apart * len(large)]])
    step = pool.std() / 2
    pool = (torch.round(pool / step) * step.half().float()).half()
    small = {name: value.half() for name, value in state.items()}
    for i, name in enumerate(large):
        shape = state[name].shape
        small[name] = pool[apart * i : apart * i + shape.numel()].view(shape)
    return small


def random_pictures(frames, height, width, rng):
    """(T, H, W, 3) uint8: soft discs moving over soft noise, with a little grain."""

    def noise(side):
        return torch.randn(1, 3, side, side, generator=rng)

    background = sum(
        F.interpolate(noise(side), (height, width), mode="bicubic", align_corners=False) * scale
        for side, scale in ((4, 40.0), (12, 20.0))
    )[0]
    ys, xs = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    discs = [torch.rand(8, generator=rng) for _ in range(4)]
    pictures = []
    for t in range(frames):
        picture = background + 120
        for d in discs:
            x = width * (d[0] + (d[1] - 0.5) * 1.2 * t / max(frames - 1, 1))
            y = height * (d[2] + (d[3] - 0.5) * 1.2 * t / max(frames - 1, 1))
            radius = (0.08 + 0.17 * d[4]) * min(height, width)
            inside = torch.sigmoid(radius - ((xs - x) ** 2 + (ys - y) ** 2).sqrt())
            picture = picture * (1 - inside) + inside * d[5:8, None, None] * 255
        picture = picture + 6 * torch.randn(picture.shape, generator=rng)
        pictures.append(picture.clamp(0, 255).to(torch.uint8).permute(1, 2, 0))
    return torch.stack(pictures).contiguous()


class Decisions:
    """Records what a model decides while it runs: object present or not, which proposal wins."""

    def __init__(self, model):
        self.taken, self.close = [], False
        decoder = model.sam_mask_decoder
        decoder.register_forward_hook(self._decoder)
        choose = decoder._dynamic_multimask_via_stability

        def watched(logits, ious):
            stable = (
                decoder._get_stability_scores(logits[:, 0:1])
                >= decoder.dynamic_multimask_stability_thresh
            )
            self.taken.append(stable.flatten().tolist())
            if not stable.all():
                self._best(ious[:, 1:])
            return choose(logits, ious)

        decoder._dynamic_multimask_via_stability = watched

    def _best(self, ious):
        top = ious.topk(2, dim=-1).values
        self.close |= bool(((top[:, 0] - top[:, 1]) < IOU_MARGIN).any())
        self.taken.append(ious.argmax(-1).tolist())

    def _decoder(self, _, __, answers):
        _, ious, _, score = answers
        if ious.shape[1] > 1:
            self._best(ious)
        self.close |= bool((score.abs() < SCORE_MARGIN).any())
        self.taken.append((score > 0).flatten().tolist())

    def take(self):
        taken, close = self.taken, self.close
        self.taken, self.close = [], False
        return taken, close


@contextlib.contextmanager
def other_kernels():
    """Two threads, no oneDNN and the unfused attention: the same numbers rounded otherwise."""
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with torch.backends.mkldnn.flags(enabled=False), torch.nn.attention.sdpa_kernel(
            torch.nn.attention.SDPBackend.MATH
        ):
            yield
    finally:
        torch.set_num_threads(threads)


class Witnesses:
    """One network three times: as it is, under other kernels, and with weights nudged by 1e-7.

    Whatever is kept in a fixture must come out the same from all three.
    """

    def __init__(self, config, state, rng):
        self.models = [build_model(config) for _ in range(3)]
        for model in self.models:
            model.load_state_dict(state)
        for tensor in self.models[2].state_dict().values():
            tensor *= 1 + 1e-7 * torch.randn(tensor.shape, generator=rng)
        self.decisions = [Decisions(model) for model in self.models]

    def run(self, calls):
        """Runs one callable per witness. Returns the answers and whether all three agree."""
        contexts = (contextlib.nullcontext(), other_kernels(), contextlib.nullcontext())
        answers = []
        for call, context in zip(calls, contexts):
            with context:
                answers.append(call())
        taken = [d.take() for d in self.decisions]
        agree = not taken[0][1] and all(t[0] == taken[0][0] for t in taken)
        return answers, agree


def moves(tensors, others):
    """Largest absolute difference by key."""
    return {
        key: float((value.double() - others[key].double()).abs().max())
        for key, value in tensors.items()
    }


def _same_masks(tensors, others):
    for key, value in tensors.items():
        other = others[key]
        if key.endswith("masks"):
            if ((value > 0) != (other > 0))[value.abs() > 0.02].any():
                return False
            if float((value - other).abs().max()) > MAX_MOVE:
                return False
    return True


def robust_parts(witnesses, stage_in, picture):
    """Stages and image answers with their rounding noise, or None where a decision is close."""
    parts = []
    for run, given in ((run_stages, stage_in), (run_image, picture)):
        answers, agree = witnesses.run(
            [lambda m=m: run(m, given) for m in witnesses.models]
        )
        if not agree or not all(_same_masks(answers[0], a) for a in answers[1:]):
            return None
        parts.append((answers[0], moves(answers[0], answers[1])))
    return parts


class SessionWriter:
    """Grows a random script step by step; a step that fails or is not robust is taken back."""

    def __init__(self, witnesses, pictures, video_size, seed):
        self.witnesses, self.video_size = witnesses, video_size
        self.frames = len(pictures)
        self.random = random.Random(seed)
        self.sessions = [Session(m, pictures, video_size) for m in witnesses.models]
        self.images = [s.state["images"] for s in self.sessions]
        for decisions in witnesses.decisions:
            decisions.take()
        self.steps, self.tensors, self.noise = [], {}, {}
        self.prompted = []  # (object, frame) pairs, for corrections on the same frame
        self.refused = 0

    def _point(self):
        height, width = self.video_size
        return [round(self.random.uniform(0, width), 2), round(self.random.uniform(0, height), 2)]

    def _box(self):
        (ax, ay), (bx, by) = self._point(), self._point()
        return [min(ax, bx), min(ay, by), max(ax, bx), max(ay, by)]

    def _target(self, max_objects):
        """A frame and an object: often one that was prompted before, sometimes a new object."""
        ids = self.sessions[0].obj_ids
        if self.prompted and self.random.random() < 0.35:
            return self.random.choice(self.prompted)
        known = ids and (len(ids) >= max_objects or self.random.random() < 0.6)
        new = self.random.choice([0, 1, 2, 3, 5, 7, 11, 42, 1000, 123456])
        return self.random.choice(ids) if known else new, self.random.randrange(self.frames)

    def propose(self, max_objects):
        ids = self.sessions[0].obj_ids
        kinds = {
            "propagate": 8 if ids else 0,
            "add_points": 9,
            "add_mask": 3,
            "clear_prompts": 3 if self.prompted else 0,
            "remove": 1 if len(ids) > 1 else 0.15 if ids else 0,
            "reset": 0.25 if ids else 0,
        }
        used = {step["op"] for step in self.steps}
        weights = [weight * (1 if kind in used else 2) for kind, weight in kinds.items()]
        op = self.random.choices(list(kinds), weights)[0]
        step = {"op": op}
        if op == "propagate":
            if self.random.random() < 0.6:
                step["start"] = self.random.randrange(self.frames)
            if self.random.random() < 0.35:
                step["max"] = self.random.randrange(self.frames)
            if self.random.random() < 0.6:
                step["reverse"] = self.random.random() < 0.75
        elif op in ("add_points", "add_mask"):
            obj, step["frame"] = self._target(max_objects)
            step["obj"] = obj
            if op == "add_mask":
                height, width = self.video_size
                x, y = (int(v) for v in self._point())
                empty = self.random.random() < 0.15
                largest = max(3, min(height, width) // 3)
                step["mask"] = [x, y, 0 if empty else self.random.randint(2, largest)]
            else:
                boxed = self.random.random() < 0.3
                if boxed:
                    step["box"] = self._box()
                if not boxed or self.random.random() < 0.4:
                    count = self.random.choice([1, 1, 1, 2, 3])
                    step["points"] = [self._point() for _ in range(count)]
                    step["labels"] = [self.random.choice([1, 1, 0]) for _ in range(count)]
                if not boxed and self.random.random() < 0.5:
                    step["clear_old"] = False
        elif op == "clear_prompts":
            step["obj"], step["frame"] = self.random.choice(self.prompted)
        elif op == "remove":
            step["obj"] = self.random.choice(ids)
        return step

    def draw(self, step):
        """The boolean mask of an add_mask step: a disc, or nothing where its radius is 0."""
        height, width = self.video_size
        x, y, radius = step["mask"]
        ys, xs = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
        return (xs - x) ** 2 + (ys - y) ** 2 < radius**2

    def add(self, step):
        """Runs a step on all witnesses; keeps it if it succeeds and they agree."""
        before = [
            copy.deepcopy(s.state, {id(images): images})
            for s, images in zip(self.sessions, self.images)
        ]
        mask = self.draw(step) if step["op"] == "add_mask" else None
        try:
            answers, agree = self.witnesses.run(
                [lambda s=s: s.apply(step, mask) for s in self.sessions]
            )
            agree = agree and all(_same_masks(answers[0][1], a[1]) for a in answers[1:])
        except (AssertionError, RuntimeError) as error:
            # An object without conditioning frames can be neither tracked nor corrected.
            if str(error) and "No input points or masks" not in str(error):
                raise
            for decisions in self.witnesses.decisions:
                decisions.take()
            agree = False
        if not agree:
            self.refused += 1
            for session, state in zip(self.sessions, before):
                session.state = state
            return False
        added, tensors = answers[0]
        index = len(self.steps)
        self.steps.append(
            {**step, "step": index, **{k: added[k] for k in ("obj_ids", "frames") if k in added}}
        )
        if mask is not None:
            self.tensors[f"step{index}/mask_input"] = mask
        for key, value in tensors.items():
            self.tensors[f"step{index}/{key}"] = value
        for key, value in moves(tensors, answers[1][1]).items():
            part = key.split("/")[-1]
            self.noise[part] = max(self.noise.get(part, 0.0), value)
        self._remember(step)
        return True

    def _remember(self, step):
        ids = self.sessions[0].obj_ids
        if step["op"] in ("add_points", "add_mask"):
            self.prompted.append((step["obj"], step["frame"]))
        elif step["op"] == "clear_prompts":
            gone = (step["obj"], step["frame"])
            self.prompted = [p for p in self.prompted if p != gone]
        self.prompted = [p for p in self.prompted if p[0] in ids]

    def grow(self, count, max_objects):
        """Adds random steps until there are `count`, the last a propagation that shows what the
        last prompts did (so sometimes a few more); gives up after many refusals."""
        while self.refused <= 2 * count + 20:
            if len(self.steps) >= count - 1 and self.add({"op": "propagate"}):
                return True
            self.add(self.propose(max_objects))
        return False


def variety(tensors):
    """Share of positive object scores and of positive mask pixels where an object is present."""
    scores = [float(v) for k, v in tensors.items() if k.endswith("object_score")]
    present = sum(s > 0 for s in scores) / max(len(scores), 1)
    logits = torch.cat(
        [v[v.amax((1, 2, 3)) > -1000].flatten() for k, v in tensors.items() if k.endswith("masks")]
        or [torch.zeros(1)]
    )
    return present, float((logits > 0).float().mean()) if logits.numel() else 0.0

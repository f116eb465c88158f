"""The training loop: songs in, the weights of the best epoch out.

All of an epoch's randomness follows from (seed, epoch), and the state after each epoch is on disk: a run that
is interrupted and resumed ends with the same weights as one that is not. It looks at no test list.
"""

import copy
import json
import math
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from shared.errors import SetupError, TrainingStopped
from worker.model import Size, build_model
from worker.training.learning.augment import augment, mixed
from worker.training.learning.branches import answers, branch_heads
from worker.training.learning.recipe import Recipe
from worker.training.learning.schedule import cosine, make_optimizer, make_plateau
from worker.training.learning.scores import score
from worker.training.learning.state import Progress, epochs_without_gain, restore, save
from worker.training.songs.songs import Songs, epoch_generator

PREDICTED_AT_ONCE = 16  # windows, whether of many short songs or of a long one


def train(  # noqa: PLR0913  # what a run is made of, all by keyword
    *,
    recipe: Recipe,
    code: str = "",
    sizes: dict[str, Size],
    songs: Songs,
    valid: Songs,
    run: Path,
    device: torch.device,
    resume: bool = False,
    report: Callable[[Progress], None] = lambda _: None,
) -> Progress:
    """Train until the epochs or the patience end; `run`/state.pt is where it is after each epoch.

    code: hash of what decides the weights; a run of other code is not gone on with.
    report: told after each epoch, and at once of a run that is gone on with.
    TrainingStopped where the loss is not finite; the state on disk is then that of the last good epoch.
    """
    if len(songs) < 2 or not len(valid):
        raise SetupError(f"{len(songs)} songs to train on and {len(valid)} for validation are too few.")
    progress = _begin(recipe, code, sizes, songs, valid, device)
    state = run / "state.pt"
    if resume and state.exists():
        restore(progress, state)
        report(progress)
    while progress.epoch < recipe.epochs and not _stagnant(progress, recipe):
        _epoch(progress, recipe, songs, valid, device)
        save(progress, state)
        report(progress)
    return progress


def predict(model: nn.Module, songs: Songs, device: torch.device, *, seed: int) -> Tensor:
    """Logits (songs, genres), of a song with several windows their mean, as the service gives it.

    What has to be drawn follows from the seed, the same after every epoch, so that epochs can be compared.
    """
    model.eval()
    answers: list[Tensor] = []
    waiting: list[Tensor] = []  # songs, each (windows, frames, bands)
    with torch.inference_mode():
        for row in range(len(songs)):
            waiting.append(songs.whole(row, seed=seed))
            if sum(map(len, waiting)) < PREDICTED_AT_ONCE and row < len(songs) - 1:
                continue
            batches = torch.split(torch.cat(waiting), PREDICTED_AT_ONCE)
            logits = torch.cat([model(batch.unsqueeze(1).to(device)).float().cpu() for batch in batches])
            sizes = [len(windows) for windows in waiting]
            answers += [each.mean(dim=0) for each in torch.split(logits, sizes)]
            waiting = []
    return torch.stack(answers)


def _epoch(progress: Progress, recipe: Recipe, songs: Songs, valid: Songs, device: torch.device) -> None:
    """Train on all songs once, validate, keep the weights if they are the best."""
    began = time.monotonic()
    loss = _train_epoch(progress, recipe, songs, device)
    logits = predict(progress.average, valid, device, seed=recipe.seed)
    if not logits.isfinite().all():
        raise TrainingStopped(f"The network's answers after epoch {progress.epoch + 1} are not finite.")
    scores = score(logits, valid.labels, valid.genres)
    progress.epoch += 1
    row = {
        "epoch": float(progress.epoch),
        "learning_rate": progress.optimizer.param_groups[0]["lr"],
        "train_loss": loss,
        "valid_nll": scores.nll,
        "valid_accuracy": scores.accuracy,
        "valid_macro_f1": scores.macro_f1,
        "seconds": time.monotonic() - began,
    }
    progress.history.append(row)
    if progress.best is row:
        progress.best_weights = {k: v.clone() for k, v in progress.average.state_dict().items()}
        progress.best_logits = logits
    if progress.plateau is not None:
        progress.plateau.step(scores.accuracy)


def _train_epoch(progress: Progress, recipe: Recipe, songs: Songs, device: torch.device) -> float:
    """One pass over the songs; the mean loss in nats."""
    generator = epoch_generator(recipe.seed, progress.epoch)
    torch.manual_seed(generator.initial_seed())  # dropout draws from the global generator
    shuffled = torch.split(torch.randperm(len(songs), generator=generator), recipe.batch_size)
    batches = [rows for rows in shuffled if len(rows) > 1]  # batch norm has no variance of one song
    progress.model.train()
    total = 0.0
    for step, rows in enumerate(batches):
        windows = augment(songs.draw(rows, generator, spread=recipe.fill_scale), recipe, generator)
        windows = _cropped(windows, recipe, progress.epoch, generator)
        targets = _soft(songs.labels[rows], len(songs.genres), recipe.label_smoothing)
        windows, targets = mixed(windows, targets, recipe.mixup, generator)
        if recipe.schedule == "cosine":
            for group in progress.optimizer.param_groups:
                group["lr"] = cosine(recipe, progress.epoch + (step + 1) / len(batches))
        progress.optimizer.zero_grad()
        with torch.autocast(device.type, torch.bfloat16, enabled=recipe.precision == "bfloat16"):
            given = answers(progress.model, progress.heads, windows.unsqueeze(1).to(device))
        joint, *alone = (F.cross_entropy(logits.float(), targets.to(device)) for logits in given)
        loss = joint + recipe.branch_loss * sum(alone)
        nats = float(joint.detach())
        if not math.isfinite(nats):
            raise TrainingStopped(f"The loss of epoch {progress.epoch + 1} is {nats}.")
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        if recipe.gradient_norm:
            nn.utils.clip_grad_norm_(progress.learning.parameters(), recipe.gradient_norm)
        progress.optimizer.step()
        _follow(progress.average, progress.model, recipe.average_decay)
        total += nats * len(rows)
    return total / sum(len(rows) for rows in batches)


def _cropped(windows: Tensor, recipe: Recipe, epoch: int, generator: torch.Generator) -> Tensor:
    """The part of the windows that this epoch learns from, from the same frame on in a batch."""
    frames = windows.shape[1]
    kept = min(recipe.crop_frames or frames, frames)
    if epoch >= recipe.epochs * (1 - recipe.whole_share) or kept == frames:
        return windows
    first = int(torch.randint(0, frames - kept + 1, (), generator=generator))
    return windows[:, first : first + kept]


def _begin(
    recipe: Recipe, code: str, sizes: dict[str, Size], songs: Songs, valid: Songs, device: torch.device
) -> Progress:
    torch.manual_seed(recipe.seed)
    model = build_model(recipe.architecture, sizes).to(device)
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch types only the 4-D case
    heads = branch_heads(model, recipe).to(device)
    optimizer = make_optimizer(nn.ModuleList([model, heads]), recipe)
    return Progress(
        model=model,
        heads=heads,
        average=copy.deepcopy(model),
        optimizer=optimizer,
        plateau=make_plateau(optimizer, recipe),
        origin={
            "architecture": recipe.architecture,
            "code": code,
            "sizes": json.dumps(sizes, sort_keys=True),
            "songs to train on": songs.sha256(),
            "songs for validation": valid.sha256(),
        },
    )


@torch.no_grad()
def _follow(average: nn.Module, model: nn.Module, decay: float) -> None:
    """Move the average one step towards the model; counters are copied."""
    current = model.state_dict()
    for name, kept in average.state_dict().items():
        if kept.is_floating_point():
            kept.lerp_(current[name], 1 - decay)
        else:
            kept.copy_(current[name])


def _soft(labels: Tensor, genres: int, smoothing: float) -> Tensor:
    """Targets (batch, genres) that leave `smoothing` for all genres alike."""
    return F.one_hot(labels, genres).float() * (1 - smoothing) + smoothing / genres


def _stagnant(progress: Progress, recipe: Recipe) -> bool:
    if not (recipe.patience and progress.history):
        return False
    return epochs_without_gain(progress.history) >= recipe.patience

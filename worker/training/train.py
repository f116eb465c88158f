"""The training loop: songs in, the weights of the best epoch out.

All of an epoch's randomness follows from (seed, epoch), and the state after each epoch is on disk: a run that
is interrupted and resumed ends with the same weights as one that is not. It looks at no test list.
"""

import copy
import csv
import math
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from worker.model import Size, build_model
from worker.training.augment import augment, mixed
from worker.training.recipe import Recipe
from worker.training.scores import score
from worker.training.songs import Songs, epoch_generator
from worker.training.state import Progress, Row, restore, save

PREDICTED_AT_ONCE = 16  # songs


def train(
    *,
    recipe: Recipe,
    sizes: dict[str, Size],
    songs: Songs,
    valid: Songs,
    run: Path,
    device: torch.device,
    resume: bool = False,
    report: Callable[[Row], None] = lambda _: None,
) -> Progress:
    """Train in the folder `run` (`state.pt`, `metrics.csv`) until the epochs or the patience end."""
    progress = _begin(recipe, sizes, device)
    state = run / "state.pt"
    if resume and state.exists():
        restore(progress, state)
    while progress.epoch < recipe.epochs and not _stagnant(progress, recipe):
        began = time.monotonic()
        loss = _train_epoch(progress, recipe, songs, device)
        logits = predict(progress.average, valid, device, seed=recipe.seed)
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
        save(progress, state)
        _write_metrics(progress.history, run / "metrics.csv")
        report(row)
    return progress


def predict(model: nn.Module, songs: Songs, device: torch.device, *, seed: int) -> Tensor:
    """Logits (songs, genres), of a song with several windows their mean, as the service gives it.

    What has to be drawn follows from the seed, the same after every epoch, so that epochs can be compared.
    """
    model.eval()
    answers = []
    with torch.inference_mode():
        for rows in torch.split(torch.arange(len(songs)), PREDICTED_AT_ONCE):
            whole = [songs.whole(int(row), seed=seed) for row in rows]
            logits = model(torch.cat(whole).unsqueeze(1).to(device)).float().cpu()
            answers += [each.mean(dim=0) for each in logits.split([len(windows) for windows in whole])]
    return torch.stack(answers)


def learning_rate(recipe: Recipe, epochs: float) -> float:
    """After this many epochs, fractions too: a straight rise, then half a cosine down to 0."""
    if epochs < recipe.warmup_epochs:
        return recipe.learning_rate * epochs / recipe.warmup_epochs
    left = (epochs - recipe.warmup_epochs) / max(1, recipe.epochs - recipe.warmup_epochs)
    return recipe.learning_rate * 0.5 * (1 + math.cos(math.pi * min(1.0, left)))


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
        targets = _soft(songs.labels[rows], len(songs.genres), recipe.label_smoothing)
        windows, targets = mixed(windows, targets, recipe.mixup, generator)
        for group in progress.optimizer.param_groups:
            group["lr"] = learning_rate(recipe, progress.epoch + (step + 1) / len(batches))
        progress.optimizer.zero_grad()
        with torch.autocast(device.type, torch.bfloat16, enabled=recipe.precision == "bfloat16"):
            logits = progress.model(windows.unsqueeze(1).to(device))
        loss = F.cross_entropy(logits.float(), targets.to(device))
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        nn.utils.clip_grad_norm_(progress.model.parameters(), 1.0)
        progress.optimizer.step()
        _follow(progress.average, progress.model, recipe.average_decay)
        total += float(loss.detach()) * len(rows)
    return total / sum(len(rows) for rows in batches)


def _begin(recipe: Recipe, sizes: dict[str, Size], device: torch.device) -> Progress:
    torch.manual_seed(recipe.seed)
    model = build_model(recipe.architecture, sizes).to(device)
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch types only the 4-D case
    # Decay pulls weights towards 0; gains and biases (vectors) have another natural value.
    parameters = list(model.parameters())
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": recipe.weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=recipe.learning_rate)
    return Progress(model=model, average=copy.deepcopy(model), optimizer=optimizer)


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
    return bool(progress.history) and progress.epoch - progress.best["epoch"] >= recipe.patience


def _write_metrics(history: list[Row], path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(history[0]))
        writer.writeheader()
        writer.writerows({key: round(value, 6) for key, value in row.items()} for row in history)

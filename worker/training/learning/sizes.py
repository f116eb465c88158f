"""What a recipe says of its network -> the sizes that the architecture takes.

Numbers alone: no network is built here.
"""

from collections.abc import Sequence

from shared.errors import SetupError
from worker.checkpoint import GENRES
from worker.model import ARCHITECTURES, FEWEST_FRAMES, RELEASED_SIZES, Size
from worker.training.learning.recipe import Recipe

OURS = ("width", "kernel", "gru_units", "gru_summary", "dropout")
"""Of a recipe, what the original network has as its report prints it."""


def check_network(recipe: Recipe) -> None:
    """SetupError where the network cannot be as the recipe has it, whatever the genres are."""
    if recipe.architecture not in ARCHITECTURES:
        raise SetupError(
            f"No architecture is called {recipe.architecture!r}; there are {', '.join(ARCHITECTURES)}."
        )
    if recipe.architecture == "pcrnn-original":
        _check_original(recipe)
        return
    if recipe.kernel % 2 == 0:
        raise SetupError(f"kernel is {recipe.kernel}; it must be odd, so that it has a middle.")
    if 0 < recipe.crop_frames < FEWEST_FRAMES:
        raise SetupError(
            f"crop_frames is {recipe.crop_frames}; the network hears nothing of fewer than {FEWEST_FRAMES}, "
            "and 0 is whole windows."
        )


def sizes_of(recipe: Recipe, genres: tuple[str, ...]) -> dict[str, Size]:
    """The sizes for these genres; SetupError where there can be no such network."""
    check_network(recipe)
    if recipe.architecture == "pcrnn-original":
        if genres != GENRES:
            raise SetupError(
                f"{recipe.architecture} knows the ten genres of GTZAN alone: {', '.join(GENRES)}."
            )
        return {}
    return dict(RELEASED_SIZES) | {
        "genres": len(genres),
        "channels": [max(1, round(recipe.width * each)) for each in _channels()],
        "kernel": recipe.kernel,
        "gru_units": recipe.gru_units,
        "summary": recipe.gru_summary,
        "dropout": recipe.dropout,
    }


def _check_original(recipe: Recipe) -> None:
    """SetupError where it would have to be another network than the report's."""
    for key in OURS:
        if getattr(recipe, key) != getattr(Recipe, key):
            raise SetupError(f"{recipe.architecture} is what its report prints: it takes no other {key}.")
    if recipe.branch_loss:
        raise SetupError(f"{recipe.architecture} has no answers of its branches: it takes no branch_loss.")
    if recipe.crop_frames:
        raise SetupError(f"{recipe.architecture} takes whole windows alone: it takes no crop_frames.")


def _channels() -> Sequence[int]:
    channels = RELEASED_SIZES["channels"]
    assert isinstance(channels, Sequence)
    assert not isinstance(channels, str)
    return channels

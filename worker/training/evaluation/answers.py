"""Whether an evaluation gives each song the answer that a file of figures holds.

Compares; it computes no answer.
"""

import json
from pathlib import Path
from typing import Any

from shared.errors import SetupError

TOLERANCE = 1e-4  # of a probability: other processors round otherwise

Json = dict[str, Any]  # what the JSON of an evaluation holds


def read_evaluation(path: Path) -> Json:
    """The figures in this file; SetupError where it holds no answers to songs."""
    try:
        evaluation = json.loads(path.read_text(encoding="utf-8"))
        if not any("songs" in each for each in evaluation["lists"].values()):
            raise ValueError
    except OSError as error:
        raise SetupError(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SetupError(
            f"{path} holds no answers to songs; `genrewiz evaluate --json` writes them."
        ) from error
    return evaluation  # type: ignore[no-any-return]  # JSON is Any


def check_reproduced(evaluation: Json, expected: Json, *, source: str) -> int:
    """How many songs have the same answers in both; SetupError names the first that has another.

    Of the lists that both hold; there must be one.
    """
    if evaluation["fill_seed"] != expected.get("fill_seed"):
        raise SetupError(f"{source} was made with --seed {expected.get('fill_seed')}.")
    common = [
        name for name, each in expected["lists"].items() if "songs" in each and name in evaluation["lists"]
    ]
    if not common:
        raise SetupError(f"{source} holds none of the lists {', '.join(evaluation['lists'])}.")
    try:
        for name in common:
            _check_list(name, evaluation["lists"][name]["songs"], expected["lists"][name]["songs"], source)
    except (KeyError, TypeError, ValueError) as error:
        raise SetupError(f"{source} holds answers of another form.") from error
    return sum(len(expected["lists"][name]["songs"]) for name in common)


def _check_list(name: str, found: list[Json], expected: list[Json], source: str) -> None:
    answers = {song["name"]: song for song in found}
    for song in expected:
        answer = answers.pop(song["name"], None)
        if answer is None:
            raise SetupError(f"{song['name']} of {name} in {source} was not scored here.")
        if (answer["genre"], answer["label"]) != (song["genre"], song["label"]):
            raise SetupError(
                f"{song['name']} of {name} is {answer['genre']} and called {answer['label']} here; "
                f"in {source} it is {song['genre']} and called {song['label']}."
            )
        off = max(
            abs(here - there)
            for here, there in zip(answer["probabilities"], song["probabilities"], strict=True)
        )
        if not off <= TOLERANCE:
            raise SetupError(f"{song['name']} of {name} has a probability that is {off:.5f} off {source}.")
    if answers:
        raise SetupError(f"{next(iter(answers))} of {name} is not in {source}.")

"""docs/evaluation.json -> the figures beside the released checkpoint, which GET /models shows.

It measures nothing: each number is one that the evaluation has.
"""

from typing import Any

from shared.model_card import Figures, GenreFigures, ListFigures, Measured, OverSeeds, Threshold


def served_figures(evaluation: dict[str, Any]) -> str:
    """The text of the file; `evaluation` is as the JSON reads back, rounded."""
    recommended = evaluation["recommended"]
    figures = Figures(
        sha256=evaluation["checkpoint"]["sha256"],
        measured=Measured(
            lists=tuple(_list(name, each) for name, each in evaluation["lists"].items()),
            recommended=Threshold(**{name: recommended["test"][name] for name in Threshold.model_fields})
            if recommended
            else None,
            accuracy_over_seeds=OverSeeds(
                **{name: evaluation["over_seeds"]["accuracy"][name] for name in OverSeeds.model_fields}
            ),
        ),
    )
    return figures.model_dump_json(indent=1) + "\n"


def _list(name: str, report: dict[str, Any]) -> ListFigures:
    scores, intervals = report["scores"], report["intervals"]
    shown = {key: scores[key] for key in ListFigures.model_fields if key in scores and key != "genres"}
    return ListFigures(
        list=name,
        accuracy_interval=intervals["accuracy"],
        macro_f1_interval=intervals["macro_f1"],
        genres=tuple(GenreFigures(genre=genre, **figures) for genre, figures in scores["genres"].items()),
        **shown,
    )

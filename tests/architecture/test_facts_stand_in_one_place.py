"""Documentation and tables say what the code says."""

import csv
import json
import re
from collections import Counter
from pathlib import Path
from statistics import mean

import pytest

import shared.errors
from api.commands import openapi
from api.errors import HTTP_STATUS
from faults.oracle import spread
from shared.errors import GenreWizError, JobFailure, NoRoom, RequestError
from shared.model_card import RELEASED, figures_path, read_model_card
from shared.names import BROKER_QUEUES
from shared.settings import PREFIX, Settings
from worker.training.release.ablations import FIGURES, LAST
from worker.training.release.ablations_page import ablations_page
from worker.training.release.publication_page import card_figures, publication_page, with_figures
from worker.training.release.served_figures import served_figures

CHECKOUT = Path(__file__).parents[2]


def all_errors() -> list[type[GenreWizError]]:
    return [
        kind
        for kind in vars(shared.errors).values()
        if isinstance(kind, type) and issubclass(kind, GenreWizError)
    ]


def test_every_setting_is_described_and_nothing_else_is():
    table = (CHECKOUT / "docs" / "operations.md").read_text()

    described = set(re.findall(rf"^\| `({PREFIX}\w+)`", table, re.MULTILINE))

    assert described == {PREFIX + name.upper() for name in Settings.model_fields}


def test_every_default_in_the_table_of_settings_is_the_one_in_the_code():
    table = (CHECKOUT / "docs" / "operations.md").read_text()
    rows = dict(re.findall(rf"^\| `{PREFIX}(\w+)` \| `([^`]*)`", table, re.MULTILINE))

    for name, field in Settings.model_fields.items():
        if field.default_factory is None and field.default not in (None, ()):
            several = isinstance(field.default, tuple)
            default = ",".join(map(str, field.default)) if several else str(field.default)
            assert rows[name.upper()] == (default.lower() if isinstance(field.default, bool) else default), (
                name
            )


def test_every_error_that_a_request_can_meet_has_an_http_status():
    public = {kind for kind in all_errors() if issubclass(kind, RequestError)} - {RequestError, NoRoom}

    assert public <= set(HTTP_STATUS)


def test_error_codes_are_stable_names_and_none_stands_twice():
    codes = [kind.code for kind in all_errors() if kind not in (RequestError, JobFailure, GenreWizError)]

    assert all(re.fullmatch(r"[a-z_]+", code) for code in codes)
    assert len({code for code in codes if code != "internal_error"}) == len(
        [code for code in codes if code != "internal_error"]
    )


def test_every_route_and_error_code_stands_in_the_readme():
    readme = (CHECKOUT / "README.md").read_text()

    for route in (
        "POST /jobs",
        "GET /jobs/<id>",
        "POST /jobs/<id>/cancel",
        "GET /livez",
        "GET /readyz",
        "/metrics",
    ):
        assert route in readme
    for kind in all_errors():
        if issubclass(kind, JobFailure) and kind is not JobFailure:
            assert kind.code in readme, kind.code


def test_each_queue_of_the_broker_has_one_name():
    assert len(set(BROKER_QUEUES)) == len(BROKER_QUEUES) == 8


@pytest.mark.parametrize(("page", "at_least"), [("docs/security.md", 30), ("README.md", 10)])
def test_every_test_that_a_page_names_is_there(page, at_least):
    text = (CHECKOUT / page).read_text()
    tests = "\n".join(path.read_text() for path in (CHECKOUT / "tests").rglob("test_*.py"))

    named = set(re.findall(r"`(test_\w+)`", text))

    assert len(named) >= at_least
    assert {name for name in named if f"def {name}(" not in tests} == set()


def evaluation() -> dict:
    return json.loads((CHECKOUT / "docs" / "evaluation.json").read_text())


def test_the_page_of_the_evaluation_is_what_its_figures_say():
    page = (CHECKOUT / "docs" / "evaluation.md").read_text()

    assert page == publication_page(evaluation())


def test_the_page_of_the_ablations_is_what_its_figures_say():
    page = (CHECKOUT / "docs" / "ablations.md").read_text()

    assert page == ablations_page(json.loads((CHECKOUT / "docs" / "ablations.json").read_text()))


@pytest.mark.parametrize(
    ("run", "what", "seed"),
    [
        *(("seed", "the released recipe", seed) for seed in (0, 1)),
        *(("no-mixup", "no mixup (`--set mixup=0`)", seed) for seed in (0, 1)),
        *(("no-average", "no weight averaging (`--set average_decay=0`)", seed) for seed in (0, 1)),
    ],
)
def test_the_trainings_of_full_length_are_told_as_their_epochs_were(run, what, seed):
    text = (CHECKOUT / "docs" / "training" / f"{run}-{seed}.csv").read_text()
    epochs = list(csv.DictReader(text.splitlines()))
    accuracy, macro_f1, nll = (
        mean(float(epoch[f"valid_{name}"]) for epoch in epochs[-LAST:]) for name in FIGURES
    )
    told = [what, seed, len(epochs), f"{100 * accuracy:.1f} %", f"{100 * macro_f1:.1f} %", f"{nll:.3f}"]

    rows = (CHECKOUT / "docs" / "experiments.md").read_text().splitlines()

    assert list(map(str, told)) in [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def test_the_figures_in_the_model_card_are_those_of_the_evaluation():
    card = (CHECKOUT / "docs" / "model-card.md").read_text()

    assert card == with_figures(card, card_figures(evaluation()))


def test_the_figures_that_are_served_are_those_of_the_evaluation_and_of_the_released_checkpoint():
    served = figures_path(RELEASED).read_text()

    assert served == served_figures(evaluation())
    assert read_model_card(RELEASED).measured is not None


def test_the_parameters_that_are_served_are_those_that_were_counted():
    assert read_model_card(RELEASED).parameters == evaluation()["parameters"]


def test_the_api_is_described_as_it_is_and_make_openapi_wrote_it(tmp_path):
    openapi(tmp_path / "openapi.json")

    assert (tmp_path / "openapi.json").read_bytes() == (CHECKOUT / "docs" / "openapi.json").read_bytes()


def test_every_picture_of_the_evaluation_is_there_and_on_its_page():
    folder = CHECKOUT / "docs" / "evaluation"
    page = (CHECKOUT / "docs" / "evaluation.md").read_text()

    drawn = {picture.name for picture in folder.iterdir()}

    assert drawn == set(evaluation()["pictures"])
    assert drawn == set(re.findall(r"\]\(evaluation/([^)]*)\)", page))


def test_every_figure_of_quality_in_the_readme_is_that_of_the_evaluation():
    readme = " ".join((CHECKOUT / "README.md").read_text().split())
    figures = evaluation()
    seeds, folds = figures["over_seeds"]["accuracy"], figures["over_folds"]["accuracy"]
    low, high = (100 * bound for bound in seeds["interval"])
    real, original = figures["fold1_real_audio"], figures["original_recipe"]["lists"]["test_filtered"]
    least, most = (100 * bound for bound in figures["lists"]["test_filtered"]["scores"]["ece_if_calibrated"])

    for name in ("test_filtered", "real_audio_outside_train"):
        scores = figures["lists"][name]["scores"]
        shares = [f"{100 * scores[share]:.1f}" for share in ("accuracy", "macro_f1", "top_3", "ece")]
        assert f"| {scores['songs']} | {' | '.join(shares)} |" in readme
    for words in (
        f"have {100 * seeds['mean']:.1f} on the test list",
        f"(95 per cent interval of the mean {low:.1f}-{high:.1f})",
        f"in common {100 * folds['mean']:.1f}, and {100 * real['scores']['accuracy']:.1f} on the 90 songs",
        f"(one seed), has {100 * original['scores']['accuracy']:.1f} on the test list",
        f"between {least:.1f} and {most:.1f}",
    ):
        assert words in readme, words


def test_what_the_readme_says_of_the_webhooks_soak_is_what_it_found():
    readme = " ".join((CHECKOUT / "README.md").read_text().split())
    found = json.loads((CHECKOUT / "docs" / "faults.json").read_text())["webhooks"]
    verdict, lags = found["verdict"], found["lags"]["good"]

    assert (verdict["lost"], verdict["promised"]) == (0, verdict["arrived"])
    assert (
        f"each of {verdict['promised']} ends reached its receiver; {verdict['duplicates']} came twice"
        in readme
    )
    assert f"p50 {lags['p50']:.2f} s, p99 {lags['p99']:.2f} s" in readme


def test_the_evaluation_is_that_of_the_checkpoint_which_is_released():
    evaluated = evaluation()["checkpoint"]

    released = (CHECKOUT / "worker" / "checkpoints" / "pcrnn.safetensors.sha256").read_text()

    assert evaluated["sha256"] == released.split()[0]


def test_every_figure_of_speed_in_the_readme_is_that_of_the_benchmarks():
    readme = (CHECKOUT / "README.md").read_text()
    measured = json.loads((CHECKOUT / "docs" / "benchmarks.json").read_text())

    for group, name, digits in (
        ("startup", "api_seconds", 1),
        ("startup", "worker_seconds_without_torch", 1),
        ("startup", "importing_torch_seconds", 1),
        ("overhead", "service_to_loop_ratio", 2),
        ("overhead", "service_cpu_seconds_per_job", 3),
        ("overhead", "loop_cpu_seconds_per_job", 3),
        ("overhead", "worker_idle_cpu_percent", 2),
        ("overhead", "api_idle_cpu_percent", 2),
        ("overhead", "redis_idle_cpu_percent", 2),
        ("pipelines", "speed_up", 2),
        ("sandbox", "cpu_seconds_added", 3),
        ("window", "cpu_milliseconds", 1),
        ("window", "original_cpu_milliseconds", 1),
        ("recovery", "cpu_milliseconds_per_job", 1),
        ("long_queue", "accept_ratio", 2),
        ("long_queue", "bytes_per_job", 0),
        ("http_get", "queued_to_bare_ratio", 2),
        ("http_get", "finished_to_bare_ratio", 2),
        ("http_upload", "to_bare_ratio", 2),
        ("http_streams", "many_jobs_p99_ratio", 2),
        ("http_streams", "many_jobs_telling_p99_ratio", 2),
        ("http_streams", "one_job_telling_p99_ratio", 2),
        ("http_memory", "megabytes_grown", 1),
        ("webhook_throughput", "dispatcher_one_receiver_per_second", 0),
        ("webhook_throughput", "dispatcher_fifty_receivers_per_second", 0),
        ("webhook_throughput", "one_receiver_ratio_to_loop", 2),
        ("webhook_throughput", "one_receiver_ratio_to_session", 2),
        ("webhook_throughput", "fifty_receivers_ratio_to_loop", 2),
        ("webhook_claims", "claim_one_lane_all_p50_milliseconds", 2),
        ("webhook_claims", "claim_one_lane_few_p50_milliseconds", 2),
        ("webhook_claims", "claim_one_lane_all_p99_milliseconds", 2),
        ("webhook_claims", "claim_one_lane_few_p99_milliseconds", 2),
        ("webhook_black_hole", "black_hole_p99_ratio", 2),
    ):
        assert f"| {measured[group][name]:.{digits}f} |" in readme, name


def recorded_faults() -> tuple[dict[str, int], list[dict]]:
    """What the soak did and counted, and its recoveries with nothing else going on."""
    runs = json.loads((CHECKOUT / "docs" / "faults.json").read_text())["runs"]
    counts: Counter[str] = Counter()
    for run in runs:
        verdict = run["verdict"]
        counts.update(verdict["faults"])
        counts.update({name: verdict[name] for name in ("accepted", "lost", "twice", "unexpected")})
        counts["minutes"] += run["seconds"] // 60
    return counts, [back for run in runs for back in run["recoveries"] if back["undisturbed"]]


def test_every_figure_of_faults_in_the_readme_is_that_of_the_soak():
    readme = " ".join((CHECKOUT / "README.md").read_text().split())
    counts, alone = recorded_faults()
    networks = sum(counts[kind] for kind in ("black_hole", "half_open", "reset", "latency", "refuse"))
    kills = spread([back["seconds"] for back in alone if back["kind"] == "worker_kill"])

    assert (counts["lost"], counts["twice"], counts["unexpected"]) == (0, 0, 0)
    for words in (
        f"{counts['minutes']} minutes of all faults at random",
        f"{counts['worker_kill']} killed workers",
        f"{counts['redis_kill']} killed Redis",
        f"{counts['api_kill']} killed apis",
        f"{counts['freeze']} frozen workers",
        f"{networks} broken networks",
        f"{counts['accepted']:,} jobs was lost",
        f"after {kills.p50:.1f} s (p50) and {kills.p99:.1f} s (p99)",
    ):
        assert words in readme


def test_recovery_in_the_soak_was_as_quick_as_the_readme_promises():
    _, alone = recorded_faults()

    for kind, seconds in (
        ("worker_kill", 20),
        ("redis_up", 35),
        ("black_hole", 45),
        ("half_open_healed", 45),
    ):
        assert spread([back["seconds"] for back in alone if back["kind"] == kind]).p99 <= seconds, kind

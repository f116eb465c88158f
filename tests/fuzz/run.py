"""`make fuzz`: damaged files of every format through the worker's pipeline, until the count is full.

Fails (1) where a file ended in anything but an answer or a typed error, or took over ten seconds, and where
a worker grew, lost descriptors or left processes. Every such file is kept in tests/fuzz/seeds.
"""

import argparse
import sys
from collections import Counter
from dataclasses import dataclass, field

from fuzz.campaign import SLOW_SECONDS, Campaign, Ending, WorkerReport, keep

_PROGRESS_EVERY = 500  # files


@dataclass
class Tally:
    """What has come in so far."""

    count: int
    outcomes: Counter[str] = field(default_factory=Counter)
    by_format: dict[str, Counter[str]] = field(default_factory=dict)
    bad: list[Ending] = field(default_factory=list)
    slowest: Ending | None = None

    def add(self, ending: Ending) -> None:
        """Counts it, and tells of progress now and then."""
        self.outcomes[ending.outcome] += 1
        self.by_format.setdefault(ending.name, Counter())[ending.outcome] += 1
        if ending.is_bad:
            self.bad.append(ending)
        if self.slowest is None or ending.seconds > self.slowest.seconds:
            self.slowest = ending
        done = self.outcomes.total()
        if done % _PROGRESS_EVERY == 0:
            print(f"{done:>7,} of {self.count:,}, {len(self.bad)} bad", flush=True)


def main() -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    campaign = Campaign(count=arguments.count, seed=arguments.seed, workers=arguments.workers)
    tally = Tally(count=campaign.count)
    reports, orphans = campaign.run(tally.add)
    _show(tally)
    complaints = _complaints(tally, campaign, reports, orphans)
    print(
        "\n".join(complaints) or "Every file ended in an answer or in a typed error; nothing was left behind."
    )
    return 1 if complaints else 0


def _show(tally: Tally) -> None:
    codes = sorted(tally.outcomes)
    print(f"\n{'format':<16}" + "".join(f"{code:>20}" for code in codes))
    for name, outcomes in sorted(tally.by_format.items()):
        print(f"{name:<16}" + "".join(f"{outcomes[code]:>20,}" for code in codes))
    print(f"{'all':<16}" + "".join(f"{tally.outcomes[code]:>20,}" for code in codes))
    if slow := tally.slowest:
        print(f"slowest: number {slow.number} ({slow.name}), {slow.seconds:.2f} s")


def _complaints(tally: Tally, campaign: Campaign, reports: list[WorkerReport], orphans: int) -> list[str]:
    found = []
    for ending in tally.bad:
        path = keep(ending, seed=campaign.seed)
        why = f"took over {SLOW_SECONDS:g} s" if ending.seconds > SLOW_SECONDS else ending.outcome
        found.append(f"number {ending.number} ({ending.name}): {why}; kept as {path.name}")
    if len(reports) != campaign.workers:
        found.append(f"{campaign.workers - len(reports)} workers died")
    for report in reports:
        warm, last = report.warm, report.last
        print(
            f"worker: {warm.resident_bytes / 2**20:.1f} MiB when warm, "
            f"{last.resident_bytes / 2**20:.1f} at the end; {warm.descriptors} descriptors, "
            f"then {last.descriptors}; {last.children} children left"
        )
        found += [f"a worker {complaint}" for complaint in report.complaints()]
    if orphans:
        found.append(f"{orphans} processes were left without a parent")
    return found


if __name__ == "__main__":
    sys.exit(main())

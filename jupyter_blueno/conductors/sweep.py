"""``python -m jupyter_blueno.conductors.sweep``: conducts a sweep, as a job runs it.

It keeps nothing of its own: trials are rows, their jobs have ids that follow
from sweep and number, so that one that is killed goes on where it was.
"""

from __future__ import annotations

import json
import os
import sys
import time

from jupyter_blueno import errors
from jupyter_blueno.api import jobs as jobs_api
from jupyter_blueno.api import sweeps as api
from jupyter_blueno.conductors import asking
from jupyter_blueno.conductors.study import Study
from jupyter_blueno.jobs.inside import metrics, reporting
from jupyter_blueno.jobs.model import TERMINAL
from jupyter_blueno.sweeps import rules, space
from jupyter_blueno.sweeps.making import Request
from jupyter_blueno.sweeps.model import Plan, Trial, Verdict

FIRST_PAUSE, LONGEST_PAUSE = 0.05, 1.0  # seconds between looks; longer and longer while nothing changes
PLAN_PERIOD = 2.0  # seconds between looks at the plan: somebody may want more trials


def main() -> int:
    """Conduct the sweep to its end; 0 if it ended as it should."""
    request = asking.request(Request)
    ask = asking.Asking(request.owner, request.team)
    try:
        conductor = Conductor(request, os.environ["BLUENO_JOB_ID"], ask)
        end = conductor.run()
        return asking.ended(end.ok, conductor.last_words(end))
    except errors.Conflict as error:
        if error.code != "parent_over":
            raise
        return asking.ended(False, "It was cancelled.")
    finally:
        ask.close()


class Conductor:
    """Makes trials, follows them, and settles them."""

    def __init__(self, request: Request, job_id: str, ask: asking.Asking) -> None:
        self.request = request
        self.job_id = job_id
        self.ask = ask
        self.trials: dict[int, Trial] = {}
        self.revision = 0
        self.curves: dict[int, list[rules.Point]] = {}  # of trials under way that may be given up
        self.cursors: dict[int, str] = {}
        self.hopeless: rules.End | None = None
        self.plan = self._plan()
        self.looked_at_plan = time.monotonic()
        self._look()
        self.study = self._study()
        started = ask(jobs_api.get_job, jobs_api.JobRef(job_id)).started_at
        self.before = 0.0 if started is None else max(0.0, time.time() - started.timestamp())
        self.began = time.monotonic()  # the clock may be set while it runs

    def run(self) -> rules.End:
        """Until it is over; why it is."""
        pause = FIRST_PAUSE
        while True:
            changed = self._look() + self._settle()
            seconds = self.before + time.monotonic() - self.began
            end = self.hopeless or rules.end(self.plan, self._all(), seconds, self.request.first)
            under_way = [one for one in self._all() if not one.settled]
            if end is not None and end.at_once:
                for one in under_way:
                    self._end(one, "cancelled", reason=end.sentence)
                under_way = []
            if end is not None and not under_way:
                return end
            if end is None and len(under_way) < self.plan.at_once:
                self._begin()
                pause = FIRST_PAUSE
                continue
            if time.monotonic() - self.looked_at_plan > PLAN_PERIOD:
                self.plan, self.looked_at_plan = self._plan(), time.monotonic()
            pause = FIRST_PAUSE if changed else min(LONGEST_PAUSE, 1.5 * pause)
            time.sleep(pause)

    def last_words(self, end: rules.End) -> str:
        """Why it ended, and what was best."""
        best = rules.best_of(self.plan, self._all())
        if best is None or best.value is None:
            return end.sentence
        return (
            f"{end.sentence} Best: trial {best.number}, {self.plan.objective} {best.value:.6g} "
            f"with {space.in_words(best.parameters)}."
        )

    # -- what there is -------------------------------------------------------------

    def _plan(self) -> Plan:
        return self.ask(api.get_sweep, api.SweepRef(self.job_id)).plan

    def _study(self) -> Study | None:
        if self.plan.sampler != "tpe" and not self.plan.prune:
            return None
        return Study(self.plan, self._seed(), self._all())

    def _seed(self) -> int:
        return int(self.request.sweep_id[:8], 16) if self.plan.seed is None else self.plan.seed

    def _all(self) -> list[Trial]:
        return [self.trials[number] for number in sorted(self.trials)]

    def _look(self) -> int:
        """Hear of what changed; how many trials that were."""
        told = self.ask(api.list_trials, api.TrialRange(self.job_id, self.revision))
        self.revision = told.revision
        self.trials |= {one.number: one for one in told.trials}
        return len(told.trials)

    # -- trials ---------------------------------------------------------------------

    def _begin(self) -> None:
        """Submit the next trial; first those that were made and never submitted."""
        number = len(self.trials)
        values = self._values(number)
        trial = self._submit(number, values)
        self.trials[number] = trial
        if self.study is not None:
            self.study.begin(number, trial.parameters)
        print(f"Trial {number}: {space.in_words(trial.parameters)}", flush=True)

    def _submit(self, number: int, values: dict[str, object]) -> Trial:
        ask = api.BeginTrial(self.job_id, self.job_id, number, values)
        return self.ask(api.begin_trial, ask)

    def _values(self, number: int) -> dict[str, object]:
        if self.plan.sampler == "grid":
            made = {_key(one.parameters) for one in self._all() if one.state != "cancelled"}
            points = (space.grid(self.plan.space, place) for place in range(rules.MOST_TRIALS))
            return next(point for point in points if _key(point) not in made)
        if self.plan.sampler == "random" or self.study is None:
            return space.draw(self.plan.space, str(self._seed()), number)
        return self.study.propose()

    def _settle(self) -> int:
        """Settle those that ended, or are to be given up; how many there were."""
        count = 0
        for one in self._all():
            if one.settled:
                continue
            if one.job_state is None:  # somebody died between making and submitting it
                self.trials[one.number] = self._submit(one.number, one.parameters)
            elif one.job_state == "SUCCEEDED":
                self._judge(one)
                count += 1
            elif one.job_state in TERMINAL:
                self._end(one, "cancelled" if one.state == "cancelled" else "failed", reason=one.reason)
                count += 1
            elif self.plan.prune and one.state == "running":
                count += self._prune(one)
        if count:
            self._report()
        return count

    def _judge(self, trial: Trial) -> None:
        """Read what a trial that went well is worth."""
        ask = jobs_api.CurveRange(trial.job_id, limit=10 * rules.CURVE)
        curves = {one.name: one for one in self.ask(jobs_api.get_metrics, ask).curves}
        found = curves.get(self.plan.objective)
        points = [] if found is None else rules.points_of(found.steps, found.values)
        value = rules.value_of(self.plan, points)
        if value is not None:
            self._end(trial, "complete", value, points)
            return
        reason = (
            rules.not_logged(self.plan, curves) if found is None else "Its objective is no finite number."
        )
        if found is None and not any(one.state == "complete" for one in self._all()):
            # It would be so with all: nobody shall wait a night for that.
            self.hopeless = rules.End(f"Trial {trial.number}: {reason}", ok=False, at_once=True)
        self._end(trial, "failed", reason=reason)

    def _prune(self, trial: Trial) -> bool:
        """Give a trial up if it does worse than others did."""
        ask = jobs_api.CurveRange(trial.job_id, self.cursors.get(trial.number, ""))
        told = self.ask(jobs_api.get_metrics, ask)
        self.cursors[trial.number] = told.after
        points = self.curves.setdefault(trial.number, [])
        for curve in told.curves:
            if curve.name != self.plan.objective:
                continue
            for step, value in rules.points_of(curve.steps, curve.values):
                points.append((step, value))
                if self.study is not None and self.study.report(trial.number, step, value):
                    reason = f"At step {step:g} it was worse than most: {value:.6g}."
                    self._end(trial, "pruned", rules.value_of(self.plan, points), points, reason)
                    return True
        return False

    def _end(
        self,
        trial: Trial,
        verdict: Verdict,
        value: float | None = None,
        points: list[rules.Point] | None = None,
        reason: str | None = None,
    ) -> None:
        curve = rules.thinned(points or [])
        ask = api.SettleTrial(self.job_id, trial.number, verdict, value, curve, reason)
        settled = self.trials[trial.number] = self.ask(api.settle_trial, ask)
        if self.study is not None:
            self.study.end(settled)
        self.curves.pop(trial.number, None)
        self.cursors.pop(trial.number, None)
        said = (
            f": {self.plan.objective} {value:.6g}" if value is not None else f": {reason}" if reason else ""
        )
        print(f"Trial {trial.number} {verdict}{said}", flush=True)

    def _report(self) -> None:
        """Say how far it is and what is best, where every job says so."""
        best = rules.best_of(self.plan, self._all())
        over = sum(one.settled and one.state != "cancelled" for one in self._all())
        message = None
        if best is not None and best.value is not None:
            metrics.log_metric(f"best {self.plan.objective}", best.value, over)
            message = f"best {best.value:.6g} (trial {best.number})"
        reporting.progress(over, rules.most_trials(self.plan), message)


def _key(parameters: dict[str, object]) -> str:
    return json.dumps(parameters, sort_keys=True)


if __name__ == "__main__":
    sys.exit(main())

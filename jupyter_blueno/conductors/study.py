"""Optuna for a sweep: it proposes values and says which trials to give up.

Its study is in memory only, and filled again from the trials that the platform
keeps: those are the truth, killing this process loses nothing, and there are no
tables of another program to migrate.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import Any

from jupyter_blueno.sweeps import space
from jupyter_blueno.sweeps.model import Choice, Domain, Plan, Range, Trial

STARTUP = 10  # trials by chance before TPE begins to propose
COMPARED = 4  # complete trials before one is given up
SPARED = 1  # steps of each trial that are waited for before


class Study:
    """The trials of a plan as Optuna sees them.

    Parameters
    ----------
    plan : Plan
    seed : int
    past : iterable of Trial
        Those that there are already, settled or not.
    """

    def __init__(self, plan: Plan, seed: int, past: Iterable[Trial] = ()) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._optuna = optuna
        self.plan = plan
        self._distributions = {name: self._distribution(domain) for name, domain in plan.space.items()}
        self._asked: dict[int, Any] = {}
        self._proposed: tuple[dict[str, Any], Any] | None = None
        past = list(past)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # some of this is called experimental
            sampler = optuna.samplers.TPESampler(
                # Another one after each start, or it would propose the first values again.
                seed=(seed + len(past)) % 2**32,
                n_startup_trials=STARTUP,
                constant_liar=plan.at_once > 1,
            )
            pruner = optuna.pruners.MedianPruner(n_startup_trials=COMPARED, n_warmup_steps=SPARED)
            self._study = optuna.create_study(
                direction=plan.direction,
                sampler=sampler,
                pruner=pruner if plan.prune else optuna.pruners.NopPruner(),
            )
        for one in past:
            if one.settled:
                self._add(one)
            else:
                self.begin(one.number, one.parameters)

    def propose(self) -> dict[str, Any]:
        """Values for a next trial; `begin` says that it is made."""
        trial = self._study.ask(self._distributions)
        values = {name: self._value(name, trial.params[name]) for name in self._distributions}
        self._proposed = values, trial
        return values

    def begin(self, number: int, parameters: dict[str, Any]) -> None:
        """A trial has these values."""
        if self._proposed is not None:
            (values, trial), self._proposed = self._proposed, None
            if values == parameters:
                self._asked[number] = trial
                return
            self._study.tell(trial, state=self._optuna.trial.TrialState.FAIL)
        self._study.enqueue_trial(self._coded(parameters))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # values beside the grid of a range that has steps
            self._asked[number] = self._study.ask(self._distributions)

    def report(self, number: int, step: float, value: float) -> bool:
        """Note a point of the objective; whether the trial should be given up."""
        trial = self._asked[number]
        self._note(trial, step, value)
        return bool(trial.should_prune())

    def _note(self, trial: Any, step: float, value: float) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a step that was reported before
            trial.report(value, max(0, int(step)))

    def end(self, trial: Trial) -> None:
        """A trial is settled."""
        asked = self._asked.pop(trial.number, None)
        if asked is None:
            return
        for step, point in trial.curve:  # it may have ended before anybody looked
            self._note(asked, step, point)
        states = self._optuna.trial.TrialState
        state = {"complete": states.COMPLETE, "pruned": states.PRUNED}.get(trial.state, states.FAIL)
        value = trial.value if state == states.COMPLETE else None
        self._study.tell(asked, value, state=state)

    def _add(self, trial: Trial) -> None:
        states = self._optuna.trial.TrialState
        state = {"complete": states.COMPLETE, "pruned": states.PRUNED}.get(trial.state)
        if state is None:
            return
        made = self._optuna.trial.create_trial(
            state=state,
            params=self._coded(trial.parameters),
            distributions=self._distributions,
            value=trial.value,
            intermediate_values={max(0, int(step)): value for step, value in trial.curve},
        )
        self._study.add_trial(made)

    def _distribution(self, domain: Domain) -> Any:
        kinds = self._optuna.distributions
        if isinstance(domain, Choice):
            return kinds.CategoricalDistribution(range(len(domain.values)))  # values may be of any type
        if domain.integer:
            step = int(domain.step or 1)
            return kinds.IntDistribution(int(domain.low), int(domain.high), log=domain.log, step=step)
        return kinds.FloatDistribution(domain.low, domain.high, log=domain.log, step=domain.step)

    def _coded(self, parameters: dict[str, Any]) -> dict[str, Any]:
        found = {}
        for name, domain in self.plan.space.items():
            value = parameters[name]
            found[name] = domain.values.index(value) if isinstance(domain, Choice) else value
        return found

    def _value(self, name: str, value: Any) -> Any:
        domain = self.plan.space[name]
        if isinstance(domain, Range):
            return space.number(domain, value)
        return domain.values[value]

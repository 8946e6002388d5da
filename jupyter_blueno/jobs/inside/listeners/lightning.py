"""Lightning's `Trainer`: steps are progress, what modules log metrics, what it saves checkpoints."""

from __future__ import annotations

import sys

from jupyter_blueno.jobs.inside import checkpoints, metrics, reporting
from jupyter_blueno.jobs.inside.listeners import after, guarded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def follow(module: Any) -> None:
    package = module.__name__.partition(".trainer.")[0]  # lightning.pytorch, or pytorch_lightning

    class Follower(sys.modules[f"{package}.callbacks"].Callback):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.told: dict[str, int] = {}  # the step at which a metric was told last
            self.logged: dict[str, Any] = {}  # before a batch
            self.before: dict[str, Any] = {}  # before a validation
            self.of_validation: set[str] = set()

        def on_train_batch_start(self, trainer: Any, *_: Any) -> None:
            with guarded("lightning"):
                if (trainer.global_step + 1) % trainer.log_every_n_steps == 0:
                    self.logged = dict(trainer.logged_metrics)

        def on_train_batch_end(self, trainer: Any, *_: Any) -> None:
            with guarded("lightning"):
                each, epochs = trainer.num_training_batches, trainer.max_epochs
                total = each * epochs if epochs and epochs > 0 and each != float("inf") else trainer.max_steps
                done = trainer.fit_loop.epoch_loop.total_batch_idx + 1
                of = f" of {epochs}" if epochs and epochs > 0 else ""
                words = f"epoch {trainer.current_epoch + 1}{of}"
                known = int(total) if total and total > 0 else None
                reporting.progress_found(reporting.FRAMEWORK, int(done), known, words)
                if trainer.global_step % trainer.log_every_n_steps == 0:
                    self.tell(trainer, _new(trainer.logged_metrics, self.logged))

        def on_validation_start(self, trainer: Any, *_: Any) -> None:
            with guarded("lightning"):
                self.before = dict(trainer.callback_metrics)

        def on_validation_end(self, trainer: Any, *_: Any) -> None:
            with guarded("lightning"):
                now = trainer.callback_metrics
                if not trainer.sanity_checking:  # what training logged is among them, as it was before
                    new = _new(now, self.before)
                    self.tell(trainer, new)
                    self.of_validation |= new.keys()

        def on_train_epoch_end(self, trainer: Any, *_: Any) -> None:
            with guarded("lightning"):
                now = trainer.callback_metrics
                self.tell(trainer, {name: now[name] for name in now if name not in self.of_validation})

        def tell(self, trainer: Any, values: Any) -> None:
            """Each metric once a step."""
            step = trainer.global_step
            fresh = {name: one for name, one in values.items() if self.told.get(name) != step}
            fresh.pop("epoch", None)
            self.told |= dict.fromkeys(fresh, step)
            metrics.log_found("lightning", fresh, step)

    def add(self: Any, *args: Any, **kwargs: Any) -> None:
        if getattr(self, "is_global_zero", True):
            self.callbacks.append(Follower())

    def note(self: Any, filepath: Any, *args: Any, **kwargs: Any) -> None:
        if getattr(self, "is_global_zero", True):
            checkpoints.note(str(filepath), self.global_step)

    after(module.Trainer, "__init__", "lightning", add)
    after(module.Trainer, "save_checkpoint", "lightning", note)


def _new(values: Any, before: dict[str, Any]) -> dict[str, Any]:
    """What was logged since: the others are the very same objects."""
    return {name: one for name, one in values.items() if one is not before.get(name)}

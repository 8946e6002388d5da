"""Hugging Face's `Trainer`: steps are progress, its logs metrics, its checkpoint folders checkpoints."""

from __future__ import annotations

import os

from jupyter_blueno.jobs.inside import checkpoints, metrics, reporting
from jupyter_blueno.jobs.inside.listeners import after, guarded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

TIMES = ("epoch", "total_flos", "_runtime", "_per_second")  # about the run, not the model


def follow(module: Any) -> None:
    class Follower(module.TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            with guarded("transformers"):
                if state.is_world_process_zero:
                    words = (
                        None
                        if state.epoch is None
                        else f"epoch {state.epoch:.2f} of {args.num_train_epochs:g}"
                    )
                    total = state.max_steps if state.max_steps > 0 else None
                    reporting.progress_found(reporting.FRAMEWORK, state.global_step, total, words)

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
            with guarded("transformers"):
                if state.is_world_process_zero:
                    numbers = {
                        name: value
                        for name, value in (logs or {}).items()
                        if isinstance(value, int | float) and not name.endswith(TIMES)
                    }
                    metrics.log_found("transformers", numbers, state.global_step)

        def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            with guarded("transformers"):
                if state.is_world_process_zero:
                    path = os.path.join(args.output_dir, f"checkpoint-{state.global_step}")
                    checkpoints.note(path, state.global_step)

    def add(self: Any, *args: Any, **kwargs: Any) -> None:
        self.add_callback(Follower)

    after(module.Trainer, "__init__", "transformers", add)

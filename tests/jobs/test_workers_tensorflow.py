"""TensorFlow trains over several workers of a job, without an argument that says where they are."""

from __future__ import annotations

import pickle

import pytest

from jupyter_blueno.jobs.manager import JobManager
from jupyter_blueno.jobs.model import Resources
from jupyter_blueno.jobs.testing import ALICE, call, start, wait

pytestmark = pytest.mark.slow


def test_two_workers_train_one_model(manager: JobManager) -> None:
    pytest.importorskip("tensorflow")

    def train() -> tuple[int, float, float]:
        import os

        os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
        import tensorflow as tf

        strategy = tf.distribute.MultiWorkerMirroredStrategy()
        rank = int(os.environ["RANK"])
        with strategy.scope():
            weight = tf.Variable(0.0)
        x = tf.constant([1.0, 2.0]) + 2.0 * rank  # each worker has a shard of its own

        @tf.function
        def step() -> tf.Tensor:
            def part() -> tf.Tensor:
                with tf.GradientTape() as tape:
                    loss = tf.reduce_mean((weight * x - 3.0 * x) ** 2)
                gradient = tape.gradient(loss, weight)
                context = tf.distribute.get_replica_context()
                weight.assign_sub(0.05 * context.all_reduce("mean", gradient))
                return loss

            return strategy.reduce("mean", strategy.run(part), axis=None)

        losses = [float(step()) for _ in range(10)]
        print(f"{strategy.num_replicas_in_sync} replicas, weight {weight.numpy():.6f}")
        return strategy.num_replicas_in_sync, losses[0], losses[-1]

    job = wait(manager, start(manager, call(train, resources=Resources(workers=2))), "SUCCEEDED")
    record = manager.record(ALICE, job.id)
    replicas, first, last = pickle.loads(record.file("result")[0])
    assert replicas == 2
    assert last < first / 100
    said = [record.log(0, 1 << 20, rank)[0].decode().splitlines()[-1] for rank in (0, 1)]
    assert said[0] == said[1]
    assert said[0].startswith("2 replicas")

"""What kwok does where only the API believes in a node: it is ready, pods run, pods of jobs succeed."""

from __future__ import annotations

import json
from typing import Any

STARTED = '{"name": {{ .name | Quote }}, "image": {{ .image | Quote }}, "restartCount": 0, '
NOW = "{{ Now | Quote }}"


def stages() -> str:
    """Return the documents of kwok's settings, one for each change of state."""
    alive = _is(".metadata.deletionTimestamp", "DoesNotExist")
    ready = _is('.status.conditions.[] | select(.type == "Ready") | .status', "NotIn", "True")
    return "\n---\n".join(
        json.dumps(stage)
        for stage in (
            _stage("node-ready", "Node", [ready], {"statusTemplate": _conditions("KubeletReady")}),
            _stage(
                "pod-runs",
                "Pod",
                [alive, _is(".status.phase", "In", "Pending")],
                {
                    "statusTemplate": f"phase: Running\nstartTime: {NOW}\n{_conditions('Started')}"
                    + _containers('"ready": true', "running", f'"startedAt": {NOW}')
                },
            ),
            _stage(
                "pod-succeeds",
                "Pod",
                [
                    alive,
                    _is(".status.phase", "In", "Running"),
                    _is(".metadata.ownerReferences.[].kind", "In", "Job"),
                ],
                {
                    "statusTemplate": "phase: Succeeded\n"
                    + _containers(
                        '"ready": false',
                        "terminated",
                        f'"exitCode": 0, "reason": "Completed", "startedAt": {NOW}, "finishedAt": {NOW}',
                    )
                },
            ),
            _stage("pod-goes", "Pod", [_is(".metadata.deletionTimestamp", "Exists")], {"delete": True}),
        )
    )


def _stage(name: str, kind: str, when: list[dict[str, Any]], then: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "kwok.x-k8s.io/v1alpha1",
        "kind": "Stage",
        "metadata": {"name": name},
        "spec": {
            "resourceRef": {"apiGroup": "v1", "kind": kind},
            "selector": {"matchExpressions": when},
            "next": then,
        },
    }


def _is(key: str, operator: str, *values: str) -> dict[str, Any]:
    return {"key": key, "operator": operator, **({"values": list(values)} if values else {})}


def _conditions(reason: str) -> str:
    times = f"lastHeartbeatTime: {NOW}, " if reason.startswith("Kubelet") else ""
    ready = f'type: Ready, status: "True", reason: {reason}, {times}lastTransitionTime: {NOW}'
    return f"conditions:\n- {{{ready}}}\n"


def _containers(ready: str, state: str, told: str) -> str:
    one = f'{STARTED}{ready}, "state": {{"{state}": {{{told}}}}}}}'
    return f"containerStatuses:\n{{{{ range .spec.containers }}}}\n- {one}\n{{{{ end }}}}\n"

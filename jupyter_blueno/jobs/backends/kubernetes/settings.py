"""The settings of this backend, of which most are in a file that the operator of the cluster writes."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from jupyter_blueno.config import Config
from jupyter_blueno.errors import InvalidInput
from jupyter_blueno.jobs.backends.kubernetes.objects import PodTemplate


def template_of(config: Config) -> PodTemplate:
    """How the pods of jobs look.

    Raises
    ------
    InvalidInput
        If the settings do not say it.
    """
    if not config.jobs_pods:
        raise InvalidInput(
            "Jobs on Kubernetes need to know their image and volume: name a JSON file that says so "
            "(BLUENO_JOBS_PODS).",
            code="bad_setting",
        )
    try:
        return msgspec.json.decode(Path(config.jobs_pods).read_bytes(), type=PodTemplate)
    except (OSError, msgspec.DecodeError) as error:
        raise InvalidInput(
            f"The settings of jobs in '{config.jobs_pods}' cannot be used: {error}. Correct them.",
            code="bad_setting",
        ) from error


def instance_of(config: Config) -> str:
    """What tells the Jobs of this installation from those of others in the same namespace."""
    return f"blueno-{hashlib.sha256(str(config.home_path).encode()).hexdigest()[:12]}"

"""``python -m jupyter_blueno.conductors.ingest``: a background ingest, as a job runs it."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Any

import msgspec

from jupyter_blueno.api.destination import OperationsDestination
from jupyter_blueno.catalog.model import Progress
from jupyter_blueno.conductors.asking import Asking
from jupyter_blueno.config import Config
from jupyter_blueno.database.engine import Database
from jupyter_blueno.errors import BluenoError
from jupyter_blueno.ingest import work
from jupyter_blueno.ingest.destination import CatalogDestination
from jupyter_blueno.ingest.run import Cancelled, Destination
from jupyter_blueno.jobs.folder import JobFolder
from jupyter_blueno.jobs.inside import reporting
from jupyter_blueno.jobs.sending.snapshot import SpecFile


def main() -> int:
    """Run the job's request; 0 when the version is ready, 1 when it failed, 143 when it was cancelled."""
    request = _request()
    config = Config()
    database = Database(config)
    asking = Asking(request.user.name, request.user.team)
    signal.signal(signal.SIGTERM, _cancel)
    try:
        destination: Destination = CatalogDestination(database, config, request.user)
        if config.service_url:  # the database is the service's alone
            destination = OperationsDestination(asking)
        dataset = work.run(config, destination, request, _report)
    except (BluenoError, OSError) as error:
        print(getattr(error, "message", error), file=sys.stderr)
        return 1
    except (Cancelled, KeyboardInterrupt):
        print("Cancelled.", file=sys.stderr)
        return 128 + signal.SIGTERM
    finally:
        asking.close()
        database.close()
    print(f"'{dataset.name}' is ready: {dataset.version.sample_count:,} samples.")
    for problem in dataset.version.problems:
        print(f"  {problem.name}: {problem.message}")
    return 0


def _request() -> work.Request:
    """What the job was told, from its folder: a list of paths may be longer than a command line."""
    place = reporting.folder()
    kept = JobFolder(Path(place)).read("spec.json", SpecFile) if place else None
    if kept is None or kept.spec.source is None:
        raise SystemExit("This is run by a job: start it with blueno.ingest or `blueno ingest`.")
    return msgspec.json.decode(kept.spec.source, type=work.Request)


def _cancel(number: int, frame: Any) -> None:
    signal.signal(number, signal.SIG_IGN)  # the second one shall not disturb the tidying up
    raise Cancelled


def _report(progress: Progress) -> None:
    reporting.progress(progress.done, progress.total, progress.message)
    total = "" if progress.total is None else f" of {progress.total:,}"
    print(f"{progress.message or 'Done'}: {progress.done:,}{total}", flush=True)


if __name__ == "__main__":
    sys.exit(main())

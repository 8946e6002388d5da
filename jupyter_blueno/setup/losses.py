"""What an installation holds, and what would be lost without it."""

from __future__ import annotations

from msgspec import Struct

from jupyter_blueno.setup import backup
from jupyter_blueno.setup.cluster import Cluster
from jupyter_blueno.setup.once import run_once

# Counts first, then what folders take, which may last; a line each.
LOOK = r"""
export PGOPTIONS="-c blueno.team=*"  # rows of all teams
service=$(echo "${OWNER_URL:-$SERVICE_URL}" | sed 's/+psycopg2//')
hub=$(echo "$HUB_URL" | sed 's/+psycopg2//')
# Of a table that is not there yet (nobody was here), nothing.
ask() {
    [ "$(psql -XAt "$1" -c "SELECT to_regclass('$2') IS NULL")" = t ] && echo 0 && return
    psql -XAt "$1" -c "SELECT count(*) FROM $2 $3" || echo '?'
}
echo "count people $(ask "$hub" users)"
echo "count datasets $(ask "$service" dataset)"
echo "count samples $(ask "$service" sample)"
echo "count jobs $(ask "$service" job)"
echo "count running $(ask "$service" job "WHERE state IN \
('SUBMITTING', 'QUEUED', 'STARTING', 'RUNNING', 'FINISHING')")"
for folder in home shared teams backups; do
    for one in /volume/$folder/*; do
        [ -d "$one" ] && echo "size $(timeout 120 du -sk "$one" 2>/dev/null | cut -f1) $folder/${one##*/}"
    done
done
exit 0
"""
SHOWN = 8  # folders that are named, the largest


class Losses(Struct, frozen=True):
    """How much there is: counts by word (None: could not be asked), bytes by folder."""

    counts: dict[str, int | None]
    folders: dict[str, int]
    notebooks: int = 0


def looked(cluster: Cluster) -> Losses:
    """Count what an installation holds, by a pod that sees volume and databases."""
    pod = backup.at_volume(cluster, ["sh", "-c", LOOK])
    said = run_once(cluster, f"{cluster.release}-look", pod, 900)
    notebooks = cluster.items(
        "pods", "--selector=app.kubernetes.io/component=notebook", namespace=cluster.users
    )
    return parsed(said, len(notebooks))


def parsed(said: str, notebooks: int) -> Losses:
    counts: dict[str, int | None] = {}
    folders: dict[str, int] = {}
    for line in said.splitlines():
        kind, *words = line.split(" ", 2)
        if kind == "count" and len(words) == 2:
            counts[words[0]] = int(words[1]) if words[1].isdigit() else None
        elif kind == "size" and len(words) == 2:
            folders[words[1]] = int(words[0]) * 1024 if words[0].isdigit() else 0
    return Losses(counts, folders, notebooks)


def told(losses: Losses) -> list[str]:
    """As lines for a person."""
    counts = losses.counts
    lines = [
        f"  {_number(counts.get('people'))} people, {losses.notebooks} notebooks running",
        f"  {_number(counts.get('datasets'))} datasets with {_number(counts.get('samples'))} samples",
        f"  {_number(counts.get('jobs'))} jobs, of which {_number(counts.get('running'))} run or wait",
    ]
    largest = sorted(losses.folders.items(), key=lambda one: -one[1])
    lines += [f"  {_size(size):>9}  {name}" for name, size in largest[:SHOWN]]
    if rest := largest[SHOWN:]:
        lines.append(f"  {_size(sum(size for _, size in rest)):>9}  in {len(rest)} more folders")
    return lines


def _number(count: int | None) -> str:
    return "an unknown number of" if count is None else f"{count:,}"


def _size(count: int) -> str:
    for unit in ("kB", "MB", "GB"):
        count = count / 1000  # type: ignore[assignment]
        if count < 1000:
            return f"{count:.3g} {unit}"
    return f"{count / 1000:,.1f} TB"

"""Why a job waits, in words: what it lacks, who holds that and until when, how many are before it."""

from __future__ import annotations

import contextlib
import os
import time

import msgspec

from jupyter_blueno.jobs import lean
from jupyter_blueno.jobs.engine.entries import Entries
from jupyter_blueno.jobs.engine.order import Entry, Limits, Order, lane_of
from jupyter_blueno.jobs.model import Claim

NAMED = 3  # holders that are named; the others are counted
NAME_SHOWN = 40  # characters
TELLING = 3.0  # seconds of work from which its progress tells the end


def held(entries: Entries) -> Order:
    """What there is, and the jobs that hold some of it."""
    order = Order(Limits())
    with contextlib.suppress(OSError, ValueError, TypeError):
        order.limits = Limits(**lean.read_json(entries.path("limits.json")))
    for job_id in entries.running():
        with contextlib.suppress(OSError, ValueError):
            entry = Entry(job_id, 0, entries.held(job_id))
            entry.content["until"] = _until(entries, entry)
            order.start(entry)
    return order


def _until(entries: Entries, entry: Entry) -> float | None:
    """When a job may be over (seconds since 1970), as far as its progress tells."""
    path = os.path.join(os.path.dirname(entries.folder), "jobs", entry.id, "progress.json")
    since = float(entry.content.get("since") or 0)
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
        said = os.stat(path).st_mtime
        progress = lean.read_json(path)
        done, total = progress["done"], progress["total"]
        if since and 0 < done < total and said - since >= TELLING:
            return float(max(time.time(), since + (said - since) * total / done))
    return None


def why(order: Order, claim: Claim, before: int) -> str:
    """A sentence or two.

    Parameters
    ----------
    order : Order
        What is held now.
    claim : Claim
        Of the job that waits.
    before : int
        How many jobs that wait are before it.
    """
    needs = Entry("", 0, {**msgspec.structs.asdict(claim.resources), "lane": lane_of(claim.kind)})
    lack = _lack(order, needs)
    turn = f"{counted(before, 'job')} {'is' if before == 1 else 'are'} before it."
    if lack is None:
        return f"It waits for its turn: {turn}" if before else "It is its turn: it starts at once."
    return f"{lack} {turn}" if before else lack


def _lack(order: Order, needs: Entry) -> str | None:
    holders = [one for one in order.running.values() if one.lane == needs.lane]
    lacking = order.lacking(needs)
    limits = order.limits
    if "gpu" in lacking:
        held = [one for one in holders if one.gpus]
        free = len(order.free_gpus())
        there = f"{free or 'none'} of {len(limits.gpus)} {'are' if free > 1 else 'is'} free"
        return f"It asks for {counted(needs.gpu, 'GPU')}; {there}.{_held_by(held)}"
    if "memory" in lacking:
        held = [one for one in holders if one.memory]
        free_memory = max(0.0, limits.memory - sum(one.memory for one in held))
        there = f"{_gigabytes(free_memory)} of {_gigabytes(limits.memory)} GB are free"
        return f"It asks for {_gigabytes(needs.memory)} GB of memory; {there}.{_held_by(held)}"
    places = order.places(needs.lane)
    if len(holders) >= places:
        taken = "The only place is" if places == 1 else f"All {places} places are"
        return f"{taken} taken.{_held_by(holders)}"
    if "cpu" in lacking:
        free_cores = max(0.0, limits.cpu - sum(one.cpu for one in holders))
        there = f"{free_cores:g} of {limits.cpu:g} are free"
        return f"It asks for {counted(needs.cpu, 'CPU core')}; {there}.{_held_by(holders)}"
    return None


def _held_by(holders: list[Entry]) -> str:
    """`` Held by 'train' (alice, since 14:05) and 'eval' (bob, since 15:10).``; empty for nobody."""
    if not holders:
        return ""
    oldest = sorted(holders, key=lambda one: float(one.content.get("since") or 0))
    names = [_named(one) for one in oldest[:NAMED]]
    if len(oldest) > NAMED:
        names.append(counted(len(oldest) - NAMED, "other"))
    listed = " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]
    return f" Held by {listed}."


def _named(one: Entry) -> str:
    name = str(one.content.get("name") or one.id[:8])
    name = name if len(name) <= NAME_SHOWN else name[: NAME_SHOWN - 1] + "…"
    since = _moment(float(one.content.get("since") or 0))
    until = one.content.get("until")
    left = f", until about {_moment(float(until))}" if until else ""
    return f"'{name}' ({one.owner}, since {since}{left})"


def _moment(seconds: float) -> str:
    moment = time.localtime(seconds)
    today = time.localtime()[:3] == moment[:3]
    return time.strftime("%H:%M" if today else "%Y-%m-%d %H:%M", moment)


def counted(number: float, noun: str) -> str:
    """``1 GPU``, ``2 GPUs``, ``0.5 CPU cores``."""
    return f"{number:,g} {noun}" if number == 1 else f"{number:,.10g} {noun}s"


def _gigabytes(size: float) -> str:
    return f"{size / 1e9:.3g}"

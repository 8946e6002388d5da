"""A sweep as a plotly figure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from jupyter_blueno.errors import MissingDependency
from jupyter_blueno.sweeps.model import Choice, Domain, Plan

if TYPE_CHECKING:
    from jupyter_blueno.client.trials import Trial, Trials


def parallel(trials: Trials, plan: Plan) -> Any:
    """Parallel coordinates: an axis a parameter, a line a complete trial, coloured by the objective.

    Raises
    ------
    MissingDependency
        If plotly is not installed.
    """
    try:
        from plotly import graph_objects
    except ImportError:
        raise MissingDependency("This needs plotly: pip install plotly.") from None
    shown = [one for one in trials if one.state == "complete" and one.value is not None]
    values = [one.value for one in shown]
    axes = [_axis(name, domain, shown) for name, domain in plan.space.items()]
    axes.append({"label": plan.objective, "values": values})
    scale = "Viridis" if plan.direction == "maximize" else "Viridis_r"
    line = {"color": values, "colorscale": scale, "showscale": True}
    return graph_objects.Figure(graph_objects.Parcoords(line=line, dimensions=axes))


def _axis(name: str, domain: Domain, trials: list[Trial]) -> dict[str, Any]:
    values = [one.parameters[name] for one in trials]
    if isinstance(domain, Choice):
        places = list(range(len(domain.values)))
        texts = [str(one) for one in domain.values]
        coded = [domain.values.index(value) for value in values]
        return {"label": name, "values": coded, "tickvals": places, "ticktext": texts}
    if not domain.log:
        return {"label": name, "values": values, "range": [domain.low, domain.high]}
    low, high = math.log10(domain.low), math.log10(domain.high)
    ticks = [low, *range(math.floor(low) + 1, math.ceil(high)), high]
    return {
        "label": name,
        "values": [math.log10(value) for value in values],
        "range": [low, high],
        "tickvals": ticks,
        "ticktext": [f"{10**tick:.3g}" for tick in ticks],
    }

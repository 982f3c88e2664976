"""The paper's Figure 1, drawn from composed networks (`networks/summary.py`): inputs, a GRU a subnet, the readout."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # an optional extra
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ACROSS = 3  # panels side by side
INPUT, GRU, MIX, READOUT, SUM, SCORES = 0.0, 1.1, 2.0, 2.9, 3.8, 4.7  # heights, from below as in the paper
ADDITION, PRODUCT = "+", "∘"


def architectures(layouts: Mapping[str, Mapping[str, Any]], across: int = ACROSS) -> "Figure":
    """Draws a panel for each network. layouts: by name, as `networks.summary.layout` gives it"""
    from matplotlib.figure import Figure

    width = min(len(layouts), across, ACROSS)
    num_lines = -(-len(layouts) // width)
    figure = Figure(figsize=(4.2 * width, 4.2 * num_lines), layout="constrained")
    panels = figure.subplots(num_lines, width, squeeze=False).ravel()
    for axes in panels:
        axes.set_axis_off()
    for axes, (name, network) in zip(panels, layouts.items(), strict=False):
        draw_network(axes, network)
        axes.set_title(name)
    return figure


def draw_network(axes: "Axes", network: Mapping[str, Any]) -> None:
    """Draws inputs, subnets, readout and scores from below, a column for each subnet."""
    subnets = network["subnets"]
    places = {subnet["name"]: float(column) for column, subnet in enumerate(subnets)}
    middle = (len(subnets) - 1) / 2
    axes.set_xlim(-0.6, len(subnets) - 0.4)
    axes.set_ylim(INPUT - 0.5, SCORES + 0.4)
    for subnet in subnets:
        x = places[subnet["name"]]
        _box(axes, x, INPUT, "\n".join(subnet["inputs"]))
        _box(axes, x, GRU, f"GRU {subnet['name']}\n{subnet['hidden_size']} units", fill="0.85")
        _arrow(axes, (x, INPUT), (x, GRU))
    draw = {"separate": _separate, "shared": _shared, "interaction": _interaction}.get(network["readout"])
    if draw is None:
        _unknown(axes, subnets, places, middle, network["readout"])
    else:
        draw(axes, subnets, places, middle)
    scores = f"scores of {network['num_items']:,} items"
    activation = network["activation"]
    _box(axes, middle, SCORES, scores if activation == "linear" else f"{activation} → {scores}")


def _separate(axes: "Axes", subnets: Any, places: Mapping[str, float], middle: float) -> None:
    """Draws Σ_k w_k (W_k h_k + b_k)."""
    for subnet in subnets:
        x = places[subnet["name"]]
        _box(axes, x, READOUT, f"W {subnet['name']}")
        _arrow(axes, (x, GRU), (x, READOUT))
        if len(subnets) > 1:
            _arrow(axes, (x, READOUT), (middle, SUM), f"{subnet['weight']:g}")
    if len(subnets) > 1:
        _node(axes, middle, SUM, ADDITION)
        _arrow(axes, (middle, SUM), (middle, SCORES))
    else:
        _arrow(axes, (middle, READOUT), (middle, SCORES))


def _shared(axes: "Axes", subnets: Any, places: Mapping[str, float], middle: float) -> None:
    """Draws W Σ_k w_k h_k + b."""
    for subnet in subnets:
        _arrow(axes, (places[subnet["name"]], GRU), (middle, MIX), f"{subnet['weight']:g}")
    _node(axes, middle, MIX, ADDITION)
    _box(axes, middle, READOUT, "W shared")
    _arrow(axes, (middle, MIX), (middle, READOUT))
    _arrow(axes, (middle, READOUT), (middle, SCORES))


def _interaction(axes: "Axes", subnets: Any, places: Mapping[str, float], middle: float) -> None:
    """Draws w_id (W_id h_id + b_id) + Σ_k w_k (W_k (h_id ∘ h_k) + b_k)."""
    first = places[subnets[0]["name"]]
    for subnet in subnets:
        x = places[subnet["name"]]
        if x != first:
            _arrow(axes, (first, GRU), (x, MIX))
            _arrow(axes, (x, GRU), (x, MIX))
            _node(axes, x, MIX, PRODUCT)
        _box(axes, x, READOUT, f"W {subnet['name']}")
        _arrow(axes, (x, GRU if x == first else MIX), (x, READOUT))
        _arrow(axes, (x, READOUT), (middle, SUM), f"{subnet['weight']:g}")
    _node(axes, middle, SUM, ADDITION)
    _arrow(axes, (middle, SUM), (middle, SCORES))


def _unknown(axes: "Axes", subnets: Any, places: Mapping[str, float], middle: float, readout: str) -> None:
    """Draws a readout of an extension as a box with its name."""
    for subnet in subnets:
        _arrow(axes, (places[subnet["name"]], GRU), (middle, READOUT))
    _box(axes, middle, READOUT, readout)
    _arrow(axes, (middle, READOUT), (middle, SCORES))


def _box(axes: "Axes", x: float, y: float, text: str, fill: str = "white") -> None:
    style = {"boxstyle": "round,pad=0.4", "facecolor": fill, "edgecolor": "black"}
    axes.text(x, y, text, ha="center", va="center", fontsize=8, bbox=style, zorder=3)


def _node(axes: "Axes", x: float, y: float, sign: str) -> None:
    style = {"boxstyle": "circle,pad=0.25", "facecolor": "white", "edgecolor": "black"}
    axes.text(x, y, sign, ha="center", va="center", fontsize=11, bbox=style, zorder=3)


def _arrow(axes: "Axes", start: tuple[float, float], end: tuple[float, float], weight: str = "") -> None:
    """Draws an arrow between the middles of two boxes, beneath them; its head stops short of the upper one."""
    axes.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "shrinkB": 14, "color": "black"}, zorder=1)
    if weight and weight != "1":
        place = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
        axes.annotate(f"× {weight}", place, (4, 0), textcoords="offset points", fontsize=8)

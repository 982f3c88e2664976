"""A summary of the composed network in plain values, for metrics.json and the drawing of it."""

from typing import Any

from prnn_cli.networks.inputs import Dense, Embedded, FineTuned, Input, OneHot, Sparse, Tied
from prnn_cli.networks.network import Network


def layout(network: Network) -> dict[str, Any]:
    """The structure of a network as JSON can hold it."""
    return {
        "subnets": [
            {
                "name": subnet.name,
                "inputs": [described(source) for source in subnet.inputs],
                "hidden_size": subnet.hidden_size,
                "weight": subnet.weight,
            }
            for subnet in network.subnets
        ],
        "readout": type(network.readout).__name__.lower(),
        "activation": network.activation,
        "num_items": network.num_items,
    }


def described(source: Input) -> str:
    """What an input is made of, such as "text: TF-IDF of 2,304 terms"."""
    match source:
        case Embedded():
            return f"{described(source.source)}, embedded in {source.size}"
        case Tied():
            return f"{source.name}: its output row, {source.size:,} values"
        case OneHot():
            return f"{source.name}: one of {source.num_items:,}"
        case Sparse():
            return f"{source.name}: {source.terms.num_columns:,} terms"
        case FineTuned():
            return f"{source.name}: {source.vectors.shape[1]:,} values, tuned"
        case Dense():
            return f"{source.name}: {source.vectors.shape[1]:,} values"
        case _:
            return source.name

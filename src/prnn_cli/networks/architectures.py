"""Architectures as data: which subnets a network has, and what each is fed."""

from collections.abc import Sequence

from prnn_cli.errors import UserError

ID = "id"


def subnet_inputs(
    name: str, subnets: str, sources: Sequence[str], order: Sequence[str] | None
) -> dict[str, list[str]]:
    """The inputs of each subnet, in training order. Raises `UserError` for what makes no sense.

    name: the architecture's, for messages
    subnets: id, feature, concatenated, or each (one for the ID and one for each source)
    sources: the kinds of features
    order: the training order of the subnets' names; None for the ID first, then the sources
    """
    if subnets == ID:
        return {ID: [ID]}
    if not sources:
        raise UserError(
            f"arch={name} needs features; add features=text, image, image_and_text or another of --help"
        )
    if subnets == "feature":
        if len(sources) > 1:
            raise UserError(
                f"arch={name} takes one kind of feature, not {', '.join(sources)}; choose one features="
            )
        return {sources[0]: [sources[0]]}
    if subnets == "concatenated":
        return {"concatenated": [ID, *sources]}
    names = [ID, *sources]
    if order is not None and sorted(order) != sorted(names):
        raise UserError(f"arch.order=[{','.join(order)}] must hold each of {', '.join(names)} once")
    return {name: [name] for name in order or names}

"""Options of the generated logs."""

from dataclasses import dataclass, field

from omegaconf import MISSING

from prnn_cli.errors import UserError
from prnn_cli.schema.fields import bounded

# What a generated log of the paper's size is made of.
GENERATED_CLICKS = ("successor", "repeat", "style", "intent", "anywhere")
GENERATED_LANGUAGES = ("en", "de", "fr", "es", "it", "pt", "nl", "hu")


@dataclass
class SyntheticConfig:
    """The generated log; see `data/synthetic/small.py` for what each number means."""

    num_items: int = bounded(at_least=50)
    num_sessions: int = bounded(at_least=100)
    num_intents: int = bounded(at_least=2)
    num_days: int = bounded(at_least=2)
    seed: int = bounded(at_least=0)


@dataclass
class PartSizeConfig:
    sessions: int = bounded(at_least=1)
    events: int = bounded(at_least=2)

    def check_values(self, path: str) -> None:
        if not 2 < self.events / self.sessions < 100:
            raise UserError(
                f"{path}events={self.events} is no number for {path}sessions={self.sessions}; sessions of more than "
                "2 and fewer than 100 events on average can be generated"
            )


@dataclass
class SurplusConfig:
    """The shares by which more is generated than the sizes asked for: preparation drops about as much."""

    sessions: float = bounded(at_least=0)
    events: float = bounded(at_least=0)
    items: float = bounded(at_least=0)


@dataclass
class SuccessorsConfig:
    """The list of successors that stands beside each generated item."""

    length: int = bounded(at_least=1)
    steepness: float = bounded(at_least=1)
    of_style: float = bounded(at_least=0, at_most=1)
    popularity_exponent: float = bounded(at_least=0)


@dataclass
class BrowsingConfig:
    """How generated sessions change their taste, and what they go on from after a detour."""

    drift: float = bounded(at_least=0, at_most=1)
    onward: float = bounded(at_least=0, at_most=1)
    returns: bool = MISSING


@dataclass
class GeneratedVectorsConfig:
    """Vectors that stand for what a network would make of the images of generated items."""

    size: int = bounded(at_least=1)
    of_style: float = bounded(at_least=0)
    scatter: float = bounded(at_least=0)
    threshold: float = bounded(at_least=-10, at_most=2)


@dataclass
class ProfileConfig:
    """A generated log of the paper's size; docs/synthetic.md says what is assumed."""

    train: PartSizeConfig = field(default_factory=PartSizeConfig)
    test: PartSizeConfig = field(default_factory=PartSizeConfig)
    num_items: int = bounded(at_least=1)
    surplus: SurplusConfig = field(default_factory=SurplusConfig)
    num_days: int = bounded(at_least=2)
    items_per_intent: int = bounded(at_least=1)
    zipf_exponent: float = bounded(at_least=0)
    zipf_shift: float = bounded(at_least=0.0001)
    clicks: dict[str, float] = MISSING
    successors: SuccessorsConfig = field(default_factory=SuccessorsConfig)
    browsing: BrowsingConfig = field(default_factory=BrowsingConfig)
    languages: dict[str, float] = MISSING
    without_text: float = bounded(at_least=0, at_most=1)
    without_image: float = bounded(at_least=0, at_most=1)
    vectors: GeneratedVectorsConfig = field(default_factory=GeneratedVectorsConfig)
    max_image_files: int = bounded(at_least=0)
    workers: int = bounded(at_least=1)
    seed: int = bounded(at_least=0)

    def check_values(self, path: str) -> None:
        for name, shares, known in (
            ("clicks", self.clicks, GENERATED_CLICKS),
            ("languages", self.languages, GENERATED_LANGUAGES),
        ):
            if (
                not set(shares) <= set(known)
                or min(shares.values(), default=-1) < 0
                or sum(shares.values()) <= 0
            ):
                raise UserError(
                    f"{path}{name}={shares} are no shares; give numbers from 0, not all 0, for {', '.join(known)}"
                )

"""Types, bounds and marks of every option. The defaults stand in configs/, and nowhere else.

A field declares its bounds beside its type, `epochs: int = bounded(at_least=1)`, and what else others must know of it
as a `Mark`. Hydra refuses unknown keys and wrong types when it composes; `check` refuses the values that no run can
have.
"""

import dataclasses
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from typing import Any

from omegaconf import MISSING

from prnn_cli.errors import UserError

# What a generated log of the paper's size is made of.
GENERATED_CLICKS = ("successor", "repeat", "style", "intent", "anywhere")
GENERATED_LANGUAGES = ("en", "de", "fr", "es", "it", "pt", "nl", "hu")

# How the test part is chosen; those that need no times of the events.
SPLITS = ("days", "gru4rec2023", "window", "given", "share", "leave_one_out")
TIMELESS_SPLITS = ("given", "share", "leave_one_out")

AUTO = "auto"  # of epochs, and of some numbers

RESERVED = ("id", "output", "vectors")  # names in the parameters' that no source of features can have


class Mark(Enum):
    """A fact about an option; the mark of a group holds for all that is in it."""

    PATH = "names a file, wherever the run is taken up"
    FREE_ON_RESUME = "may differ between a run and its resumption, as it changes no number that is trained"
    UNHASHED = "takes no part in the hash of prepared data, as the content of the files stands for it"
    SHARES_ROW = "runs that differ in nothing else share a row of a table"
    ITEM_IDS = "takes ids of items, which stay the text that is typed"


def option(*marks: Mark) -> Any:
    return field(default=MISSING, metadata={"marks": marks})


def group(config: type, *marks: Mark) -> Any:
    return field(default_factory=config, metadata={"marks": marks})


def bounded(
    at_least: float | None = None,
    at_most: float | None = None,
    below: float | None = None,
    above: float | None = None,
    marks: Sequence[Mark] = (),
) -> Any:
    bounds = {"at_least": at_least, "at_most": at_most, "below": below, "above": above}
    return field(default=MISSING, metadata={**bounds, "marks": marks})


def one_of(*choices: str) -> Any:
    return field(default=MISSING, metadata={"choices": choices})


def options_of(kind: str, named_by: str | None = None, marks: Sequence[Mark] = ()) -> Any:
    """Options whose types the entries of a registry declare (`extensions.HOMES`): those of the entry that the option
    `named_by` beside them names; without it those of several entries, by their names."""
    return field(default=MISSING, metadata={"options_of": kind, "named_by": named_by, "marks": marks})


@dataclass
class ColumnsConfig:
    session_id: Any = MISSING
    item_id: str = MISSING
    next_item_id: str | None = MISSING
    time: Any = MISSING
    milliseconds: str | None = MISSING
    order: str | None = MISSING


@dataclass
class FilterConfig:
    """A filter that keeps rows: those whose text matches `keep`, or not `exclude`, whose number is `above` or `below`,
    or that hold a value.

    Patterns are RE2's (no look-around), found anywhere in the text.
    """

    column: str = MISSING
    keep: str | None = None
    exclude: str | None = None
    above: float | None = None
    below: float | None = None
    present: bool = False


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


@dataclass
class PropertiesConfig:
    """The columns of an items table with a row for each property of an item; of all other tables `property` is None.

    time: from when on the item has the value; None: it has all values of a property
    keep: a pattern that the names of the properties that count match, RE2's, found anywhere in the name
    """

    property: str | None = MISSING
    value: str | None = MISSING
    time: str | None = MISSING
    keep: str | None = MISSING

    def check_values(self, path: str) -> None:
        if (self.property is None) != (self.value is None):
            given = f"{path}property={_shown(self.property)} and {path}value={_shown(self.value)}"
            raise UserError(f"{given} are columns of one table; name both of them, or none")


@dataclass
class ItemsConfig:
    """What is known of the items.

    path: a file, a folder or a glob, or several of them
    vector_columns: source of features -> column
    vectors: a file, or source of features -> file
    """

    path: Any = option(Mark.PATH)
    header: list[str] | None = MISSING
    filters: list[FilterConfig] = MISSING
    item_id: str = MISSING
    text: list[str] = MISSING
    properties: PropertiesConfig = field(default_factory=PropertiesConfig)
    image: str | None = MISSING
    image_pattern: str | None = MISSING
    image_root: str | None = option(Mark.PATH)
    vector_columns: dict[str, str] = MISSING
    vectors: Any = option(Mark.PATH)

    @property
    def has_properties(self) -> bool:
        """Whether the table has a row for each property of an item, instead of one an item."""
        return self.properties.property is not None

    def check_values(self, path: str) -> None:
        paths = self.path if isinstance(self.path, list) else [self.path]
        if not paths or not all(each is None or isinstance(each, str) for each in paths):
            raise UserError(f"{path}path={self.path} must be a file, a folder or a glob, or a list of such")
        others = {"text": self.text, "image": self.image, "vector_columns": self.vector_columns}
        if self.has_properties and (given := [name for name, value in others.items() if value]):
            raise UserError(
                f"{path}properties are read from a table with several rows an item, in which {path}{given[0]}="
                f"{others[given[0]]} cannot be looked up; leave one of them out"
            )
        if self.has_properties and self.path is None:
            raise UserError(
                f"{path}properties.property={self.properties.property} needs a table; set {path}path"
            )
        files = list(self.vectors.values()) if isinstance(self.vectors, dict) else [self.vectors]
        if not all(each is None or isinstance(each, str) for each in files):
            raise UserError(
                f"{path}vectors={self.vectors} must be a file, or one for each source of features, such as "
                "{text: text.npy, image: image.npy}"
            )


@dataclass
class WindowConfig:
    """One of several windows that slide over a log; lengths in days of 24 hours."""

    number: int = bounded(at_least=1, marks=[Mark.SHARES_ROW])
    train_days: float = bounded(above=0)
    test_days: float = bounded(above=0)
    shift_days: float = bounded(at_least=0)
    offset_days: float = bounded(at_least=0)


@dataclass
class DownloadConfig:
    """A file that may be fetched without an account; bytes: its size, where it is known; checksum: as "md5:…" or
    "sha256:…", where its publisher gives one; unpack: the folder within it whose files are wanted, "" for its top."""

    url: str = MISSING
    bytes: int | None = None
    checksum: str | None = None
    unpack: str | None = None


@dataclass
class SourceConfig:
    """Where a public log comes from, which `prnn datasets NAME` tells.

    events, sessions, items: of the whole log, before any filter; files: below `DatasetConfig.path`, a name or a glob ->
    what it holds; optional: likewise, those that only features need; features: the choice of that group to begin with;
    verified: what of all this was looked up where, and what was not; fetch: the files that `prnn fetch` may take
    """

    title: str = MISSING
    page: str = MISSING
    licence: str = MISSING
    size: str = MISSING
    events: int | None = MISSING
    sessions: int | None = MISSING
    items: int | None = MISSING
    files: dict[str, str] = MISSING
    optional: dict[str, str] = MISSING
    features: str = MISSING
    verified: str = MISSING
    fetch: list[DownloadConfig] = MISSING


@dataclass
class DatasetConfig:
    name: str = option(Mark.UNHASHED)
    path: str | None = option(Mark.PATH, Mark.UNHASHED)
    files: list[str] | None = option(Mark.UNHASHED)
    source: SourceConfig | None = option(Mark.UNHASHED)
    separator: str | None = MISSING
    header: list[str] | None = MISSING
    comment: str | None = MISSING
    quoting: str = one_of("auto", "double", "none")
    encoding: str = MISSING
    max_bad_share: float = bounded(at_least=0, at_most=1)
    columns: ColumnsConfig = field(default_factory=ColumnsConfig)
    time_format: str = MISSING
    stray_years: float | None = bounded(at_least=0.01)
    list_separator: str | None = MISSING
    list_item: str | None = MISSING
    session_gap_s: float | None = bounded(at_least=0)
    filters: list[FilterConfig] = MISSING
    max_session_length: int | None = bounded(at_least=2)
    min_item_support: int = bounded(at_least=1)
    repeat_until_stable: bool = MISSING
    drop_repeats: bool = MISSING
    split: str = one_of(*SPLITS)
    test_days: int = bounded(at_least=1)
    days: str = one_of("calendar", "24_hours")
    test_from: str | None = MISSING
    test_until: str | None = MISSING
    test_by: str = one_of("last_event", "first_event")
    test_path: str | None = option(Mark.PATH, Mark.UNHASHED)
    test_share: float = bounded(above=0, at_most=0.5)
    window: WindowConfig = field(default_factory=WindowConfig)
    validation_days: int = bounded(at_least=0)
    keep_new_items: bool = MISSING
    cold_items: float = bounded(at_least=0, at_most=0.9)
    min_ranked_events: int = bounded(at_least=1, marks=[Mark.UNHASHED])
    scale: float | None = bounded(at_least=0.001, at_most=1000, marks=[Mark.UNHASHED])
    synthetic: SyntheticConfig | None = option(Mark.UNHASHED)
    profile: ProfileConfig | None = option(Mark.UNHASHED)
    items: ItemsConfig = group(ItemsConfig, Mark.UNHASHED)

    def check_values(self, path: str) -> None:
        for name in ("separator", "list_separator", "comment"):
            value = getattr(self, name)
            if value is not None and (not value or set(value) & set('"\r\n')):
                raise UserError(
                    f"{path}{name}={value!r} cannot be; give one or more characters other than quotes and line ends, "
                    "or null"
                )
        for name, names in (("header", self.header), ("items.header", self.items.header)):
            if names is not None and (not names or "" in names or len(set(names)) < len(names)):
                raise UserError(
                    f"{path}{name}={names} must name each column of the file by a name of its own"
                )
        _check_session_columns(self, path)
        if self.split == "given" and not self.test_path:
            raise UserError(
                f"{path}split=given needs the log of the test part: {path}test_path=FILE, a folder or a glob"
            )
        if self.split != "given" and self.test_path:
            raise UserError(
                f"{path}test_path={self.test_path} is the test part of {path}split=given alone; set that, or leave "
                f"it null with {path}split={self.split}"
            )
        _check_list_item(self, path)
        _check_untimed(self, path)


def _shown(value: str | None) -> str:
    return "null" if value is None else value


def _check_session_columns(dataset: DatasetConfig, path: str) -> None:
    names = dataset.columns.session_id
    if names is None or (isinstance(names, str) and names):
        return
    if not isinstance(names, list) or not names or not all(isinstance(each, str) and each for each in names):
        raise UserError(
            f"{path}columns.session_id={names} must be a column, several as [user_id, session_id], or null"
        )


def _check_list_item(dataset: DatasetConfig, path: str) -> None:
    pattern = dataset.list_item
    if pattern is None:
        return
    try:
        has_one_group = re.compile(pattern).groups == 1
    except re.error:
        has_one_group = False
    if not has_one_group:
        raise UserError(
            f'{path}list_item={pattern} is no regular expression with one group; write one such as "^(.+)-1$", whose '
            "group is the item"
        )
    if dataset.columns.next_item_id is not None:
        raise UserError(
            f"{path}list_item={pattern} takes items out of the elements of a list, which {path}columns.next_item_id="
            f"{dataset.columns.next_item_id} is none of; give one of both"
        )


def _check_untimed(dataset: DatasetConfig, path: str) -> None:
    """Raises `UserError` for a log without times that is to be split, or cut, by time."""
    if dataset.columns.time is not None:
        return
    if dataset.split not in TIMELESS_SPLITS:
        raise UserError(
            f"{path}columns.time=null leaves the log without times, by which {path}split={dataset.split} splits it; "
            f"name the column of the times, or set {path}split to one of {', '.join(TIMELESS_SPLITS)}"
        )
    for key, value in (
        ("columns.milliseconds", dataset.columns.milliseconds),
        ("session_gap_s", dataset.session_gap_s),
        ("items.properties.time", dataset.items.properties.time),
    ):
        if value is not None:
            raise UserError(
                f"{path}{key}={value} needs times, and {path}columns.time=null says that there are none; leave it null"
            )


@dataclass
class TfidfConfig:
    max_ngram: int = bounded(at_least=1, at_most=3)
    min_documents: int = bounded(at_least=1)
    max_characters: int = bounded(at_least=1)
    stopwords: list[str] = MISSING


@dataclass
class ImagesConfig:
    weights: str | None = option(Mark.PATH)
    batch_size: int = bounded(at_least=1)
    workers: int = bounded(at_least=0)
    max_bad_share: float = bounded(at_least=0, at_most=1)


@dataclass
class PrecomputedConfig:
    path: str | None = option(Mark.PATH)
    item_ids: str | None = option(Mark.PATH)
    normalise: bool = MISSING


@dataclass
class FeaturesConfig:
    """The kinds of item features.

    sources: the subnet that is fed -> how its vectors are made, the name of an extractor
    placebo: what stands for the vectors, drawn with placebo_seed; None for the vectors themselves
    options: those of an extension's extractors, by name
    """

    name: str = MISSING
    sources: dict[str, str] = MISSING
    placebo: str | None = one_of("shuffled", "noise", "constant", "ids")
    placebo_seed: int = bounded(at_least=0, marks=[Mark.SHARES_ROW])
    options: dict[str, Any] = options_of("EXTRACTORS")
    tfidf: TfidfConfig = field(default_factory=TfidfConfig)
    images: ImagesConfig = field(default_factory=ImagesConfig)
    precomputed: PrecomputedConfig = field(default_factory=PrecomputedConfig)

    def check_values(self, path: str) -> None:
        for name, how in self.sources.items():
            if name in RESERVED or not name.isidentifier():
                raise UserError(
                    f"{path}sources.{name}={how}: call it by a word of letters, digits and _ that is none of "
                    f"{', '.join(RESERVED)}, which name other things"
                )


@dataclass
class SubnetConfig:
    hidden_size: int = bounded(at_least=1)
    embedding_size: int | None = bounded(at_least=1)
    fine_tuning_rate: float = bounded(at_least=0)
    dropout: float = bounded(at_least=0, below=1)
    input_dropout: float = bounded(at_least=0, below=1)
    learning_rate: float = bounded(at_least=0)
    momentum: float = bounded(at_least=0, below=1)
    weight: float = MISSING


@dataclass
class ArchConfig:
    name: str = MISSING
    subnets: str = one_of("id", "feature", "concatenated", "each")
    readout: str = MISSING
    trained: str = one_of("together", "alone")
    weights: list[float] | None = MISSING
    order: list[str] | None = MISSING
    options: Any = options_of("READOUTS", named_by="readout")


@dataclass
class StrategyConfig:
    name: str = MISSING
    options: Any = options_of("STRATEGIES", named_by="name")


@dataclass
class RecipeConfig:
    name: str = MISSING
    loss: str = MISSING
    options: Any = options_of("LOSSES", named_by="loss")
    score_regularisation: float = bounded(at_least=0)
    activation: str = one_of("tanh", "linear", "elu")
    batch_size: int = bounded(at_least=2)
    num_sampled: Any = MISSING
    sample_alpha: float = bounded(at_least=0, at_most=1)
    logq: float = bounded(at_least=0, at_most=1)
    label_smoothing: float = bounded(at_least=0, below=1)
    calibration: float = bounded(at_least=0, at_most=1)
    tied: bool = MISSING
    dropout: float = bounded(at_least=0, below=1)
    input_dropout: float = bounded(at_least=0, below=1)
    learning_rate: float = bounded(at_least=0)
    momentum: float = bounded(at_least=0, below=1)
    optimiser: str = one_of("adagrad", "adam")

    def check_values(self, path: str) -> None:
        number = self.num_sampled
        is_number = isinstance(number, int) and not isinstance(number, bool)
        if number != "all" and not (is_number and number >= 0):
            raise UserError(
                f"{path}num_sampled={number} cannot be drawn; give a whole number from 0, or all to score every item"
            )

    @property
    def scores_all(self) -> bool:
        """Whether each item of the catalogue is scored in every step."""
        return bool(self.num_sampled == "all")

    @property
    def num_drawn(self) -> int:
        """The negatives that a step draws: none where it scores each item."""
        return 0 if self.scores_all else int(self.num_sampled)

    def num_columns(self, num_items: int) -> int:
        """The items that a step scores for each slot."""
        return num_items if self.scores_all else self.batch_size + self.num_drawn


@dataclass
class OutputConfig:
    """Learning settings of what the subnets share: the output table of `shared_w`."""

    learning_rate: float = bounded(at_least=0)
    momentum: float = bounded(at_least=0, below=1)


@dataclass
class EvaluationConfig:
    part: str = one_of("test", "validation")
    cold_items: float = bounded(at_least=0, at_most=0.9)
    metrics: list[str] = MISSING
    cutoffs: list[int] = MISSING
    candidates: Any = MISSING
    tie_break: str = one_of("conservative", "median", "standard")
    each_epoch: bool = MISSING

    def check_values(self, path: str) -> None:
        candidates, cutoffs = self.candidates, self.cutoffs
        is_number = isinstance(candidates, int) and not isinstance(candidates, bool)
        if candidates != "all" and not (is_number and candidates >= 1):
            raise UserError(
                f"{path}candidates={candidates} is no set of items; give all, or a number N from 1 "
                "for the N items of most training support"
            )
        if not cutoffs or min(cutoffs) < 1 or len(set(cutoffs)) < len(cutoffs):
            raise UserError(
                f"{path}cutoffs={cutoffs} cannot be measured; give different numbers from 1, such as [5,20]"
            )


@dataclass
class TrainingConfig:
    """Which of the trained epochs are kept, and what happens where training diverges; patience: auto, a number of
    epochs, or None for no end before the last; most_epochs: where these are auto; select, refit: None for as epochs
    has them; validation_events: auto, all, or a number."""

    select: str | None = one_of("last", "best")
    metric: str = MISSING
    patience: Any = MISSING
    most_epochs: int = bounded(at_least=1)
    refit: bool | None = MISSING
    validation_events: Any = MISSING
    on_divergence: str = one_of("lower", "stop")

    def check_values(self, path: str) -> None:
        _check_number(f"{path}patience", self.patience, "auto", "null")
        _check_number(f"{path}validation_events", self.validation_events, "auto", "all")


@dataclass
class HardwareConfig:
    device: str = one_of("auto", "cpu", "gpu")
    threads: int | None = bounded(at_least=1)
    compile: str = one_of("auto", "always", "never")
    tf32: bool = MISSING


@dataclass
class CheckpointConfig:
    every_s: float = bounded(at_least=0)
    keep: str = one_of("last", "never")


@dataclass
class UnitsConfig:
    """Hidden units of each subnet, by `ArchConfig.subnets`."""

    id: int = bounded(at_least=1)
    feature: int = bounded(at_least=1)
    concatenated: int = bounded(at_least=1)
    each: int = bounded(at_least=1)


@dataclass
class TableConfig:
    gain_over: str | None = MISSING
    parameters: bool = MISSING
    events_per_s: bool = MISSING
    published: bool = MISSING
    figures: bool = MISSING
    resamples: int = bounded(at_least=100, at_most=1_000_000)
    confidence: float = bounded(at_least=0.5, below=1)


@dataclass
class LoggerConfig:
    """The logger of a run; uri: of MLflow's tracking store; experiment: the name there that the run belongs to."""

    name: str = one_of("tensorboard", "mlflow")
    uri: str | None = MISSING
    experiment: str | None = MISSING


@dataclass
class SearchConfig:
    """A search for settings.

    method: a baseline whose options they are; None for the network's
    space: option -> a sweep in Hydra's grammar, such as interval(0,0.7)
    trial: the number of the trial that a run is, else None
    """

    name: str = MISSING
    method: str | None = MISSING
    metric: str = MISSING
    trials: int = bounded(at_least=1)
    parallel: int = bounded(at_least=1)
    prune: bool = MISSING
    prune_after_trials: int = bounded(at_least=1)
    prune_after_epochs: int = bounded(at_least=0)
    folder: str = MISSING
    trial: int | None = bounded(at_least=0)
    space: dict[str, str] = MISSING


@dataclass
class PreprocessCommand:
    cache_dir: str = MISSING
    dataset: DatasetConfig = field(default_factory=DatasetConfig)


@dataclass
class FeaturesCommand:
    similar: str | None = option(Mark.ITEM_IDS)
    cache_dir: str = MISSING
    dataset: DatasetConfig = field(default_factory=DatasetConfig)
    features: FeaturesConfig = field(default_factory=FeaturesConfig)
    hardware: HardwareConfig = field(default_factory=HardwareConfig)


@dataclass
class NewItemsConfig:
    fit: str = one_of("auto", "ridge", "nearest", "none")
    alpha: float = bounded(above=0)
    neighbours: int = bounded(at_least=1)
    boost: float = bounded(at_least=0)


@dataclass
class TrainCommand:
    """epochs: a number, or auto, which experiment/epochs.py makes a number of."""

    label: str | None = option(Mark.FREE_ON_RESUME)
    epochs: Any = MISSING
    seed: int = bounded(at_least=0, marks=[Mark.SHARES_ROW])
    seeds: int = bounded(at_least=1, at_most=1000, marks=[Mark.FREE_ON_RESUME])
    resume: bool = option(Mark.FREE_ON_RESUME)
    experiment: str | None = option(Mark.SHARES_ROW)
    row: str | None = option(Mark.SHARES_ROW)
    cache_dir: str = option(Mark.FREE_ON_RESUME)
    dataset: DatasetConfig = field(default_factory=DatasetConfig)
    features: FeaturesConfig = field(default_factory=FeaturesConfig)
    arch: ArchConfig = field(default_factory=ArchConfig)
    strategy: StrategyConfig = field(default_factory=StrategyConfig)
    recipe: RecipeConfig = field(default_factory=RecipeConfig)
    units: UnitsConfig = group(UnitsConfig, Mark.SHARES_ROW)  # the subnets hold the values
    subnets: dict[str, SubnetConfig] = MISSING
    output: OutputConfig = field(default_factory=OutputConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    new_items: NewItemsConfig = field(default_factory=NewItemsConfig)
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)
    baselines: dict[str, Any] = options_of("BASELINES", marks=[Mark.SHARES_ROW])
    hardware: HardwareConfig = group(HardwareConfig, Mark.FREE_ON_RESUME)
    checkpoint: CheckpointConfig = group(CheckpointConfig, Mark.FREE_ON_RESUME)
    logger: LoggerConfig | None = option(Mark.FREE_ON_RESUME)
    search: SearchConfig | None = option(Mark.FREE_ON_RESUME)
    tune: list[str] = option(Mark.FREE_ON_RESUME)
    table: TableConfig = group(TableConfig, Mark.FREE_ON_RESUME)
    plan: Any = option(Mark.FREE_ON_RESUME)
    jobs: Any = option(Mark.FREE_ON_RESUME)

    def check_values(self, path: str) -> None:
        jobs = int(self.jobs) if str(self.jobs).isdecimal() else self.jobs  # text, where PRNN_JOBS sets it
        _check_number(f"{path}jobs", jobs, AUTO, note=" (the environment's PRNN_JOBS sets it too)")
        epochs = self.epochs
        if epochs == AUTO:
            return
        if isinstance(epochs, bool) or not str(epochs).lstrip("-").isdecimal():
            shown = "null" if epochs is None else str(epochs).lower()
            raise UserError(f"{path}epochs={shown} does not fit; epochs must be a whole number, or auto")
        _check_bounds(f"{path}epochs", int(epochs), {"at_least": 1})


@dataclass
class VerdictCommand(TrainCommand):
    """The settings of the networks that a verdict trains, and how many of them it trains.

    looks: the numbers of seeds after which it may end
    """

    recipes: list[str] = MISSING
    rows: list[str] = MISSING
    trials: int = bounded(at_least=1, at_most=100)
    space: dict[str, str] = MISSING
    looks: list[int] = MISSING
    hours: float = bounded(above=0, marks=[Mark.FREE_ON_RESUME])
    metric: str = MISSING
    level: float = bounded(above=0, below=1)
    interest: float = bounded(at_least=0)
    rare: float = bounded(above=0, below=1)

    def check_values(self, path: str) -> None:
        super().check_values(path)
        looks = self.looks
        if not looks or looks != sorted(set(looks)) or looks[0] < 2:
            raise UserError(
                f"{path}looks={list(looks)} does not fit; give numbers of seeds that rise, from 2 on, such as [3,6]"
            )


@dataclass
class EvaluationChanges:
    """The settings that `prnn evaluate` makes anew; null keeps the run's own."""

    part: str | None = one_of("test", "validation")
    metrics: list[str] | None = MISSING
    cutoffs: list[int] | None = MISSING
    candidates: Any = MISSING
    tie_break: str | None = one_of("conservative", "median", "standard")


@dataclass
class EvaluateCommand:
    run: str = MISSING
    cache_dir: str = MISSING
    evaluation: EvaluationChanges = field(default_factory=EvaluationChanges)
    baselines: dict[str, Any] = options_of("BASELINES")
    hardware: HardwareConfig = field(default_factory=HardwareConfig)


@dataclass
class RecommendCommand:
    run: str = MISSING
    new_items: str | None = MISSING
    boost: float | None = bounded(at_least=0)
    session: list[str] | None = option(Mark.ITEM_IDS)
    sessions: str | None = MISSING
    stream: bool = MISSING
    method: str | None = MISSING
    n: int = bounded(at_least=1)
    exclude_clicked: bool = MISSING
    allow: str | None = MISSING
    deny: str | None = MISSING
    explain: bool = MISSING
    output: str | None = MISSING
    cache_dir: str = MISSING
    hardware: HardwareConfig = field(default_factory=HardwareConfig)


@dataclass
class ExportCommand:
    run: str = MISSING
    new_items: str | None = MISSING
    boost: float | None = bounded(at_least=0)
    out: str = MISSING


@dataclass
class LimitsConfig:
    body_bytes: int = bounded(at_least=100)
    clicks: int = bounded(at_least=1)
    k: int = bounded(at_least=1)
    list_items: int = bounded(at_least=1)
    batch: int = bounded(at_least=1)
    waiting: int = bounded(at_least=1)
    sessions: int = bounded(at_least=1)


@dataclass
class ServeCommand:
    run: str = MISSING
    new_items: str | None = MISSING
    boost: float | None = bounded(at_least=0)
    host: str = MISSING
    port: int = bounded(at_least=0, at_most=65535)
    ttl: float = bounded(above=0)
    threads: int = bounded(at_least=1, at_most=256)
    limits: LimitsConfig = field(default_factory=LimitsConfig)


@dataclass
class TablesCommand:
    runs: Any = MISSING
    table: TableConfig = field(default_factory=TableConfig)


@dataclass
class TrainingCase:
    """A training to be timed: overrides of `prnn train`, on a drawn log of this many items."""

    num_items: int = bounded(at_least=1000)
    overrides: list[str] = MISSING


@dataclass
class RankingCase:
    num_items: int = bounded(at_least=1000)
    candidates: Any = MISSING


@dataclass
class LogCase:
    num_events: int = bounded(at_least=1000)
    num_items: int = bounded(at_least=100)


@dataclass
class BaselineCase:
    """The fit of a baseline on a drawn log, with the options that `prnn train` gives it."""

    name: str = MISSING
    num_events: int = bounded(at_least=1000)
    num_items: int = bounded(at_least=100)


@dataclass
class ForecastCase:
    """A run to be forecast, and then to be run: overrides of `prnn train`."""

    overrides: list[str] = MISSING


@dataclass
class BenchConfig:
    name: str = MISSING
    repeats: int = bounded(at_least=1)
    steps: int = bounded(at_least=10, at_most=256)
    training: list[TrainingCase] = MISSING
    ranking: list[RankingCase] = MISSING
    baselines: list[BaselineCase] = MISSING
    preparation: list[LogCase] = MISSING
    forecasts: list[ForecastCase] = MISSING


@dataclass
class BenchCommand:
    cache_dir: str = MISSING
    bench: BenchConfig = field(default_factory=BenchConfig)
    hardware: HardwareConfig = field(default_factory=HardwareConfig)


@dataclass
class StatusCommand:
    run: str = MISSING


@dataclass
class CleanCommand:
    runs: str = MISSING
    cache_dir: str = MISSING
    days: float = bounded(at_least=0)
    sweeps: bool = MISSING
    checkpoints: bool = MISSING
    remove: bool = MISSING


@cache
def marked(config: type, mark: Mark) -> tuple[str, ...]:
    """The marked options of a config class, such as dataset.items.path, and marked groups in place of their options.

    What may be null, or has names or elements of the user's, is marked as a whole: it is not looked into.
    """
    found: list[str] = []
    for spec in dataclasses.fields(config):
        inner: Any = spec.default_factory
        if mark in spec.metadata.get("marks", ()):
            found.append(spec.name)
        elif inner is not dataclasses.MISSING:
            found += [f"{spec.name}.{name}" for name in marked(inner, mark)]
    return tuple(found)


def is_marked(key: str, *marks: Mark) -> bool:
    """Whether an option of prnn train or verdict, such as hardware.threads, has one of the marks, or a group that holds
    it has."""
    names = [name for mark in marks for name in marked(VerdictCommand, mark)]
    return any(f"{key}.".startswith(f"{name}.") for name in names)


def check(config: Any, path: str = "") -> None:
    """Raises `UserError` for the first value of a (nested) config object that lies outside its bounds."""
    for spec in dataclasses.fields(config):
        value = getattr(config, spec.name)
        name = f"{path}{spec.name}"
        for where, inner in _nested(value, name):
            check(inner, f"{where}.")
        if value is not None:
            _check_bounds(name, value, spec.metadata)
    if hasattr(config, "check_values"):
        config.check_values(path)


def _check_number(name: str, value: Any, *words: str, note: str = "") -> None:
    """Raises `UserError` for what is neither one of the words nor a whole number from 1."""
    value = "null" if value is None else value
    is_number = isinstance(value, int) and not isinstance(value, bool) and value >= 1
    if value not in words and not is_number:
        raise UserError(
            f"{name}={value} cannot be used; give {', '.join(words)}, or a whole number from 1{note}"
        )


def _nested(value: Any, name: str) -> list[tuple[str, Any]]:
    if dataclasses.is_dataclass(value):
        return [(name, value)]
    if isinstance(value, dict):
        return [(f"{name}.{key}", inner) for key, inner in value.items() if dataclasses.is_dataclass(inner)]
    if isinstance(value, list):
        return [(f"{name}[{i}]", inner) for i, inner in enumerate(value) if dataclasses.is_dataclass(inner)]
    return []


def _check_bounds(name: str, value: Any, bounds: Any) -> None:
    choices = bounds.get("choices")
    if choices and value not in choices:
        raise UserError(f"{name}={value} does not exist; choose one of {', '.join(choices)}")
    low, high, below, above = (bounds.get(name) for name in ("at_least", "at_most", "below", "above"))
    if low is not None and not value >= low:
        raise UserError(f"{name}={value} is too small; it must be at least {low:g}")
    if high is not None and not value <= high:
        raise UserError(f"{name}={value} is too large; it must be at most {high:g}")
    if above is not None and not value > above:
        raise UserError(f"{name}={value} is too small; it must be above {above:g}")
    if below is not None and not value < below:
        raise UserError(f"{name}={value} is too large; it must be below {below:g}")

"""docs/extending.md: its examples are put into files, checked, installed and run as it says; and what is refused."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import yaml

from commands.conftest import SMALL, Result, forget
from prnn_cli import extensions
from prnn_cli.run_folder import read_json

Prnn = Callable[..., Result]
pytest_plugins = ["commands.conftest"]
pytestmark = pytest.mark.usefixtures("forget_extensions")

PAGE = (Path(__file__).parents[1] / "docs" / "extending.md").read_text(encoding="utf-8")
EXAMPLES = ("session_knn", "pooled", "warm_start", "mean_colour", "shop")
QUICK = [*SMALL, "epochs=1"]
PARALLEL = [*(each for each in SMALL if not each.startswith(("arch", "subnets"))), "units.each=6", "epochs=1"]


def files_on_the_page() -> dict[str, str]:
    """Each block below the name of its file."""
    return dict(re.findall(r"`(\S+)`:\n\n```(?:python|yaml|toml)\n(.*?)```", PAGE, flags=re.DOTALL))


def write(folder: Path, *names: str) -> None:
    """The examples of these names, each a module and its config."""
    for file, text in files_on_the_page().items():
        if Path(file).stem in names:
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).write_text(text, encoding="utf-8")


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """As pip leaves a package: a folder on the path, with the metadata that name its entry points."""
    write(folder / "prnn_mine", *names)
    (folder / "prnn_mine" / "__init__.py").write_text("")
    metadata = folder / "prnn_mine-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: prnn-mine\nVersion: 1.0\n")
    entries = "".join(f"{name} = prnn_mine.{name}\n" for name in names)
    (metadata / "entry_points.txt").write_text(f"[prnn.extensions]\n{entries}")
    monkeypatch.syspath_prepend(folder)
    extensions._installed.cache_clear()
    extensions.registered.cache_clear()


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_has_at_most_30_lines_and_one_config(name: str) -> None:
    files = {file: text for file, text in files_on_the_page().items() if Path(file).stem == name}
    assert sorted(Path(file).suffix for file in files) == [".py", ".yaml"]
    code = [line for line in files[f"{name}.py"].splitlines() if line.strip()]
    assert len(code) <= 30


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_keeps_the_contracts(prnn: Prnn, workplace: Path, name: str) -> None:
    write(workplace, name)
    checked = prnn("check", f"{name}.py")
    assert checked.exit_code == 0, checked.out + checked.err
    assert "✓" in checked.out
    assert "✗" not in checked.out


def test_a_baseline_from_a_file_stands_in_metrics_and_tables(prnn: Prnn, workplace: Path) -> None:
    write(workplace, "session_knn")
    chosen = ["baselines=[session_knn,item_knn]", "baselines.session_knn.num_sessions=20"]
    done = prnn(
        "train",
        "--extend",
        "session_knn.py",
        *QUICK,
        *chosen,
        "hydra.run.dir=a",
    )
    assert done.exit_code == 0, done.err
    metrics = read_json(Path("a/metrics.json"))
    assert list(metrics["baselines"]) == ["session_knn", "item_knn"]
    assert (
        metrics["baselines"]["session_knn"]["recall@20"] > metrics["baselines"]["item_knn"]["recall@20"] / 2
    )
    assert metrics["baseline_options"]["session_knn"]["num_sessions"] == 20
    assert "session_knn" in metrics["extensions"]
    assert "Session-kNN" in done.out
    assert "Gains over Session-kNN" in done.out
    assert (
        "Session-kNN" in prnn("tables", "runs=a", "table.figures=false", "hydra.run.dir=t").out
    )  # without the file


def test_a_changed_baseline_is_ranked_anew(prnn: Prnn, workplace: Path) -> None:
    write(workplace, "session_knn")
    arguments = ["train", "--extend=session_knn.py", *QUICK, "baselines=[session_knn]"]
    assert "ranks of session_knn" not in prnn(*arguments, "hydra.run.dir=a").err
    forget()
    assert "reusing the ranks of session_knn" in prnn(*arguments, "hydra.run.dir=b").err
    forget()
    code = Path("session_knn.py")
    code.write_text(code.read_text().replace("np.maximum(least, 1)", "np.maximum(least, 2)"))
    assert "reusing the ranks of session_knn" not in prnn(*arguments, "hydra.run.dir=c").err


def test_installed_examples_train_together_appear_in_help_and_resume(
    prnn: Prnn, workplace: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path_factory.mktemp("site"), monkeypatch, *EXAMPLES)
    mine = ["arch=pooled", "strategy=warm_start", "features=mean_colour", "baselines=[item_knn,session_knn]"]
    done = prnn("train", *PARALLEL, *mine, "hydra.run.dir=run")
    assert done.exit_code == 0, done.err
    assert [row["learning"] for _, row in pd.read_csv("run/epochs.csv").iterrows()] == ["id", "id+image"]
    assert "image: 3 dimensions" in done.err
    assert "pooled (warm_start" in Path("run/results.md").read_text()
    assert read_json(Path("run/metrics.json"))["extensions"]["pooled"].startswith("prnn-mine 1.0")
    assert "this run is finished" in prnn("train", *PARALLEL, *mine, "hydra.run.dir=run", "resume=true").err
    assert prnn("evaluate", "run=run").exit_code == 0
    assert "done" in prnn("status", "run=run").out
    assert "pooled" in prnn("train", "arch=nope").err
    for group, choice in (
        ("arch", "pooled"),
        ("strategy", "warm_start"),
        ("baselines", "session_knn"),
        ("dataset", "shop"),
    ):
        assert f"\n  {choice}" in prnn("train", "--help", group).out
    assert "baselines=session_knn" in prnn("completion", "query", "prnn train baselines=s").out
    assert prnn("check").exit_code == 0


def test_a_dataset_of_an_extension_reads_a_log(prnn: Prnn, workplace: Path) -> None:
    write(workplace, "shop")
    rows = [f"v{n // 4},i{n * 7 % 5},{1_600_000_000 + 20_000 * n}" for n in range(80)]
    Path("clicks.csv").write_text("\n".join(["visit,sku,clicked_at", *rows]) + "\n")
    shop = ["--extend", "shop.py", "dataset=shop", "dataset.path=clicks.csv"]
    done = prnn(
        "train",
        *shop,
        "arch=id_only",
        "epochs=1",
        "units.id=4",
        "recipe.batch_size=4",
        "dataset.min_ranked_events=3",
        "hydra.run.dir=r",
    )
    assert done.exit_code == 0, done.err
    assert read_json(Path("r/metrics.json"))["dataset"] == "shop"
    assert "shop" in prnn("datasets", "--extend", "shop.py").out


HELLO = """
from dataclasses import dataclass

from prnn_cli.commands import Command


@dataclass
class Options:
    name: str


class Hello(Command):
    options = Options
    writes = False

    def run(self, settings, folder):
        print("hello", settings.name)


COMMANDS = {"hello": Hello()}
"""


def test_a_public_log_that_is_not_told_whole_is_a_sentence(prnn: Prnn, workplace: Path) -> None:
    (workplace / "configs" / "dataset").mkdir(parents=True)
    (workplace / "configs" / "dataset" / "shop.yaml").write_text("path: shop\nsource: {title: Shop}\n")
    (workplace / "shop.py").touch()
    refused = prnn("datasets", "--extend", "shop.py")
    assert refused.exit_code == 2
    assert "configs/dataset/shop.yaml cannot be read" in refused.err
    assert "it has title, page, licence" in refused.err


def test_a_command_is_a_module_and_a_config(prnn: Prnn, workplace: Path) -> None:
    Path("greet.py").write_text(HELLO)
    Path("configs").mkdir()
    settings = {"defaults": ["hello_schema", "_self_"], "name": "you", "hydra": {"output_subdir": None}}
    Path("configs/hello.yaml").write_text("# prnn hello: greets\n" + yaml.safe_dump(settings))
    assert "hello       greets" in prnn("--extend", "greet.py", "--help").out
    assert "hello me" in prnn("hello", "--extend", "greet.py", "name=me", "hydra.run.dir=.").out
    refused = prnn("hello", "--extend", "greet.py", "nam=me")
    assert refused.exit_code == 2
    assert "nam is not an option; did you mean name?" in refused.err


def test_a_metric_and_a_loss_need_no_config(prnn: Prnn, workplace: Path) -> None:
    Path("mine.py").write_text(
        "from prnn_cli.training.losses import bpr\n\n"
        "def soft(ranks, k):\n    return 1 / (k + ranks)\n\n"
        "METRICS = {'soft': soft}\nLOSSES = {'mine': bpr}\n"
    )
    arguments = ["train", "--extend", "mine.py", *QUICK, "evaluation.metrics=[mrr,soft]", "recipe.loss=mine"]
    done = prnn(*arguments, "hydra.run.dir=r")
    assert done.exit_code == 0, done.err
    metrics = read_json(Path("r/metrics.json"))
    assert 0 < metrics["soft@20"] < 1 / 20
    assert {"recall@20", "mrr@20"} <= metrics.keys()
    assert "soft@20" in done.out
    assert "soft@20" in prnn("tables", "runs=r", "--extend", "mine.py", "table.figures=false").out
    forget()
    without = prnn("tables", "runs=r", "table.figures=false")
    assert without.exit_code == 0
    assert "soft is of an extension that is not there" in without.err
    assert "mrr@20" in without.out
    assert "soft@20" not in without.out


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (
            "import no_such_module",
            "broken.py cannot be loaded (ModuleNotFoundError: No module named 'no_such_module')",
        ),
        (
            "from prnn_cli.baselines.markov import BASELINES",
            "defines markov in BASELINES, which prnn defines too; give it another name",
        ),
        ("BASELINES = 3", "defines BASELINES=3; it must be a dict of names and entries"),
        ("BASELINES = {'x': 3}", "defines x in BASELINES as 3; docs/extending.md shows what it must be"),
        ("BASELINES = {'network': 3}", "defines 'network' in BASELINES; a name is a word"),
        ("METRICS = {'a@b': max}", "defines 'a@b' in METRICS; a name is a word"),
        ("import sys; sys.exit(0)", "broken.py cannot be loaded (SystemExit: 0)"),
        ("1 +", "broken.py cannot be loaded (SyntaxError"),
    ],
)
def test_an_extension_that_cannot_be_used_is_a_sentence(
    prnn: Prnn, workplace: Path, code: str, sentence: str
) -> None:
    Path("broken.py").write_text(code)
    refused = prnn("train", "--extend", "broken.py", *QUICK)
    assert refused.exit_code == 2
    assert sentence in refused.err
    assert "Traceback" not in refused.err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["train", "--extend"], "--extend needs a file; write --extend FILE.py"),
        (["train", "--extend", "nowhere.py"], "--extend nowhere.py is no Python file"),
        (
            ["train", "arch.readout=pooled"],
            "choose one of separate, shared, interaction (one of an extension needs",
        ),
        (
            ["train", "baselines=[session_knn]"],
            "[session_knn] does not exist; choose any of association_rules, content_knn, fast",
        ),
    ],
)
def test_what_is_not_there_is_a_sentence(prnn: Prnn, arguments: list[str], sentence: str) -> None:
    refused = prnn(*arguments)
    assert refused.exit_code == 2
    assert sentence in refused.err


def test_a_run_with_an_extension_is_refused_without_it(prnn: Prnn, workplace: Path) -> None:
    """Nothing in a run's folder loads code: the file has to be named again."""
    write(workplace, "session_knn")
    assert (
        prnn(
            "train", "--extend", "session_knn.py", *QUICK, "baselines=[session_knn]", "hydra.run.dir=r"
        ).exit_code
        == 0
    )
    forget()
    refused = prnn("evaluate", "run=r")
    assert refused.exit_code == 2
    assert "baselines=session_knn does not exist" in refused.err
    assert prnn("evaluate", "run=r", "--extend", "session_knn.py").exit_code == 0


def test_a_baseline_that_fails_does_not_lose_the_training(prnn: Prnn, workplace: Path) -> None:
    write(workplace, "session_knn")
    code = Path("session_knn.py").read_text()
    Path("session_knn.py").write_text(code.replace("shared = self.held @", "shared = self.hold @"))
    arguments = ["train", "--extend", "session_knn.py", *QUICK, "baselines=[session_knn]", "hydra.run.dir=r"]
    failed = prnn(*arguments)
    assert failed.exit_code == 1
    assert (
        "the baseline session_knn fails (AttributeError: 'SessionKnn' object has no attribute 'hold')"
        in failed.err
    )
    assert "Traceback" not in failed.err
    forget()
    Path("session_knn.py").write_text(code)
    resumed = prnn(*arguments, "resume=true")
    assert resumed.exit_code == 0
    assert "epoch" not in resumed.err.partition("resuming at")[2].partition("\n")[2]
    assert "Session-kNN" in resumed.out


def knn(changes: dict[str, str]) -> None:
    """The page's baseline in this folder, with changes of its text."""
    forget()
    write(Path(), "session_knn")
    text = Path("session_knn.py").read_text()
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    Path("session_knn.py").write_text(text)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"sessions, self.k =": "data.train.items.sort()\n        sessions, self.k ="}, "read-only"),
        ({"[:, items]": ""}, "scores of some items are not those that they have among all"),
        (
            {"self.clicked[:, new_session.cpu().numpy()] = 0": "pass"},
            "a new session remembers the one before it",
        ),
        ({"scores.T, np.float32)": "scores.T * np.nan, np.float32)"}, "a score is not finite"),
    ],
)
def test_a_baseline_that_breaks_its_contract_gives_no_number(
    prnn: Prnn, workplace: Path, changes: dict[str, str], sentence: str
) -> None:
    knn(changes)
    refused = prnn(
        "train", "--extend", "session_knn.py", *QUICK, "baselines=[session_knn,item_knn]", "hydra.run.dir=r"
    )
    assert refused.exit_code == 1
    assert "the baseline session_knn fails" in refused.err
    assert sentence in refused.err
    assert not Path("r/metrics.json").exists()


def test_a_baseline_is_not_given_what_it_is_to_predict(prnn: Prnn, workplace: Path) -> None:
    knn({"sessions, self.k =": "assert data.test.num_sessions == 0\n        sessions, self.k ="})
    assert (
        prnn(
            "train", "--extend", "session_knn.py", *QUICK, "baselines=[session_knn]", "hydra.run.dir=r"
        ).exit_code
        == 0
    )


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("def f(ranks, k):\n    return ranks[:5]", "its values are (5,), not one for each rank"),
        ("def f(ranks, k):\n    return ranks * float('nan')", "a value is not finite"),
        ("def f(ranks, k):\n    return ranks", "a better rank is worth less"),
        ("def f(ranks, k):\n    raise KeyError('k')", "KeyError"),
    ],
)
def test_a_metric_that_breaks_its_contract_is_refused(
    prnn: Prnn, workplace: Path, code: str, sentence: str
) -> None:
    Path("mine.py").write_text(f"{code}\n\nMETRICS = {{'mine': f}}\n")
    refused = prnn("train", "--extend", "mine.py", *QUICK, "evaluation.metrics=[mrr,mine]")
    assert refused.exit_code == 2
    assert "the metric mine cannot be used" in refused.err
    assert sentence in refused.err


def test_a_network_is_not_used_with_other_code_than_it_was_trained_by(prnn: Prnn, workplace: Path) -> None:
    write(workplace, "pooled")
    mine = ["--extend", "pooled.py", *PARALLEL, "arch=pooled", "strategy=simultaneous"]
    assert prnn("train", *mine, "hydra.run.dir=a", "seed=1").exit_code == 0
    forget()
    code = Path("pooled.py").read_text()
    Path("pooled.py").write_text(code.replace("amax", "amin"))
    changed = "READOUTS pooled of an extension is other code than when the run in"
    for command in (["evaluate", "run=a"], ["recommend", "run=a", "session=[item-01]"]):
        refused = prnn(*command, "--extend", "pooled.py")
        assert refused.exit_code == 2
        assert changed in refused.err
    for more in ([], ["epochs=2"]):
        refused = prnn("train", *mine, "hydra.run.dir=a", "seed=1", "resume=true", *more)
        assert refused.exit_code == 2
        assert changed in refused.err
    assert prnn("train", *mine, "hydra.run.dir=b", "seed=2").exit_code == 0
    table = prnn("tables", "runs=[a,b]", "table.figures=false").out
    assert table.count("pooled (simultaneous") == 2


def test_a_network_is_used_without_the_baselines_that_it_was_compared_with(
    prnn: Prnn, workplace: Path
) -> None:
    write(workplace, "session_knn")
    assert (
        prnn(
            "train", "--extend", "session_knn.py", *QUICK, "baselines=[session_knn]", "hydra.run.dir=r"
        ).exit_code
        == 0
    )
    forget()
    assert prnn("recommend", "run=r", "session=[item-01]").exit_code == 0
    assert prnn("evaluate", "run=r", "baselines=[item_knn]").exit_code == 0
    refused = prnn("evaluate", "run=r", "baselines.item_knn.alpha=0.3")
    assert refused.exit_code == 2
    assert "item_knn is not among the baselines; add it to baselines=[…]" in refused.err


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ("", "must hold the options of session_knn and nothing else"),
        (
            "session_knn: {num_sessions: 5}\nitem_knn: {num_neighbours: 1}",
            "must hold the options of session_knn and nothing else",
        ),
        (
            "session_knn: {num_sessions: 0}",
            "baselines.session_knn.num_sessions=0 is too small; it must be at least 1",
        ),
        ("session_knn: {num_sessions: many}", "num_sessions must be a whole number"),
    ],
)
def test_a_config_of_a_baseline_that_is_wrong_is_refused(
    prnn: Prnn, workplace: Path, config: str, sentence: str
) -> None:
    write(workplace, "session_knn")
    Path("configs/baselines/session_knn.yaml").write_text(config + "\n")
    refused = prnn("train", "--extend", "session_knn.py", *QUICK, "baselines=[item_knn,session_knn]")
    assert refused.exit_code == 2
    assert sentence in refused.err


def test_examples_that_share_a_folder_are_checked_one_by_one(prnn: Prnn, workplace: Path) -> None:
    write(workplace, *EXAMPLES)
    checked = prnn("check", "session_knn.py")
    assert checked.exit_code == 0, checked.out
    assert checked.out.count("✓") == 2


@pytest.mark.nightly
def test_an_extension_is_installed_by_pip(tmp_path: Path) -> None:
    """As docs/extending.md says; pip fetches the build system."""
    write(tmp_path / "prnn_s_knn", "session_knn")
    (tmp_path / "pyproject.toml").write_text(files_on_the_page()["pyproject.toml"])
    (tmp_path / "prnn_s_knn" / "__init__.py").write_text("")
    site = tmp_path / "site"
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--target",
        str(site),
        str(tmp_path),
    ]
    subprocess.run(command, check=True)
    code = "import sys; from prnn_cli.cli import main; sys.exit(main(['check', 'session_knn']))"
    checked = subprocess.run([sys.executable, "-c", f"import sys; sys.path.insert(0, {str(site)!r}); {code}"])
    assert checked.returncode == 0

"""prnn features: prepare -> extract -> what the features cover; similar=ITEM_ID shows how good they are."""

from pathlib import Path
from textwrap import shorten
from typing import Any

from prnn_cli.commands import Command
from prnn_cli.data.prepare import prepare
from prnn_cli.errors import UserError
from prnn_cli.extensions import chosen
from prnn_cli.features.extract import catalogue_of, check_features, extract, fetch_needed
from prnn_cli.features.extractors.precomputed import Precomputed
from prnn_cli.features.image_extractor import ImageExtractor
from prnn_cli.features.items import ItemCatalogue
from prnn_cli.features.similar import Tile, draw_tiles, nearest
from prnn_cli.features.table import FeatureTable
from prnn_cli.reporting.table_formats import TextTable, to_markdown
from prnn_cli.reporting.terminal import show
from prnn_cli.run_folder import RunFolder
from prnn_cli.schema import FeaturesCommand
from prnn_cli.system.files import write_json, write_text
from prnn_cli.system.hardware import select_device

NUM_SIMILAR = 3  # as in the paper's Figure 2
SHOWN_TEXT = 100  # characters


class Features(Command):
    """The command `prnn features`."""

    options = FeaturesCommand

    def check(self, settings: FeaturesCommand) -> None:
        if not settings.features.sources:
            raise UserError(
                f"features={settings.features.name} makes none; choose another, such as features=text"
            )
        check_features(settings.features, settings.dataset)

    def run(self, settings: FeaturesCommand, folder: RunFolder) -> None:
        device = select_device(settings.hardware)
        cache_dir = Path(settings.cache_dir)
        fetch_needed(settings.features, cache_dir)
        data = prepare(settings.dataset, cache_dir)
        query = data.items.index_of(settings.similar, "similar") if settings.similar is not None else None
        tables = extract(settings.features, settings.dataset, data, cache_dir, device)
        summary = [_properties(table, settings.features.sources[name]) for name, table in tables.items()]
        overview = _overview_table(summary)
        write_text(folder.path / "features.md", to_markdown(overview))
        show(overview, title=settings.dataset.name)
        results: dict[str, Any] = {
            "dataset": settings.dataset.name,
            "data_hash": data.data_hash,
            "features": settings.features.name,
            "sources": summary,
        }
        if query is not None:
            catalogue = catalogue_of(settings.dataset, data, cache_dir)
            results["similar"] = _show_similar(query, tables, catalogue, settings, folder.path)
        write_json(folder.path / "features.json", results)
        print(f"written to {folder.path}")


def _overview_table(summary: list[dict[str, Any]]) -> TextTable:
    lines = [
        [
            source["source"],
            source["extractor"],
            f"{source['dimensions']:,}",
            f"{source['nonzeros_per_item']:.2f}",
            f"{source['covered_items']:,} of {source['items']:,}",
        ]
        for source in summary
    ]
    return TextTable(
        ["Source", "Extractor", "dimensions", "non-zeros an item", "covered items"], lines, "llrrr"
    )


def _properties(table: FeatureTable, extractor: str) -> dict[str, Any]:
    return {
        "source": table.name,
        "extractor": extractor,
        "dimensions": table.size,
        "nonzeros_per_item": table.num_nonzeros / table.num_items,
        "covered_items": table.num_covered,
        "items": table.num_items,
    }


def _show_similar(
    query: int,
    tables: dict[str, FeatureTable],
    catalogue: ItemCatalogue,
    settings: FeaturesCommand,
    folder: Path,
) -> list[dict[str, Any]]:
    """Prints the query and its nearest items for each source, and writes similar.md, and similar.png of images."""
    covered = {name: table for name, table in tables.items() if table.covered[query]}
    if not covered:
        raise UserError(f"similar={settings.similar} has no features: none of {', '.join(tables)} covers it")
    alike = {name: [(query, 1.0), *nearest(table, query, NUM_SIMILAR)] for name, table in covered.items()}
    found = [
        {
            "source": name,
            "rank": rank,
            "item_id": str(catalogue.item_ids[item]),
            "similarity": similarity,
            "text": catalogue.text(item),
        }
        for name, items in alike.items()
        for rank, (item, similarity) in enumerate(items)
    ]
    table = _similar_table(found)
    write_text(folder / "similar.md", to_markdown(table))
    show(table)
    pictured = [items for name, items in alike.items() if _may_show_images(settings.features.sources[name])]
    if pictured and catalogue.has_images:
        _draw(pictured, catalogue, folder / "similar.png")
    return found


def _may_show_images(extractor: str) -> bool:
    """Whether the vectors describe images, or may: nothing says what precomputed ones were made of."""
    return issubclass(chosen("EXTRACTORS", extractor, "features.sources"), ImageExtractor | Precomputed)


def _similar_table(found: list[dict[str, Any]]) -> TextTable:
    lines = [
        [
            each["source"],
            str(each["rank"] or "query"),
            each["item_id"],
            f"{each['similarity']:.3f}",
            shorten(each["text"], SHOWN_TEXT, placeholder=" …"),
        ]
        for each in found
    ]
    return TextTable(["Source", "Rank", "Item", "cosine", "Text"], lines, "lrlrl")


def _draw(rows: list[list[tuple[int, float]]], catalogue: ItemCatalogue, path: Path) -> None:
    files = catalogue.images(max_missing_share=1)
    ids = catalogue.item_ids
    draw_tiles(
        [
            [
                Tile(files[item], (str(ids[item]), f"cosine {similarity:.3f}" if rank else "query"))
                for rank, (item, similarity) in enumerate(items)
            ]
            for items in rows
        ],
        path,
    )


COMMANDS = {"features": Features()}

"""A description of the exported items and vectors for machines, in the vocabulary of Croissant (JSON-LD).

It describes the files of the export and the log that they are from by sizes and dates; of that log no row goes with it.
"""

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prnn_cli.serving.finished_run import Run
from prnn_cli.system.files import write_json

FILE = "croissant.json"
CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "dct": "http://purl.org/dc/terms/",
    "conformsTo": "dct:conformsTo",
    "recordSet": "cr:recordSet",
    "field": "cr:field",
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "source": "cr:source",
    "fileObject": "cr:fileObject",
    "extract": "cr:extract",
    "column": "cr:column",
}
FIELDS = {
    "item_id": ("sc:Text", "the id of the item in the log"),
    "item_index": ("sc:Integer", "its row in item_vectors.npy, and its number in model.onnx"),
    "support": ("sc:Integer", "its events in the training part"),
}


def write_data_card(run: Run, folder: Path) -> None:
    """Writes croissant.json beside the files that it describes."""
    write_json(folder / FILE, _description(run, folder))


def _description(run: Run, folder: Path) -> dict[str, Any]:
    data = run.metrics["data"]
    first, last = (datetime.fromtimestamp(data[key], UTC).date().isoformat() for key in ("first", "last"))
    train, test = data["train"], data["test"]
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": f"items of {run.metrics['dataset']}",
        "description": (
            f"The {data['items']} items that a session-based recommender was trained on, and their vectors. Its log, "
            f"which is not part of this, has {train['sessions']} training sessions of {train['events']} events and "
            f"{test['sessions']} test sessions of {test['events']} events, from {first} to {last}."
        ),
        "temporalCoverage": f"{first}/{last}",
        "license": "to be filled in by whoever publishes this",
        "distribution": [
            _file(folder / "items.parquet", "application/vnd.apache.parquet"),
            _file(folder / "item_vectors.npy", "application/octet-stream"),
        ],
        "recordSet": [
            {
                "@type": "cr:RecordSet",
                "@id": "items",
                "name": "items",
                "field": [_field(name, kind, what) for name, (kind, what) in FIELDS.items()],
            }
        ],
    }


def _file(path: Path, kind: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": path.name,
        "name": path.name,
        "contentUrl": path.name,
        "contentSize": f"{path.stat().st_size} B",
        "encodingFormat": kind,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }


def _field(name: str, kind: str, what: str) -> dict[str, Any]:
    return {
        "@type": "cr:Field",
        "@id": f"items/{name}",
        "name": name,
        "description": what,
        "dataType": kind,
        "source": {"fileObject": {"@id": "items.parquet"}, "extract": {"column": name}},
    }

"""The HTTP face, asked in this process."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

import prnn_cli

pytest.importorskip("fastapi")

from starlette.testclient import TestClient

from prnn_cli.schema import LimitsConfig
from prnn_cli.serving.http_app import Holder, Meters, create_app
from prnn_cli.serving.served_model import ServedModel

LIMITS = LimitsConfig(body_bytes=2000, clicks=5, k=30, list_items=20, batch=8, waiting=50, sessions=3)


@pytest.fixture(scope="module")
def model(parallel_run: prnn_cli.Run) -> ServedModel:
    return ServedModel.load(str(parallel_run.folder))


@pytest.fixture
def holder(model: ServedModel) -> Holder:
    return Holder(model)


@pytest.fixture
def client(holder: Holder) -> TestClient:
    return TestClient(create_app(holder, LIMITS, 100, Meters()))


def items_of(client: TestClient, **request: Any) -> list[str]:
    answer = client.post("/recommend", json=request)
    assert answer.status_code == 200, answer.text
    return [each["item_id"] for each in answer.json()["items"]]


def test_a_session_gets_what_the_run_recommends(client: TestClient, parallel_run: prnn_cli.Run) -> None:
    a, b = parallel_run.items["item_id"][:2]
    answer = client.post("/recommend", json={"session": [a, "nothing", b], "k": 3})
    expected = parallel_run.recommend([[a, b]], k=3)
    assert answer.json()["unknown"] == ["nothing"]
    assert [each["item_id"] for each in answer.json()["items"]] == expected["item_id"].tolist()
    assert [each["score"] for each in answer.json()["items"]] == pytest.approx(
        expected["score"].tolist(), abs=1e-6
    )


def test_the_key_of_a_session_stands_for_its_clicks(client: TestClient, model: ServedModel) -> None:
    a, b, c = model.item_ids[:3]
    items_of(client, session=[a], key="me")
    assert items_of(client, session=[b], key="me", k=5) == items_of(client, session=[a, b], k=5)
    assert items_of(client, session=[], key="me", k=5) == items_of(client, session=[a, b], k=5)
    assert items_of(client, session=[c], key="you", k=5) == items_of(client, session=[c], k=5)
    assert client.delete("/sessions/me").status_code == 200
    assert client.delete("/sessions/me").status_code == 404
    assert items_of(client, session=[c], key="me", k=5) == items_of(client, session=[c], k=5)


def test_what_was_clicked_before_a_key_was_asked_again_is_left_out_too(
    client: TestClient, model: ServedModel
) -> None:
    first = items_of(client, session=model.item_ids[:1], key="me", k=1)
    assert first[0] not in items_of(client, session=first, key="me", k=10)
    assert first[0] in items_of(client, session=[], key="me", k=10, exclude_clicked=False, allow=first)


def test_rules_of_a_request(client: TestClient, model: ServedModel) -> None:
    a, b, c, d = model.item_ids[:4]
    assert set(items_of(client, session=[a], allow=[a, b, c, "nothing"], k=10)) == {b, c}
    assert set(items_of(client, session=[a], allow=[b, c, d], deny=[c], k=10)) == {b, d}
    assert items_of(client, session=[a], allow=["nothing"]) == []


def test_a_key_may_be_any_text(client: TestClient, model: ServedModel) -> None:
    items_of(client, session=model.item_ids[:1], key="a/b c")
    assert client.delete("/sessions/a/b c").status_code == 200


def test_only_known_clicks_keep_a_session_alive(holder: Holder, model: ServedModel) -> None:
    client = TestClient(create_app(holder, LIMITS, 0.2, Meters()))
    items_of(client, session=model.item_ids[:1], key="me")
    until = time.monotonic() + 0.3
    while time.monotonic() < until:
        items_of(client, session=["nothing"], key="me")
    assert client.delete("/sessions/me").status_code == 404


def test_requests_of_one_session_come_after_each_other(client: TestClient, model: ServedModel) -> None:
    clicks = model.item_ids[:8]
    with client, ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda item: items_of(client, session=[item], key="me"), clicks[:5]))
        assert items_of(client, session=[], key="me", allow=clicks, k=8)
        left = items_of(client, session=[], key="me", allow=clicks, k=8)
    assert set(left) == set(clicks[5:]), "no click was lost"


def test_ids_are_those_that_python_takes(client: TestClient, parallel_run: prnn_cli.Run) -> None:
    """Space around an id is no part of it."""
    a = parallel_run.items["item_id"][0]
    assert items_of(client, session=[f" {a} "], k=5) == items_of(client, session=[a], k=5)


def test_numbers_are_ids_as_text(client: TestClient) -> None:
    answer = client.post("/recommend", json={"session": [17]})
    assert answer.json() == {"items": [], "unknown": ["17"]}


def test_a_swapped_model_goes_on_with_the_sessions(
    client: TestClient, holder: Holder, model: ServedModel
) -> None:
    a, b = model.item_ids[:2]
    items_of(client, session=[a], key="me")
    holder.model = replace(model, name="new")
    assert client.get("/health").json() == {"status": "ok", "model": "new", "items": len(model.item_ids)}
    assert items_of(client, session=[b], key="me", k=5) == items_of(client, session=[a, b], k=5)


def test_metrics_count(client: TestClient, model: ServedModel) -> None:
    items_of(client, session=[model.item_ids[0], "x", "y"], key="me")
    client.post("/recommend", json={"session": []})
    told = client.get("/metrics").text
    assert 'prnn_requests_total{path="/recommend",status="200"} 1.0' in told
    assert 'prnn_requests_total{path="/recommend",status="400"} 1.0' in told
    assert "prnn_unknown_clicks_total 2.0" in told
    assert "prnn_sessions 1.0" in told
    assert f"prnn_items {len(model.item_ids)}.0" in told


def test_the_page_shows_how_to_ask(client: TestClient) -> None:
    assert client.get("/docs").status_code == 200
    schema = client.get("/openapi.json").json()
    assert set(schema["paths"]) == {"/recommend", "/sessions/{key}", "/health", "/metrics"}
    assert set(schema["paths"]["/recommend"]["post"]["responses"]) == {"200", "400", "404", "413", "503"}
    asked = schema["paths"]["/recommend"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert "session" in asked["properties"]


@pytest.mark.parametrize(
    ("content", "status", "sentence"),
    [
        ("", 400, "the body must be a JSON object, such as"),
        ("nope", 400, "the body must be a JSON object, such as"),
        ("[1]", 400, "the body must be a JSON object, such as"),
        ("{}", 400, "session: field required"),
        ('{"session": "a"}', 400, "session: input should be a valid array"),
        ('{"session": [null]}', 400, "session.0: input should be a valid string"),
        ('{"session": [], "k": 3}', 400, "session is empty; send the ids"),
        ('{"session": ["a"], "k": 0}', 400, "k: input should be greater than or equal to 1"),
        ('{"session": ["a"], "k": 31}', 400, "k=31 is more than this server gives; ask for 30 at most"),
        ('{"session": ["a"], "sesion": 1}', 400, "sesion: extra inputs are not permitted"),
        ('{"session": ["a", "a", "a", "a", "a", "a"]}', 400, "session has 6 items; send 5 at most"),
        ('{"session": ["a"], "deny": [' + ",".join(['"b"'] * 21) + "]}", 400, "deny has 21 items; send 20"),
        ('{"session": ["' + "a" * 1500 + '"]}', 400, "session.0: string should have at most 1000 characters"),
        ('{"session": ["' + "a" * 3000 + '"]}', 413, "the body is larger than 2000 bytes"),
    ],
)
def test_bad_requests_are_sentences(client: TestClient, content: str, status: int, sentence: str) -> None:
    answer = client.post("/recommend", content=content)
    assert answer.status_code == status
    assert answer.json()["error"].startswith(sentence)


def test_a_body_without_its_length_is_limited_too(client: TestClient) -> None:
    answer = client.post("/recommend", content=(b"a" * 100 for _ in range(100)))
    assert answer.status_code == 413


def test_other_paths_and_methods_are_told_of(client: TestClient) -> None:
    assert client.get("/nowhere").json() == {
        "error": "there is nothing at this path; /docs shows what there is"
    }
    assert client.get("/health/").status_code == 404
    assert client.get("/recommend").json() == {"error": "this path takes another method; /docs shows which"}

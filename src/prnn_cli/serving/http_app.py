"""The HTTP face of a served model: POST /recommend, DELETE /sessions/KEY, GET /health, GET /metrics, and /docs.

A request holds item ids and numbers, nothing else: no path, and nothing that could be run.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any
from weakref import WeakValueDictionary

from fastapi import FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse

from prnn_cli import __version__
from prnn_cli.schema import LimitsConfig
from prnn_cli.serving.batcher import Batcher, FullError
from prnn_cli.serving.engine import Answer, Ask
from prnn_cli.serving.served_model import ServedModel
from prnn_cli.serving.session_store import Remembered, SessionStore

PATHS = (
    "/recommend",
    "/sessions",
    "/health",
    "/metrics",
    "/docs",
    "/openapi.json",
)  # that are counted by name
LONGEST_ID = 1000  # characters
BUCKETS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0)

EXAMPLE = '{"session": ["a", "b"], "k": 20}'
ELSEWHERE = {  # what starlette says
    "Not Found": "there is nothing at this path; /docs shows what there is",
    "Method Not Allowed": "this path takes another method; /docs shows which",
}

ItemId = Annotated[str, Field(max_length=LONGEST_ID)]


class RecommendRequest(BaseModel):
    """The clicks of a session, or, with a key, its clicks since the last request with that key."""

    model_config = ConfigDict(extra="forbid", coerce_numbers_to_str=True)  # ids are text
    session: list[ItemId] = Field(description="item ids, the latest click last", examples=[["a", "b"]])
    k: int = Field(20, ge=1, description="how many items")
    key: ItemId | None = Field(None, min_length=1, description="of a session that the server is to remember")
    exclude_clicked: bool = Field(True, description="nothing that the session has clicked")
    allow: list[ItemId] | None = Field(None, description="the only items that may be recommended")
    deny: list[ItemId] | None = Field(None, description="items that must not be recommended")


BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": RecommendRequest.model_json_schema()}},
    }
}


class ErrorResponse(BaseModel):
    """What is wrong with a request, in a sentence."""

    error: str


ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"model": ErrorResponse, "description": "A request that cannot be answered"},
    404: {"model": ErrorResponse, "description": "Nothing by this name"},
    413: {"model": ErrorResponse, "description": "A body that is too large"},
    503: {"model": ErrorResponse, "description": "Too many requests wait"},
}


class RecommendedItem(BaseModel):
    item_id: str
    score: float


class RecommendResponse(BaseModel):
    """The best items, fewer than k where the rules leave fewer, and the clicked ids that the model does not know."""

    items: list[RecommendedItem]
    unknown: list[str]


@dataclass
class Holder:
    """The model that is served now. A request keeps the one that it began with."""

    model: ServedModel


@dataclass
class Meters:
    """What /metrics tells Prometheus."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    def __post_init__(self) -> None:
        self.requests = Counter(
            "prnn_requests_total", "Requests by path and status", ["path", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "prnn_request_seconds",
            "Time to answer /recommend",
            buckets=BUCKETS_S,
            registry=self.registry,
        )
        self.batch = Histogram(
            "prnn_batch_size",
            "Sessions of one product",
            buckets=(1, 2, 4, 8, 16, 32, 64, 128),
            registry=self.registry,
        )
        self.unknown = Counter("prnn_unknown_clicks_total", "Clicks on unknown items", registry=self.registry)
        self.sessions = Gauge("prnn_sessions", "Sessions that are remembered", registry=self.registry)
        self.items = Gauge("prnn_items", "Items that the model knows", registry=self.registry)
        self.reloads = Counter(
            "prnn_reloads_total", "Models swapped, by result", ["result"], registry=self.registry
        )


def create_app(holder: Holder, limits: LimitsConfig, ttl: float, meters: Meters) -> FastAPI:
    """The application; whoever sets `holder.model` swaps the model without a failed request.

    ttl: seconds after its last click in which the session of a key is remembered
    """
    store = SessionStore(ttl, limits.sessions)
    batcher: Batcher[tuple[ServedModel, Ask], Answer] = Batcher(_answers, limits.batch, limits.waiting)
    batcher.sizes = meters.batch.observe
    app = FastAPI(
        title="prnn",
        version=__version__,
        description="The next items that a session-based recommender expects to be clicked.",
        redoc_url=None,
        redirect_slashes=False,
    )
    app.add_middleware(Watched, most=limits.body_bytes, requests=meters.requests)

    locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def answered(request: RecommendRequest) -> tuple[Answer | None, list[str], ServedModel]:
        model = holder.model
        ask, unknown, clicks = _ask(request, model, store, limits)
        if ask is None:
            return None, unknown, model
        try:
            answer = await batcher.ask((model, ask))
        except FullError:
            raise HTTPException(503, "too many requests wait; try again in a moment") from None
        if request.key is not None and ask.clicks:
            store.put(request.key, Remembered(clicks, answer.state, model))
        return answer, unknown, model

    # The body is read here, as FastAPI's own way to a model takes longer than the products.
    @app.post("/recommend", response_model=RecommendResponse, responses=ERRORS, openapi_extra=BODY)
    async def recommend(http: Request) -> Response:
        """The best next items after the clicks of a session. Unknown clicks are left out, and told."""
        begun = time.perf_counter()
        request = RecommendRequest.model_validate_json(await http.body())
        _check(request, limits)
        if request.key is None:
            answer, unknown, model = await answered(request)
        else:  # requests of one session come after each other
            async with locks.setdefault(request.key, asyncio.Lock()):
                answer, unknown, model = await answered(request)
        meters.unknown.inc(len(unknown))
        meters.seconds.observe(time.perf_counter() - begun)
        return _json(200, {"items": _items(answer, model), "unknown": unknown})

    @app.delete("/sessions/{key:path}", responses=ERRORS)
    async def forget(key: str) -> Response:
        """Forgets the session of a key."""
        async with locks.setdefault(key, asyncio.Lock()):
            if not store.drop(key):
                raise HTTPException(404, "no session is remembered by this key")
        return _json(200, {"forgotten": key})

    @app.get("/health")
    async def health() -> Response:
        """The model that is served."""
        model = holder.model
        return _json(200, {"status": "ok", "model": model.name, "items": len(model.item_ids)})

    @app.get("/metrics", response_class=PlainTextResponse)
    async def metrics() -> Response:
        """Counters and times, for Prometheus."""
        meters.sessions.set(len(store))
        meters.items.set(len(holder.model.item_ids))
        return Response(generate_latest(meters.registry), media_type="text/plain; version=0.0.4")

    async def refused(request: Request, error: Exception) -> Response:
        status, sentence = _told(error)
        return _json(status, {"error": sentence})

    app.add_exception_handler(ValidationError, refused)
    app.add_exception_handler(HTTPException, refused)
    app.openapi = partial(_described, app)  # type: ignore[method-assign]
    return app


def _described(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI description, without the status 422, for which 400 is answered here."""
    if app.openapi_schema is None:
        schema = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes
        )
        for path in schema["paths"].values():
            for operation in path.values():
                operation["responses"].pop("422", None)
        app.openapi_schema = schema
    return app.openapi_schema


def _check(request: RecommendRequest, limits: LimitsConfig) -> None:
    for name, value, most in (
        ("session", len(request.session), limits.clicks),
        ("allow", len(request.allow or ()), limits.list_items),
        ("deny", len(request.deny or ()), limits.list_items),
    ):
        if value > most:
            raise HTTPException(400, f"{name} has {value} items; send {most} at most")
    if request.k > limits.k:
        raise HTTPException(400, f"k={request.k} is more than this server gives; ask for {limits.k} at most")
    if not request.session and request.key is None:
        raise HTTPException(
            400, "session is empty; send the ids of the items that were clicked, the latest last"
        )


def _ask(
    request: RecommendRequest, model: ServedModel, store: SessionStore, limits: LimitsConfig
) -> tuple[Ask | None, list[str], tuple[str, ...]]:
    """The question to the engine (None where no click is known), the unknown clicks, and all known ones so far."""
    new, unknown = model.told(request.session)
    before = Remembered() if request.key is None else store.get(request.key)
    earlier, _ = model.told(before.clicks)
    known = model.without_repeats([*earlier, *new])
    # The state has seen the earlier ones, unless it is of a model that was swapped since.
    state = before.state if before.model is model else None
    since = known[len(earlier) :] if state is not None else known
    known = known[-limits.clicks :]
    clicks = tuple(model.item_ids[item] for item in known)
    if state is None and not since:
        return None, unknown, clicks
    allowed = None if request.allow is None else model.known(request.allow)
    denied = None if request.deny is None else model.known(request.deny)
    k = min(request.k, len(model.item_ids))
    ask = Ask(since[-limits.clicks :], state, known if request.exclude_clicked else (), k, allowed, denied)
    return ask, unknown, clicks


def _answers(asked: Sequence[tuple[ServedModel, Ask]]) -> list[Answer]:
    """The answers; while a model is swapped, those of the old one are computed apart."""
    found: dict[int, Answer] = {}
    for model in dict.fromkeys(model for model, _ in asked):
        which = [n for n, (of, _) in enumerate(asked) if of is model]
        found |= zip(which, model.engine.answer([asked[n][1] for n in which]), strict=True)
    return [found[n] for n in range(len(asked))]


def _items(answer: Answer | None, model: ServedModel) -> list[dict[str, Any]]:
    if answer is None:
        return []
    pairs = zip(answer.items, answer.scores, strict=True)
    return [{"item_id": model.item_ids[item], "score": score} for item, score in pairs]


def _told(error: Exception) -> tuple[int, str]:
    """Status and sentence of an error."""
    if isinstance(error, HTTPException):
        return error.status_code, ELSEWHERE.get(str(error.detail), str(error.detail))
    assert isinstance(error, ValidationError)
    first = error.errors()[0]
    place = ".".join(map(str, first["loc"]))
    if not place or first["type"] == "json_invalid":
        return 400, f"the body must be a JSON object, such as {EXAMPLE}"
    return 400, f"{place}: {first['msg'][0].lower()}{first['msg'][1:]}"


def _json(status: int, content: Any) -> Response:
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return Response(body, status, media_type="application/json")


Message = MutableMapping[str, Any]


class Watched:
    """Answers 413 to a body of more than `most` bytes, of which no more is read, and counts `requests` by path and
    status."""

    def __init__(self, app: Callable[..., Awaitable[None]], most: int, requests: Counter) -> None:
        self.app, self.most, self.requests = app, most, requests

    async def __call__(
        self,
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        known = f"/{scope['path'].split('/')[1]}"

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                path = known if known in PATHS else "other"
                self.requests.labels(path, str(message["status"])).inc()
            await send(message)

        length = dict(scope["headers"]).get(b"content-length", b"0")
        if not length.isdigit() or int(length) > self.most:
            await _json(413, {"error": f"the body is larger than {self.most} bytes"})(scope, receive, counted)
            return
        read = 0

        async def limited() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > self.most:  # one that came without its length
                raise HTTPException(413, f"the body is larger than {self.most} bytes")
            return message

        await self.app(scope, limited, counted)

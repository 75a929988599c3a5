"""The operations beside batches that a pipeline asks for: one message, a count, the models."""

import hashlib

from include.simulator import models, tokens
from include.simulator.caching import CacheUse, use_of
from include.simulator.errors import refuse
from include.simulator.exchange import Call, Reply, json_reply
from include.simulator.fates import Fate, length_problem
from include.simulator.messages import build_message
from include.simulator.models import CATALOGUE, LONG_PROMPT_TOKENS, Tokens
from include.simulator.pagination import cut_page, page, read_cursor
from include.simulator.store import SoldMessage
from include.simulator.validation import Params, message_problem
from include.simulator.world import World

_LIST_FACTOR = 2
"""A batch costs half of it."""


def create_message(world: World, call: Call, _: str = "") -> Reply:
    """Answer one request at once, by the rules that answer batches."""
    params = call.json()
    _check(params, call)
    if params.get("stream"):
        refuse(400, "stream: the simulator does not stream messages")
    cache = use_of(params, is_hit=False)
    message = build_message(
        params,
        Fate(cache=cache),
        answerer=world.answerer,
        message_id=f"msg_01{hashlib.sha256(call.request_id.encode()).hexdigest()[:22]}",
        service_tier="standard",
    )
    world.store.add_message(_sold(call, params, cache, message["usage"]["output_tokens"]))
    return json_reply(message)


def _check(params: Params, call: Call) -> None:
    api_version = call.headers["anthropic-version"]
    problem = message_problem(params, api_version=api_version) or length_problem(params)
    if problem:
        refuse(400, problem)


def _sold(call: Call, params: Params, cache: CacheUse, output_tokens: int) -> SoldMessage:
    """Return what the bill says of a message, which has no discount."""
    input_tokens, model = tokens.input_tokens(params), CATALOGUE[params["model"]]
    sold = Tokens(
        input_tokens, output_tokens, cache.read_tokens, cache.write_5m_tokens, cache.write_1h_tokens
    )
    cost_usd = _LIST_FACTOR * model.cost_usd(sold, is_long=input_tokens > LONG_PROMPT_TOKENS)
    return SoldMessage(call.workspace, model.model_id, input_tokens, output_tokens, str(cost_usd))


def count_tokens(_: World, call: Call, __: str = "") -> Reply:
    """Estimate what a request would read."""
    params = call.json()
    if "max_tokens" in params:
        # [INFER] Nothing is answered, so it is not among the documented params of this endpoint.
        refuse(400, "max_tokens: Extra inputs are not permitted")
    _check(params | {"max_tokens": 1}, call)
    return json_reply({"input_tokens": tokens.input_tokens(params)})


def list_models(world: World, call: Call, _: str = "") -> Reply:
    """Show one page of the models, newest first."""
    cursor = read_cursor(call.query, is_lenient=world.options.conformance)
    known = list(CATALOGUE.values())
    shown, has_more = cut_page([model.model_id for model in known], cursor)
    data = [models.render(model) for model in known[shown]]
    return json_reply(page(data, has_more=has_more))


def retrieve_model(_: World, __: Call, model_id: str) -> Reply:
    """Show one model."""
    if model_id not in CATALOGUE:
        refuse(404, f"model: {model_id}")
    return json_reply(models.render(CATALOGUE[model_id]))

"""The operations beside batches that a pipeline asks for: one message, a count, the models."""

import hashlib

from include.simulator import models, tokens
from include.simulator.errors import refuse
from include.simulator.exchange import Call, Reply, json_reply
from include.simulator.fates import Fate
from include.simulator.messages import build_message
from include.simulator.models import CATALOGUE
from include.simulator.pagination import cut_page, page, read_cursor
from include.simulator.validation import message_problem
from include.simulator.world import World


def create_message(world: World, call: Call, _: str = "") -> Reply:
    """Answer one request at once, by the rules that answer batches."""
    params = call.json()
    problem = message_problem(params, api_version=call.headers["anthropic-version"])
    if problem:
        refuse(400, problem)
    if params.get("stream"):
        refuse(400, "stream: the simulator does not stream messages")
    message = build_message(
        params,
        Fate(),
        answerer=world.answerer,
        message_id=f"msg_01{hashlib.sha256(call.request_id.encode()).hexdigest()[:22]}",
        service_tier="standard",
    )
    return json_reply(message)


def count_tokens(_: World, call: Call, __: str = "") -> Reply:
    """Estimate what a request would read."""
    params = call.json()
    problem = message_problem(
        params | {"max_tokens": 1}, api_version=call.headers["anthropic-version"]
    )
    if problem:
        refuse(400, problem)
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

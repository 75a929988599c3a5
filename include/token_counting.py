"""Counting tokens by the API, which is free."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import anthropic

from include.batches import translated
from include.results import is_account_message

if TYPE_CHECKING:
    from anthropic import Anthropic

_TIMEOUT_SECONDS = 60


@dataclass(frozen=True)
class ApiTokenCounter:
    """Asks the API how many tokens requests are; once each: a forecast is worth no waiting."""

    client: "Anthropic"

    def count(self, params: dict[str, Any]) -> int | None:
        """Return the tokens of a request; None when the API refuses this very request.

        Raises:
            TransientError: The API did not answer.
            AccountError: It refuses the account.
        """
        client = self.client.with_options(max_retries=0, timeout=_TIMEOUT_SECONDS)
        with translated("count tokens"):
            try:
                return client.messages.count_tokens(**params).input_tokens
            except anthropic.BadRequestError as error:
                if is_account_message(error.message):
                    raise
                return None

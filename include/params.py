"""Params of a DAG run, as an operator gives them."""

from collections.abc import Mapping
from typing import ClassVar, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from include.errors import ConfigurationError


class Params(BaseModel):
    """What a person asks of a run."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    refusal: ClassVar[str] = "the run's params are not usable"
    """How the complaint about a param begins."""

    @classmethod
    def parse(cls, params: Mapping[str, object]) -> Self:
        """Read the params of a DAG run.

        Raises:
            ConfigurationError: One is missing, wrong or out of bounds; each is named.
        """
        try:
            return cls.model_validate(dict(params))
        except ValidationError as error:
            problems = (
                f"{'.'.join(map(str, item['loc'])) or 'params'}: {item['msg']}"
                for item in error.errors()
            )
            msg = f"{cls.refusal}: {'; '.join(problems)}"
            raise ConfigurationError(msg) from None

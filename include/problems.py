"""What is wrong with params from outside, in one line that names each of them."""

from pydantic import ValidationError


def describe_problems(error: ValidationError) -> str:
    """Return every problem of a validation, separated by semicolons."""
    return "; ".join(
        f"{'.'.join(map(str, item['loc'])) or 'params'}: {item['msg']}" for item in error.errors()
    )

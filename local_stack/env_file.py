"""Writes the `.env` of docker-compose.yaml for a trial: every secret drawn, no account needed."""

import base64
import json
import secrets
from collections.abc import Mapping
from pathlib import Path

from local_stack.errors import StackError
from local_stack.s3 import REGION
from local_stack.stack import DOCUMENTS_BUCKET, WORK_BUCKET


def write_env_file(template: Path, target: Path) -> None:
    """Fill the empty variables of `.env.example`, for the profile `local`.

    Raises:
        StackError: The file is there already, or a variable has no value here.
    """
    values = _trial_values()
    lines = [_filled(line, values) for line in template.read_text().splitlines()]
    try:
        target.touch(mode=0o600, exist_ok=False)
    except FileExistsError:
        msg = f"{target} exists and is left as it is; remove it to draw new secrets"
        raise StackError(msg) from None
    target.write_text("\n".join(lines) + "\n")


def _filled(line: str, values: Mapping[str, str]) -> str:
    name, separator, value = line.removeprefix("# ").partition("=")
    is_asked_for = not line.startswith("#")
    if not separator or value or not (is_asked_for or name in values):
        return line
    if name not in values:
        msg = f".env.example asks for {name}, which has no value for a trial"
        raise StackError(msg)
    return f"{name}={values[name]}"


def _trial_values() -> dict[str, str]:
    access_key, secret_key = secrets.token_hex(10), secrets.token_hex(20)
    warehouse_password = secrets.token_hex(16)
    return {
        "COMPOSE_PROFILES": "local",
        "AIRFLOW_ADMIN_PASSWORD": secrets.token_urlsafe(12),
        "AIRFLOW_API_SECRET_KEY": secrets.token_hex(32),
        "AIRFLOW_JWT_SECRET": secrets.token_hex(64),
        "AIRFLOW_FERNET_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "POSTGRES_PASSWORD": secrets.token_hex(16),
        "REDIS_PASSWORD": secrets.token_hex(16),
        "WAREHOUSE_PASSWORD": warehouse_password,
        "AIRFLOW_CONN_AWS_DEFAULT": json.dumps(
            {
                "conn_type": "aws",
                "login": access_key,
                "password": secret_key,
                "extra": {"region_name": REGION, "endpoint_url": "http://s3:8333"},
            }
        ),
        "AIRFLOW_CONN_ANTHROPIC_DEFAULT": json.dumps(
            {
                "conn_type": "anthropic",
                "host": "http://simulator:8000",
                "password": f"local-{secrets.token_hex(16)}",
            }
        ),
        "AIRFLOW_CONN_WAREHOUSE": json.dumps(
            {
                "conn_type": "postgres",
                "host": "postgres",
                "schema": "warehouse",
                "login": "nightshift",
                "password": warehouse_password,
            }
        ),
        "LOCAL_S3_ACCESS_KEY": access_key,
        "LOCAL_S3_SECRET_KEY": secret_key,
        "NIGHTSHIFT_DOCUMENTS_BUCKET": DOCUMENTS_BUCKET,
        "NIGHTSHIFT_WORK_BUCKET": WORK_BUCKET,
    }

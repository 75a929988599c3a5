"""What a stack keeps between starts: its ports, its secrets, and which database it loads into."""

import base64
import json
import secrets
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Literal, Self

from local_stack.errors import StackError
from local_stack.ports import draw_ports, is_free

WarehouseKind = Literal["duckdb", "postgres"]


@dataclass(frozen=True)
class Secrets:
    """Generated once per stack."""

    s3_access_key: str
    s3_secret_key: str
    anthropic_key: str
    api_secret: str
    jwt_secret: str
    fernet_key: str
    admin_password: str
    database_password: str

    @classmethod
    def generate(cls) -> Self:
        """Draw new ones."""
        return cls(
            s3_access_key=secrets.token_hex(10),
            s3_secret_key=secrets.token_hex(20),
            anthropic_key=f"local-{secrets.token_hex(16)}",
            api_secret=secrets.token_hex(32),
            jwt_secret=secrets.token_hex(64),
            fernet_key=base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            admin_password=secrets.token_urlsafe(9),
            database_password=secrets.token_hex(16),
        )


@dataclass(frozen=True)
class Ports:
    """Drawn once per stack, and anew only when somebody else took one."""

    airflow: int
    postgres: int
    simulator: int
    s3: int
    s3_master: int
    s3_volume: int
    s3_filer: int

    @classmethod
    def draw(cls, *, ui_port: int | None) -> Self:
        """Draw free ones, the preferred port for the UI if it is free."""
        names = [item.name for item in fields(cls)]
        drawn = cls(**dict(zip(names, draw_ports(len(names)), strict=True)))
        if ui_port is None or not is_free(ui_port):
            return drawn
        return replace(drawn, airflow=ui_port)

    def avoid_taken(self) -> Self:
        """Replace those at which somebody listens."""
        taken = [name for name, port in asdict(self).items() if not is_free(port)]
        return replace(self, **dict(zip(taken, draw_ports(len(taken)), strict=True)))


@dataclass(frozen=True)
class StackState:
    """The content of `state.json`, readable by its owner alone."""

    secrets: Secrets
    ports: Ports
    warehouse: WarehouseKind = "duckdb"

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """Return the state of an earlier start, or None.

        Raises:
            StackError: Another version of this code wrote it.
        """
        if not path.exists():
            return None
        content = json.loads(path.read_text())
        try:
            return cls(
                secrets=Secrets(**content["secrets"]),
                ports=Ports(**content["ports"]),
                warehouse=content["warehouse"],
            )
        except (KeyError, TypeError) as error:
            msg = f"{path} is of another version; run `make down` and remove {path.parent}"
            raise StackError(msg) from error

    def write(self, path: Path) -> None:
        """Keep the state for later starts."""
        path.touch(mode=0o600)
        path.write_text(json.dumps(asdict(self), indent=1))

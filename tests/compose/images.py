"""The images that docker-compose.yaml names: pulled, or stood in for without a registry."""

import shutil
import subprocess
from pathlib import Path

import yaml

from local_stack.airflow_server import PROJECT
from tests.compose.engine import Engine, run

STANDINS = Path(__file__).parent / "standins"
_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
_SUITE = "bookworm"


def provide_images(engine: Engine, folder: Path) -> list[str]:
    """Provide the official images, and return which of them are stood in for.

    Stand-ins are made of Debian packages and of PyPI's: they test our files, the environment of the
    services, their health checks and our image, not what is in the official images.
    """
    missing = [image for image in _official_images() if not _is_there(engine, image)]
    if missing:
        _build_base(engine, folder)
    for image in missing:
        name = image.rpartition("/")[2].partition(":")[0]
        _build(engine, folder, name, image)
    return missing


def _official_images() -> list[str]:
    services = yaml.safe_load((PROJECT / "docker-compose.yaml").read_text())["services"].values()
    named = {service["image"] for service in services if "build" not in service}
    for line in (PROJECT / "Dockerfile").read_text().splitlines():
        words = line.split()
        if words[:1] == ["FROM"] and ":" in words[1]:
            named.add(words[1])
    return sorted(named)


def _is_there(engine: Engine, image: str) -> bool:
    for command in (("image", "inspect", image), ("pull", "--quiet", image)):
        done = subprocess.run(
            ["docker", *command], env=engine.env, capture_output=True, check=False, timeout=300
        )
        if done.returncode == 0:
            return True
    return False


def _build_base(engine: Engine, folder: Path) -> None:
    if not shutil.which("debootstrap"):
        run(["apt-get", "install", "-qq", "debootstrap"], env=engine.env)
    root = folder / "root"
    if not root.exists():
        variant = ["--variant=minbase", "--include=ca-certificates"]
        run(["debootstrap", *variant, _SUITE, root], env=engine.env)
    tar = subprocess.Popen(["tar", "-C", root, "-c", "."], stdout=subprocess.PIPE)
    subprocess.run(
        ["docker", "import", "-", "nightshift-standin-base"],
        env=engine.env,
        stdin=tar.stdout,
        capture_output=True,
        check=True,
    )
    tar.wait()
    _build(engine, folder, "python", "nightshift-standin-python")


def _build(engine: Engine, folder: Path, name: str, tag: str) -> None:
    context = folder / "standins"
    shutil.copytree(STANDINS, context, dirs_exist_ok=True)
    shutil.copy(_CERTIFICATES, context)
    engine.docker("build", "--tag", tag, "--file", context / f"{name}.Dockerfile", context)

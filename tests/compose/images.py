"""The images that docker-compose.yaml names: pulled, or stood in for without a registry."""

import shutil
import subprocess
from pathlib import Path

import yaml

from local_stack.airflow_server import PROJECT
from tests.compose.engine import Engine, run

_STANDINS = Path(__file__).parent / "standins"
_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
_BASE = "nightshift-standin-base"
_PYTHON = "nightshift-standin-python"
_LABEL = "nightshift.standin"
_SUITE = "bookworm"
_PULL_SECONDS = 600


def provide_images(engine: Engine, folder: Path) -> list[str]:
    """Provide the official images, and return which of them are stood in for.

    Stand-ins are made of Debian packages and of PyPI's: they test our files, the environment of the
    services, their health checks and our image, not what is in the official images.

    Args:
        folder: A scratch folder.
    """
    standins = [image for image in _official_images() if not _is_official(engine, image)]
    if standins:
        _build_base(engine, folder)
    for image in standins:
        _build(engine, folder, image.rpartition("/")[2].partition(":")[0], image)
    return standins


def _official_images() -> list[str]:
    services = yaml.safe_load((PROJECT / "docker-compose.yaml").read_text())["services"].values()
    named = {service["image"] for service in services if "build" not in service}
    for line in (PROJECT / "Dockerfile").read_text().splitlines():
        words = line.split()
        if words[:1] == ["FROM"] and ":" in words[1]:
            named.add(words[1])
    return sorted(named)


def _is_official(engine: Engine, image: str) -> bool:
    labelled = engine.docker("images", "--quiet", "--filter", f"label={_LABEL}", image)
    is_there = _succeeds(engine, "image", "inspect", image)
    return (is_there and not labelled) or _succeeds(engine, "pull", "--quiet", image)


def _succeeds(engine: Engine, *arguments: str) -> bool:
    command = ["docker", *arguments]
    done = subprocess.run(
        command, env=engine.env, capture_output=True, check=False, timeout=_PULL_SECONDS
    )
    return done.returncode == 0


def _build_base(engine: Engine, folder: Path) -> None:
    if not _succeeds(engine, "image", "inspect", _BASE):
        _import_base(engine, folder / "root")
    _build(engine, folder, "python", _PYTHON)


def _import_base(engine: Engine, root: Path) -> None:
    if not shutil.which("debootstrap"):
        run(["apt-get", "install", "-qq", "debootstrap"], env=engine.env)
    options = ["--variant=minbase", "--include=ca-certificates"]
    run(["debootstrap", *options, _SUITE, root], env=engine.env)
    # A build that is cut short is thrown away: nothing has to be on the disk for certain.
    (root / "etc/dpkg/dpkg.cfg.d/unsafe-io").write_text("force-unsafe-io\n")
    archive = root.with_suffix(".tar")
    run(["tar", "-C", root, "-cf", archive, "."], env=engine.env)
    shutil.rmtree(root)
    engine.docker("import", archive, _BASE)
    archive.unlink()


def _build(engine: Engine, folder: Path, name: str, tag: str) -> None:
    context = folder / "standins"
    shutil.copytree(_STANDINS, context, dirs_exist_ok=True)
    shutil.copy(_CERTIFICATES, context)
    options = ("--label", f"{_LABEL}={name}", "--tag", tag)
    engine.docker("build", *options, "--file", context / f"{name}.Dockerfile", context)

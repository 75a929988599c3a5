"""The specs of this deployment: each module here declares one `SPEC`."""

import importlib
import pkgutil
from dataclasses import dataclass
from functools import cache

from include.errors import ConfigurationError
from include.spec import Spec


@dataclass(frozen=True)
class SpecCatalog:
    """What was found: the specs that can run, and why the others cannot."""

    specs: dict[str, Spec]
    broken: dict[str, str]
    """Module name to what is wrong with it."""


@cache
def load_catalog() -> SpecCatalog:
    """Import every module of this package; a broken one does not hold up the others."""
    specs: dict[str, Spec] = {}
    broken: dict[str, str] = {}
    for module_info in pkgutil.iter_modules(__path__):
        try:
            spec = _load_spec(module_info.name)
        except Exception as error:  # noqa: BLE001  # a spec is the user's code and may raise anything
            broken[module_info.name] = f"{type(error).__name__}: {error}"
        else:
            specs[spec.name] = spec
    return SpecCatalog(specs, broken)


def _load_spec(module_name: str) -> Spec:
    module = importlib.import_module(f"{__name__}.{module_name}")
    spec = getattr(module, "SPEC", None)
    if not isinstance(spec, Spec):
        msg = f"include/specs/{module_name}.py declares no SPEC"
        raise ConfigurationError(msg)
    if spec.name != module_name:
        msg = f"include/specs/{module_name}.py declares the spec {spec.name!r}; name both alike"
        raise ConfigurationError(msg)
    return spec

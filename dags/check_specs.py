"""Reports specs that cannot run, as an import error of this file; the other nights go on."""

from include.errors import ConfigurationError
from include.specs import load_catalog

broken = load_catalog().broken
if broken:
    msg = "; ".join(f"include/specs/{name}.py: {problem}" for name, problem in broken.items())
    raise ConfigurationError(msg)

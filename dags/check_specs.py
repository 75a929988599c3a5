"""Reports specs that cannot run, as an import error of this file; the DAGs of the others go on.

Airflow skips files that do not name both itself and DAGs (`core.dag_discovery_safe_mode`): these
lines are why it looks at this one.
"""

from include.errors import ConfigurationError
from include.specs import load_catalog

broken = load_catalog().broken
if broken:
    msg = "; ".join(f"include/specs/{name}.py: {problem}" for name, problem in broken.items())
    raise ConfigurationError(msg)

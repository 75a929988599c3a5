"""The nights of the local stack, as tests drive them."""

from local_stack.nights import DAY, DEMO_SPEED, NightDriver, wall_clock

__all__ = ["DAY", "DEMO_SPEED", "NightDriver", "wall_clock"]

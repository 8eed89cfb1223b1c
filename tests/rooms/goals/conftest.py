"""The fault that is armed by hand, of the simulations."""

from tests.sim.conftest import fault

__all__ = ["fault"]

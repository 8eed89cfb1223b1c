"""How often what is tried again and again is tried: all rounds in continuous integration, fewer of them elsewhere.

Every kind of thing is tried everywhere; only how many examples, seeds and repetitions there are is decided here.
``make test ROUNDS=all`` tries them all, as ``.ci/run`` does and whatever sets ``CI``.
"""

import os

ALL = os.environ.get("ROUNDS") == "all" or bool(os.environ.get("CI"))


def rounds(few: int, every: int) -> int:
    """``every``, or ``few`` of them where somebody waits for the answer."""
    return every if ALL else few

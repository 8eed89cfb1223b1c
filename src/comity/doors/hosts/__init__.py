"""The agent hosts: how each is told about the server, and how that is taken back.

``init`` has ``plan``, ``apply`` and ``remove``; ``catalog`` has ``hosts``; ``inspection`` has ``inspect``. One
module a host says what is known about it, so that a hook may import one of them alone. Documents and behaviour of
hosts differ and change monthly: every fact carries its source and the day it was looked up.
"""

"""The agent hosts: how each is told about the server, what its hooks tell and take, and how that is taken back.

``init`` has ``plan``, ``apply`` and ``remove``; ``catalog`` has ``hosts``; ``inspection`` has ``inspect``. One module a
host says all that is known about it, so that a hook imports one of them alone; ``others`` has those without hooks.
Documents and behaviour of hosts differ and change monthly: every fact carries its source and the day it was looked up.
"""

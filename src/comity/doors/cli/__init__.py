"""The command line: what people and scripts use, derived from the operations.

``launch.main`` parses and reports; ``catalog`` lists the commands, each loaded when it is called; ``command`` makes a
command of operations. ``invocation`` knows the project and the acting agent, ``screen`` how things look.
"""

"""REST: every operation by its name, what describes them, and the addresses that MASC's clients know."""

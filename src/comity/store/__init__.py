"""Floor 1: the only code that knows a database."""

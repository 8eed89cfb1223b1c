"""Floor 3: things that others ask. Doors translate operations and events to one protocol each, and never decide."""

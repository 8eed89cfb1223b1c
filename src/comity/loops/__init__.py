"""Floor 3: things that happen by themselves, by the clock."""

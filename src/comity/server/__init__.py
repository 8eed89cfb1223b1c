"""What every network door stands on: who calls, as which agent, within which bounds, and how calls run and wait."""

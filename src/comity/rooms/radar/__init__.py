"""The integration radar: which checkouts will conflict with each other and with their base, before anybody merges."""

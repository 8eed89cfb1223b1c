"""Plans of tasks: what is to be done, notes, errors, what was delivered; and which task an agent works on."""

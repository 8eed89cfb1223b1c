"""The workspace as a whole: who is here, what happened, what may be forgotten."""

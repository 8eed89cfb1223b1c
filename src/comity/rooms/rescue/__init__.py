"""Copies of work in progress: what is kept of it, what was lost, and how it is given back."""

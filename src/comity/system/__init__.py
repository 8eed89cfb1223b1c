"""The port for files, git and processes: the one place that deals with what others may have put in our way."""

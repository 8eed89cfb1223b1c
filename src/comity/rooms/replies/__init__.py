"""What was answered under a caller's own key, for requests that may be sent twice."""

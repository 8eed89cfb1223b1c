"""What is known about something: one query over memories, documents, done tasks and goals (reference section 4.10)."""

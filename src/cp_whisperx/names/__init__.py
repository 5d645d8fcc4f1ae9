"""Names: which to expect, how alike two of them sound, and what is to be written where one was heard."""

"""From raw files to trusted rows: reading, typing, rejects; which row wins; which dates an export concerns."""

"""From raw files to typed rows: finding exports, source formats, grammar, rejects; pulling from a database."""

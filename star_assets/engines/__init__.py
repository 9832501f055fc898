"""What computes: one interface, and the engines behind it. Engines write files and know nothing of ledgers or books."""

"""Rules over exported rows as Ibis expressions: the winning row of a key, members' histories, why a line is not a sale.

Not here: reading or writing anything.
"""

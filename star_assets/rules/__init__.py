"""What is true of exported rows, as Ibis expressions: which row wins, what a member was when, why a line is no sale.

Not here: reading or writing anything.
"""

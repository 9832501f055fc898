"""The Athena service: asking it, result reuse, and its answers and errors as the embedded Athena has them."""

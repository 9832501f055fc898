"""Sending a till's events to the lake: a gateway for stores, and a Firehose on this machine that delivers them.

The gateway imports nothing of this package. The Firehose serves the API of AWS's over HTTP, with the stream of the
template `lake`, to try streams without an account. Not here: staging events (engines, pipeline), sample events
(samples).
"""

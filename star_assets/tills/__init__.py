"""From a till to the lake's raw events: what sends them, and a Firehose on this machine that delivers them.

Here: a library for the gateway of a store, which imports nothing of this package; Firehose's API over HTTP, with
the stream of the template `lake`, for trying it without an account. Not here: what becomes of the events
(staging, pipeline), a retailer whose tills ring (samples).
"""

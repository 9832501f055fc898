"""The demo's sample retailer, its exports and till events, and a local server that stands in for AWS."""

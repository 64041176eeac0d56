"""Programs: what a function did, recorded once as a list of rows and replayed from then on. See `zen.compile`."""

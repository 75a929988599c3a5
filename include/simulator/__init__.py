"""A Message Batches server for machines without an account: same API, answers made up locally."""

"""The servers that `headwater up` and the tests bring themselves: JetStream and Postgres."""

"""What Rackside remembers: the inbox, the threads it is in, and the work that survives a crash."""

"""Work that takes a while: a queue in the database, processes that can be killed, and the tasks they know."""

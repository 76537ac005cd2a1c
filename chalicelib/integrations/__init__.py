"""The towns' systems: how requests of theirs are read and answers to them are written. One module per system."""

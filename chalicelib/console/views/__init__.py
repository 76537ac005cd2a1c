"""The staff's pages, one module a topic. A view takes a visit and gives an answer."""

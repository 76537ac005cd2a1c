"""The product's version, as /health tells it."""

VERSION = "0.1.0"

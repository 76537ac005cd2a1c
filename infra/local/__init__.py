"""The whole product on one machine, on an embedded AWS: what `make run` starts. Nothing of it reaches Lambda."""

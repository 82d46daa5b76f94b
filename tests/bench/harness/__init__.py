"""What the scripts of tests/bench share."""

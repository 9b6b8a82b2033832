"""What pytest should leave alone: modules that tests import, which have no tests of their own."""

collect_ignore_glob = ["samples*.py", "fuzzing/*", "tables_*.py", "records.py", "both.py", "nn_oracle.py", "programs/*"]

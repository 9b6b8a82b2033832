"""What pytest should leave alone (modules that tests import, without tests of their own), and what every test starts with."""

import pytest

from rushlight import settings

collect_ignore_glob = [
    "samples*.py",
    "fuzzing/*",
    "tables_*.py",
    "records.py",
    "layouts_by_hand.py",
    "both.py",
    "nn_oracle.py",
    "programs/*",
]


@pytest.fixture(autouse=True)
def what_comes_once_comes_in_every_test():
    """A warning that a program sees once must not depend on which tests ran before."""
    settings._warned.clear()

"""The operators that are loaded on first use: the table names all of them, and only them."""

import subprocess
import sys

import pytest

import rushlight as rl
from rushlight.ops import later


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_the_table_is_what_the_families_publish():
    for family, names in later.FAMILIES.items():
        code = (
            "import rushlight; from rushlight.ops import FUNCTIONS; before = set(FUNCTIONS);"
            f"import importlib; importlib.import_module('rushlight.ops.{family}'); print(*set(FUNCTIONS) - before)"
        )
        published = set(run(code).split())
        assert set(names.split()) <= published, family
        assert published <= set(later.FAMILY), family


@pytest.mark.parametrize("use", ["rl.det(x)", "x.det()", "rl.Tensor.det(x)", "rl.ops.det(x)"])
def test_a_name_loads_its_family(use):
    assert run(f"import rushlight as rl; x = 3 * rl.eye(2); print({use}.item())").strip() == "9.0"


def test_numpys_names_of_arguments_reach_them_too():
    assert rl.cross(rl.eye(3), rl.eye(3), axis=1).shape == (3, 3)


def test_what_is_nowhere_says_so():
    with pytest.raises(AttributeError, match="'Tensor' object has no attribute 'nowhere'"):
        _ = rl.ones(1).nowhere
    with pytest.raises(AttributeError, match="type object 'Tensor' has no attribute 'nowhere'"):
        _ = rl.Tensor.nowhere


def test_an_import_needs_no_ml_dtypes_and_survives_a_profiler():
    code = "import cProfile; p = cProfile.Profile(); p.enable(); import rushlight, sys; p.disable()"
    assert run(code + "; print('ml_dtypes' in sys.modules, rushlight.bfloat16.itemsize)").split() == ["False", "2"]

"""These programs are run by test_programs.py, in processes of their own; collecting would import them."""

collect_ignore_glob = ["[!c]*.py", "c[!o]*.py"]

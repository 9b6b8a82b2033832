"""`python -m rushlight SCRIPT`: run a PyTorch program with rushlight in PyTorch's place."""

from rushlight.run import main

main()

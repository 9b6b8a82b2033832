"""The command line: `rushlight train`, `predict` and `info`."""

from __future__ import annotations

import argparse
import os
import sys


class UsageError(Exception):
    """The command cannot be carried out as it was given; the message says why and what to do."""


def parser() -> argparse.ArgumentParser:
    """The arguments of all commands; an option of `train` that is not given is None."""
    top = argparse.ArgumentParser(prog="rushlight", description="Train an image classifier, use it, and see what runs.")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    train = commands.add_parser(
        "train", help="train an image classifier", description="Train an image classifier. Ctrl-C saves and stops.",
        formatter_class=lambda prog: argparse.HelpFormatter(prog, max_help_position=30),
    )  # fmt: skip
    train.add_argument(
        "--data", metavar="NAME|FOLDER",
        help="digits (embedded, the default), mnist, fashion-mnist, cifar10, or a folder with a folder of pictures for "
        "each class; if it has train and test (or val) folders, those hold the classes",
    )  # fmt: skip
    train.add_argument("--root", default="data", help="where data sets are downloaded to (default: data)")
    train.add_argument("--model", help="lenet (default), mlp, resnet18, resnet34, resnet50, vgg11 or mobilenet_v2")
    train.add_argument("--epochs", type=int, help="passes over the training pictures (default: by data set)")
    train.add_argument("--batch-size", type=int, help="pictures a step (default: 64)")
    train.add_argument("--lr", type=float, help="the highest learning rate (default: by data set)")
    train.add_argument("--optimizer", choices=("sgd", "adam", "adamw", "rmsprop"), help="default: adamw")
    train.add_argument("--seed", type=int, help="the same seed gives the same result (default: 0)")
    train.add_argument("--workers", type=int, default=0, help="processes that load pictures (default: none)")
    train.add_argument("--image-size", type=int, help="resize pictures to this (default: their own, 64 for a folder)")
    train.add_argument("--out", default="runs/latest", help="folder for the results (default: runs/latest)")
    train.add_argument(
        "--resume", action="store_true", help="go on from the last checkpoint in --out, with its settings"
    )

    predict = commands.add_parser("predict", help="classify pictures", description="Classify pictures.")
    predict.add_argument("checkpoint", help="best.pt or last.pt of a training run")
    predict.add_argument("images", nargs="+", metavar="image")
    predict.add_argument("--top", type=int, default=3, help="how many classes to show (default: 3)")

    commands.add_parser("info", help="versions, kernels and threads", description="What is installed and what runs.")
    return top


def main(argv: list[str] | None = None) -> int:
    """Run a command; returns the exit status: 0, 2 for what cannot be done, 130 after Ctrl-C."""
    try:
        options = parser().parse_args(argv)
        if options.command == "train":
            from .train import train

            return train(options)
        if options.command == "predict":
            from .predict import predict

            return predict(options)
        from .info import info

        return info()
    except BrokenPipeError:  # the reader of our output has gone: nobody is left to tell
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except (UsageError, ImportError, OSError) as error:
        print(f"rushlight: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("rushlight: interrupted", file=sys.stderr)
        return 130

"""The command line: `rushlight train`, `predict` and `info`."""

from __future__ import annotations

import argparse
import sys


def parser() -> argparse.ArgumentParser:
    """The arguments of all commands."""
    top = argparse.ArgumentParser(prog="rushlight", description="Train an image classifier, use it, and see what runs.")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    train = commands.add_parser("train", help="train an image classifier", description="Train an image classifier.")
    train.add_argument(
        "--data", default="digits", metavar="NAME|FOLDER",
        help="digits (embedded), mnist, fashion-mnist, cifar10, or a folder with one folder of pictures a class",
    )  # fmt: skip
    train.add_argument("--root", default="data", help="where data sets are downloaded to (default: data)")
    train.add_argument("--model", default="lenet", help="lenet, resnet18, resnet34, resnet50, vgg11, mobilenet_v2 or mlp")
    train.add_argument("--epochs", type=int, default=None, help="passes over the training pictures")
    train.add_argument("--batch-size", type=int, default=64, help="pictures a step (default: 64)")
    train.add_argument("--lr", type=float, default=None, help="learning rate at its highest")
    train.add_argument("--optimizer", choices=("sgd", "adam", "adamw", "rmsprop"), default="adamw")
    train.add_argument("--seed", type=int, default=0, help="the same seed gives the same result (default: 0)")
    train.add_argument("--workers", type=int, default=0, help="processes that load pictures (default: none)")
    train.add_argument("--image-size", type=int, default=None, help="resize pictures of a folder to this (default: 64)")
    train.add_argument("--out", default="runs/latest", help="folder for the results (default: runs/latest)")
    train.add_argument("--resume", action="store_true", help="go on from the last checkpoint in --out")

    predict = commands.add_parser("predict", help="classify pictures", description="Classify pictures with a checkpoint.")
    predict.add_argument("checkpoint", help="best.pt or last.pt of a training run")
    predict.add_argument("images", nargs="+", metavar="image")
    predict.add_argument("--top", type=int, default=3, help="how many classes to show (default: 3)")

    commands.add_parser("info", help="versions, kernels and threads", description="What is installed and what runs.")
    return top


def main(argv: list[str] | None = None) -> int:
    """Run a command; returns the exit status."""
    options = parser().parse_args(argv)
    try:
        if options.command == "train":
            from .train import train

            return train(options)
        if options.command == "predict":
            from .predict import predict

            return predict(options)
        from .info import info

        return info()
    except (UsageError, ImportError) as error:
        print(f"rushlight: {error}", file=sys.stderr)
        return 2


class UsageError(Exception):
    """The command cannot be carried out as it was given; the message says why and what to do."""

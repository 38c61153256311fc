#!/usr/bin/python3
"""The image, the manifests and the compose file, for real: built from the Dockerfile and run by podman.

    make e2e            all of it
    make manifests      without containers: schemas, lint, what must be the same in two files

Everything stands in network namespaces and folders of this run's own, under the name `penstock-e2e`, and is removed at the end. Base
images and compiled layers stay in .build/containers, so that the next run is short; `make clean` removes them. Needs root.
"""

import argparse
import os
import pathlib
import signal
import sys

import compose
import gateways
import images
import pods
from engine import Engine
from node import Node, lab
from report import Report

NAME = "penstock-e2e"
STORAGE = images.ROOT / ".build" / "containers"
IMAGE = "docker.io/library/penstock:0.1.0"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--name", default=NAME)
    parser.add_argument("--storage", type=pathlib.Path, default=STORAGE)
    parser.add_argument("--only", nargs="*", choices=["image", "manifests", "pod", "init", "compose", "gateway"])
    build = parser.add_mutually_exclusive_group()
    build.add_argument("--build", action="store_true", help="build the image, and do no more")
    build.add_argument("--no-build", action="store_true", help="with the image of the last run")
    arguments = parser.parse_args()
    if os.geteuid() != 0:
        raise SystemExit("e2e: containers and network namespaces need root")
    # A run that is told to end removes what it made.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    report = Report()
    if arguments.only == ["manifests"]:
        check_manifests(report)
        sys.exit(report.end())
    node = Node(arguments.name)
    engine = Engine(arguments.storage, pathlib.Path("/run") / f"{arguments.name}-podman", lab.DNS4, node.enter)
    engine.clear()
    node.down()
    try:
        run(report, engine, node, arguments)
    finally:
        engine.down()
        node.down()
    sys.exit(0 if arguments.build else report.end())


def run(report, engine, node, arguments):
    def wanted(part):
        return not arguments.only or part in arguments.only

    if not arguments.no_build:
        report.title("the image, from the Dockerfile (.build/image.log)")
        images.make_bases(engine, report.note)
        images.build(engine, IMAGE, images.ROOT / ".build" / "image.log")
        report.title("built")
    if arguments.build:
        return
    node.up()
    node.make_network(engine)
    if wanted("image"):
        images.check(report, engine, IMAGE)
    if wanted("pod"):
        pods.check_pod(report, engine, node)
    if wanted("init"):
        pods.check_failing_init(report, engine, node)
    if wanted("compose"):
        compose.check(report, engine, node)
    if wanted("gateway"):
        gateways.check(report, engine, node)
    if wanted("manifests"):
        check_manifests(report)


def check_manifests(report):
    import manifests  # needs .build/venv, which may still be in the making while the image is built

    manifests.check(report)


if __name__ == "__main__":
    main()

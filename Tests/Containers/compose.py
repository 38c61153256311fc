"""deploy/docker-compose.yaml under podman-compose: the same guard without a pod."""

import json
import os
import shutil
import signal
import subprocess
import time

import watched
from engine import PATIENCE
from guarded import Guarded
from node import ALLOWED, DENIED, ROOT, lab
from pods import refused, verify
from report import wait_until

PROJECT = "penstock-e2e"


def start(engine, folder, *words):
    # From PyPI: Debian's 1.0 knows no `network_mode: service:`.
    tool = [ROOT / ".build/venv/bin/podman-compose", "-p", PROJECT, "-f", folder / "docker-compose.yaml"]
    return subprocess.Popen([*engine.node, *tool, *words], env=engine.environment, cwd=folder, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, start_new_session=True)


def compose(engine, folder, *words):
    """What it said on standard error; nothing where it went well."""
    running = start(engine, folder, "--profile", "watched", *words)
    try:
        said = running.communicate(timeout=PATIENCE)[1]
    except subprocess.TimeoutExpired:
        return f"podman-compose {' '.join(words)} did not end in {PATIENCE} s: {end(running)}"
    return said if running.returncode else ""


def end(running):
    """Ends it with what it has started, and gives what it said on standard error."""
    os.killpg(running.pid, signal.SIGKILL)
    return running.communicate()[1]


def lay_out(engine, change=lambda text: text):
    """A copy, as a user has one: the file, and the folders that it mounts."""
    folder = engine.runtime / "compose"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "deploy/compose", folder / "compose")
    (folder / "docker-compose.yaml").write_text(change((ROOT / "deploy/docker-compose.yaml").read_text()))
    # A container's user must be able to look in, wherever this runs.
    for place in (folder, *folder.rglob("*")):
        place.chmod(0o755 if place.is_dir() else 0o644)
    return folder


def states(engine):
    found = json.loads(engine.podman("ps", "--all", "--format", "json"))
    return {container["Names"][0]: container["State"] for container in found}


def name(engine, service):
    """podman-compose joins project, service and number by `_`, later ones by `-`."""
    for each in states(engine):
        if each.replace("-", "_") == f"{PROJECT}_{service}_1".replace("-", "_"):
            return each
    raise SystemExit(f"e2e: podman-compose made no container for {service}: {states(engine)}")


def check(report, engine, node):
    report.title("deploy/docker-compose.yaml with its watcher, by podman-compose")
    folder = lay_out(engine)
    said = compose(engine, folder, "up", "-d")
    running = list(states(engine).values()).count("running")
    if not report.check(running == 4, "holder, daemon, watcher and agent run", said or states(engine)):
        return
    holder = name(engine, "pod")
    guarded = Guarded(engine, node, name(engine, "agent"), name(engine, "penstockd"))
    guarded.prepare()
    if not report.check(guarded.wait_until_ready(), "the daemon becomes ready", guarded.log()):
        return
    status = dict(line.split(":", 1) for line in open(f"/proc/{engine.pid(holder)}/status"))
    report.check(int(status["CapEff"], 16) == 0 and int(status["CapPrm"], 16) == 0,
                 "the holder has given up its capability", status["CapEff"])
    health = engine.try_podman("healthcheck", "run", holder)
    report.check(health.returncode == 0, "the holder's health check verifies the rules", health.stdout + health.stderr)
    report.check(guarded.status()["CapBnd"] == "0" * 16, "the daemon has none")
    report.check(*verify(engine, guarded.agent, "the kernel's rules are as planned"))
    watch = watched.Watched(guarded, name(engine, "penstock-watch"))
    strong = wait_until(lambda: watch.doctor().returncode == 0, 15, 1)
    report.check(strong and watch.rules() == ("ok", "verified"), "penstock doctor says boundary: strong", watch.doctor().stdout + watch.log())
    before = node.arrived(DENIED)
    report.check(guarded.curl(f"https://{ALLOWED}/")[1] == 200, "allowed: TLS")
    refused(report, guarded, "denied name over TLS", "default_deny", f"https://{DENIED}/")
    refused(report, guarded, "the metadata service by its address", "default_deny", "http://169.254.169.254/latest/")
    seen = guarded.attempt("SOCK_DGRAM", "AF_INET", lab.SITES[DENIED][0], 443)
    report.check(seen in ("EPERM", "EACCES", "ECONNREFUSED"), "UDP to port 443 is refused at once", seen)
    check_restart(report, engine, guarded)
    report.check(node.arrived(DENIED) == before, "no packet came to the denied server", node.seen())
    started = time.monotonic()
    compose(engine, folder, "down", "-t", "2")
    report.check(not states(engine), f"and down again ({time.monotonic() - started:.0f} s)", states(engine))
    check_failing(report, engine, node)


def check_restart(report, engine, guarded):
    """The holder keeps the namespace, so the rules outlive the daemon."""
    os.kill(guarded.pid(), signal.SIGKILL)
    # Until it is back refused by the kernel, then by policy: told apart by what comes to the world, which is nothing.
    for _ in range(3):
        guarded.attempt("SOCK_STREAM", "AF_INET", lab.SITES["bare.example"][0], 80)
    report.check(guarded.node.arrived("bare.example") == 0, "kill -9 of the daemon leaves no way out", guarded.node.seen())
    report.check(guarded.wait_until_ready(20), "it comes back by itself", guarded.log())
    report.check(guarded.curl(f"https://{ALLOWED}/")[1] == 200, "and serves the same agent")
    report.check(*verify(engine, guarded.agent, "under the same rules"))


def check_failing(report, engine, node):
    def without_capability(text):
        if text.count("    cap_add: [NET_ADMIN]\n") != 1:
            raise SystemExit("e2e: deploy/docker-compose.yaml no longer says cap_add: [NET_ADMIN] once")
        return text.replace("    cap_add: [NET_ADMIN]\n", "").replace("restart: unless-stopped", "restart: \"no\"")

    folder = lay_out(engine, without_capability)
    before = node.seen()
    starting = start(engine, folder, "up", "-d")

    def has_ended():
        return any(state == "exited" and "pod" in each for each, state in states(engine).items())

    ended = wait_until(has_ended, 60)
    # It goes on waiting for the daemon to run, which cannot be.
    time.sleep(2)
    starting.terminate()
    try:
        starting.communicate(timeout=20)
    except subprocess.TimeoutExpired:
        end(starting)
    running = [each for each, state in states(engine).items() if state == "running" and "agent" in each]
    said = engine.try_podman("logs", name(engine, "pod"))
    report.check(ended and "NET_ADMIN" in said.stderr + said.stdout, "A08: a holder without NET_ADMIN says what it lacks, and ends", said.stderr)
    reached = [each for each in running if engine.try_podman("exec", each, "python3", "-c",
               f"import socket; socket.create_connection(({lab.SITES['bare.example'][0]!r}, 80), 2)").returncode == 0]
    report.check(not reached and node.seen() == before, "A08: then the agent has no network to join, and nothing came to the world",
                 states(engine))
    compose(engine, folder, "down", "-t", "0")

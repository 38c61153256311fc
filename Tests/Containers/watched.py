"""The watcher in a pod: what it makes of the posture, what the daemon does when the rules change, who may speak to the socket."""

import json
import os
import re
import signal
import subprocess
import time

from guarded import beside
from node import ROOT, lab
from report import wait_until

NET_ADMIN = 1 << 12
SAME_FLAGS = ("--inbound-port=8080", "--dns-server", lab.DNS4)


def with_watcher(text):
    """As docs/kubernetes.md has it done: sed 's/#~//'."""
    return text.replace("#~", "")


class Watched:
    """A guarded pod with its watcher."""

    def __init__(self, pod, watcher):
        self.pod, self.engine, self.watcher = pod, pod.engine, watcher

    def posture(self):
        """The answer of the health port, asked from the node: the whole posture, and the status of HTTP."""
        words = ("curl", "-s", "--noproxy", "*", "-m", "3", "-w", "\n%{http_code}",
                 f"http://{self.pod.pod_address}:15890/readyz?format=json")
        body, _, status = subprocess.run(self.pod.node.in_pod(*words), capture_output=True, text=True).stdout.rpartition("\n")
        try:
            return json.loads(body), int(status)
        except ValueError:
            return {"checks": [], "boundary": body}, 0

    def rules(self):
        """What is said of the rules: the check's status, and the first word of its detail."""
        found = [each for each in self.posture()[0]["checks"] if each["name"] == "ruleset"]
        return (found[0]["status"], found[0]["detail"].split(":")[0]) if found else ("", "")

    def records(self):
        """All states of the rules that were written down, in order."""
        lines = self.pod.audit_file.read_bytes().splitlines()
        return [record for record in map(json.loads, lines) if record["kind"] == "ruleset"]

    def doctor(self, *words):
        """Where kubectl exec would run it."""
        return self.engine.try_podman("exec", self.pod.daemon, "/usr/local/bin/penstock", "doctor", *words)

    def log(self):
        done = self.engine.try_podman("logs", "--tail", "15", self.watcher)
        return (done.stdout + done.stderr).strip()


def check(report, watched):
    report.title("the watcher")
    pod = watched.pod
    verified = wait_until(lambda: watched.rules() == ("ok", "verified"), 15)
    if not report.check(verified, "the daemon hears from the watcher that the rules are as planned", f"{watched.posture()}\n{watched.log()}"):
        return
    posture, status = watched.posture()
    report.check(posture["boundary"] == "strong" and status == 200, "/readyz?format=json says boundary: strong", posture)
    done = watched.doctor()
    report.check(done.returncode == 0 and "boundary: strong" in done.stdout and "/run/penstock/admin.sock" in done.stdout,
                 "penstock doctor in the daemon's container asks the admin socket and says boundary: strong", done.stdout + done.stderr)
    states = [record["event"] for record in watched.records()]
    report.check(states == ["unwatched", "verified"], "recorded: unwatched at the start, then verified", states)
    check_confinement(report, watched)
    check_agent(report, watched)
    check_drift(report, watched)
    check_killed(report, watched)


def check_confinement(report, watched):
    status = dict(line.split(":\t", 1) for line in open(f"/proc/{watched.engine.pid(watched.watcher)}/status"))
    report.check(status["Uid"].split() == status["Gid"].split() == ["10880"] * 4 and not set(status["Groups"].split()) - {"10880"},
                 "the watcher has become the daemon's user and group", status)
    held = {each: int(status[each], 16) for each in ("CapEff", "CapPrm", "CapInh", "CapAmb")}
    report.check(held == {"CapEff": NET_ADMIN, "CapPrm": NET_ADMIN, "CapInh": 0, "CapAmb": 0}, "and kept NET_ADMIN alone", held)
    report.check(status["NoNewPrivs"].strip() == "1" and status["Seccomp"].strip() == "2", "without a way to more", status)
    resident = int(status["VmRSS"].split()[0]) / 1024
    report.check(resident < 16, f"in less memory than it asks for ({resident:.0f} MiB)", status)
    folder = watched.pod.volume("/run") / "penstock"
    seen = [(f"{each.stat().st_mode & 0o777:o}", each.stat().st_uid, each.stat().st_gid) for each in (folder, folder / "admin.sock")]
    report.check(seen == [("700", 10880, 10880), ("600", 10880, 10880)], "the admin socket and its directory are the daemon's alone", seen)


CONNECT = """
import socket
s = socket.socket(socket.AF_UNIX)
for name in ("/run/penstock/admin.sock", "\\0/run/penstock/admin.sock"):
    try: s.connect(name); print("connected")
    except OSError as error: print(type(error).__name__)
"""


def check_agent(report, watched):
    pod, engine = watched.pod, watched.engine
    mounted = {mount["Name"] for mount in engine.inspect(pod.agent)["Mounts"] if mount.get("Name")}
    admin = {mount["Name"] for mount in engine.inspect(pod.daemon)["Mounts"] if mount["Destination"] == "/run"}
    tried = pod.do("python3", "-c", CONNECT).stdout.split()
    report.check(admin and not mounted & admin and tried == ["FileNotFoundError", "ConnectionRefusedError"],
                 "the agent does not reach the admin socket", (tried, mounted, admin))
    done = beside(engine, pod.agent, "penstock", "doctor", "--json", user="2000:2000")
    found = {each["name"]: each["status"] for each in json.loads(done.stdout or '{"checks": []}')["checks"]}
    tests = [f"{test} {family}" for test in ("self-test", "udp-test") for family in ("ipv4", "ipv6")]
    report.check(done.returncode == 0 and all(found.get(test) == "ok" for test in tests),
                 "penstock doctor as the agent's user: connections are denied and recorded, datagrams refused", done.stdout + done.stderr)
    done = beside(engine, pod.agent, "penstock", "doctor", "--no-self-test", user="0:0", more=("--volumes-from", pod.daemon))
    report.check(done.returncode == 0 and "the health port" in done.stdout, "G02: root with the socket's volume is refused there",
                 done.stdout + done.stderr)


def check_drift(report, watched):
    pod = watched.pod
    started = time.monotonic()
    lab.run("nsenter", f"--net=/proc/{watched.engine.pid(pod.agent)}/ns/net", "nft", "delete", "table", "inet", "penstock")
    noticed = wait_until(lambda: not pod.is_ready(), pause=0.05)
    took = time.monotonic() - started
    report.check(noticed, f"A04: the rules are taken away, and the pod is not ready ({took:.1f} s)", watched.posture())
    record = watched.records()[-1]
    report.check(record["event"] == "drifted" and record["differences"], "A04: recorded: drifted, with what differs", record)
    posture, status = watched.posture()
    report.check(status == 503 and posture["boundary"] == "weak" and watched.rules() == ("failed", "drifted"),
                 "A04: /readyz?format=json says so", posture)
    done = watched.doctor()
    report.check(done.returncode == 1 and "drifted" in done.stdout, "A04: penstock doctor says so, and ends with 1", done.stdout + done.stderr)
    metrics = subprocess.run(pod.node.in_pod("curl", "-s", "--noproxy", "*", "-m", "3", f"http://{pod.pod_address}:15890/metrics"),
                             capture_output=True, text=True).stdout
    asked = re.findall(r'^ *expr: (penstock_(?:ruleset_state|boundary_strong)\S*) == (\d)', (ROOT / "deploy/alerts.yaml").read_text(), re.MULTILINE)
    report.check(len(asked) == 2 and all(f"{name} {value}\n" in metrics for name, value in asked), "A04: both alerts would fire",
                 [line for line in metrics.splitlines() if line.startswith(("penstock_ruleset", "penstock_boundary"))])
    done = beside(watched.engine, pod.agent, "penstock-init", "install", *SAME_FLAGS, capabilities=["NET_ADMIN"])
    mended = done.returncode == 0 and pod.wait_until_ready()
    report.check(mended and watched.rules() == ("ok", "verified"), "installed again, the pod is ready again", done.stdout + done.stderr)


def check_killed(report, watched):
    before, starts = watched.engine.pid(watched.watcher), watched.log().count("watching it")
    os.kill(before, signal.SIGKILL)
    back = wait_until(lambda: watched.log().count("watching it") > starts, 15)
    report.check(back and watched.rules() == ("ok", "verified"), "kill -9 of the watcher: it comes back by itself", watched.log())


def stop(report, watched):
    """What comes of it is seen after three intervals of 10 s: `check_silence`."""
    started = time.monotonic()
    watched.engine.podman("stop", "--time", "20", watched.watcher)
    took = time.monotonic() - started
    code = watched.engine.inspect(watched.watcher)["State"]["ExitCode"]
    report.check(code == 0, f"the watcher ends at once when told to, with status 0 ({took:.1f} s)", code)


def check_silence(report, watched):
    report.title("the watcher away")
    silent = wait_until(lambda: watched.rules() == ("weak", "unwatched"), 45)
    report.check(silent and watched.pod.is_ready(), "the posture says unwatched; the pod stays ready", watched.posture())
    done = watched.doctor()
    report.check(done.returncode == 1 and "unwatched" in done.stdout and "penstock-init verify --watch" in done.stdout,
                 "penstock doctor says so with the remedy, and ends with 1", done.stdout)
    report.check(watched.records()[-1]["event"] == "unwatched", "recorded: unwatched", watched.records()[-1])
    watched.engine.podman("start", watched.watcher)
    report.check(wait_until(lambda: watched.rules() == ("ok", "verified"), 15), "started again, it is heard again", watched.log())

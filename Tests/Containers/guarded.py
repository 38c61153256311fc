"""An agent's container and its gate, as both kinds of manifest make them; what can be asked of them."""

import json
import os
import pathlib
import signal

from report import wait_until

# Runs in the agent: tries something and says what came of it, in one word.
TRY = """
import errno, socket, sys
def attempt(kind, family, address, port):
    s = socket.socket(family, kind)
    s.settimeout(3)
    try:
        if kind == socket.SOCK_STREAM:
            s.connect((address, port)); s.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n"); return "answer" if s.recv(9) else "closed"
        s.sendto(b"\\0" * 40, (address, port)); s.recv(9); return "answer"
    except socket.timeout: return "silence"
    except OSError as error: return errno.errorcode.get(error.errno, "error")
"""


def beside(engine, member, program, *words, user="0:0", capabilities=(), more=()):
    """Runs one of the image's programs in a container of its own, in the network namespace of another."""
    added = [word for each in capabilities for word in ("--cap-add", each)]
    return engine.try_podman("run", "--rm", "--network", f"ns:/proc/{engine.pid(member)}/ns/net", "--user", user, "--read-only",
                             "--cap-drop", "all", *added, *more, "--entrypoint", f"/usr/local/bin/{program}", "penstock:0.1.0", *words)


class Guarded:
    def __init__(self, engine, node, agent, daemon):
        self.engine, self.node, self.agent, self.daemon = engine, node, agent, daemon
        self.read_up_to = 0

    # The agent.

    def do(self, *command, **options):
        """Runs a command in the agent's container, as the agent's user."""
        return self.engine.try_podman("exec", *(["-i"] if "input" in options else []), self.agent, *command, **options)

    def trust_the_world(self):
        """The world's certificates come from an authority that no public image knows."""
        done = self.do("sh", "-c", "cat > /tmp/ca.pem", input=self.node.ca.read_text())
        if done.returncode != 0:
            raise SystemExit(f"e2e: cannot write in the agent: {done.stderr}")

    def curl(self, *words):
        """The exit status of curl, and the status of HTTP."""
        done = self.do("curl", "-sS", "--cacert", "/tmp/ca.pem", "-m", "8", "-o", "/dev/null", "-w", "%{http_code}", *words)
        return done.returncode, int(done.stdout or 0), done.stderr.strip()

    def attempt(self, kind, family, address, port):
        done = self.do("python3", "-c", f"{TRY}\nprint(attempt(socket.{kind}, socket.{family}, {address!r}, {port}))")
        return done.stdout.strip() or done.stderr.strip()

    # The daemon.

    @property
    def address(self):
        """The pod's IPv4 address, as its own kernel tells it."""
        done = self.do("python3", "-c", "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); "
                                        f"s.connect(('{self.node.resolver_address}', 53)); print(s.getsockname()[0])")
        return done.stdout.strip()

    def is_ready(self):
        """Asked as a kubelet asks: from the node."""
        return self.node.curl(f"http://{self.pod_address}:15890/readyz") == 200

    def wait_until_ready(self, seconds=20):
        return wait_until(self.is_ready, seconds)

    def pid(self):
        return self.engine.pid(self.daemon)

    def signal(self, number):
        os.kill(self.pid(), number)

    def log(self):
        done = self.engine.try_podman("logs", "--tail", "15", self.daemon)
        return (done.stdout + done.stderr).strip()

    def status(self):
        """What the kernel says of the daemon's process: capabilities, user, and so on."""
        lines = pathlib.Path(f"/proc/{self.pid()}/status").read_text().splitlines()
        return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}

    # Its volumes, as the node sees them.

    def volume(self, place):
        for mount in self.engine.inspect(self.daemon)["Mounts"]:
            if mount["Destination"] == place:
                return pathlib.Path(mount["Source"])
        raise SystemExit(f"e2e: {self.daemon} has nothing mounted at {place}")

    def new_records(self):
        """The records written since the last call; a line that is not whole yet stays for the next."""
        with open(self.audit_file, "rb") as file:
            file.seek(self.read_up_to)
            whole = file.read().rpartition(b"\n")[0]
        self.read_up_to += len(whole) + 1 if whole else 0
        return [json.loads(line) for line in whole.splitlines()]

    def prepare(self):
        self.audit_file = self.volume("/var/log/penstock") / "audit.jsonl"
        self.pod_address = self.address
        self.trust_the_world()

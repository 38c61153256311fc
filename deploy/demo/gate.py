"""The gate in the lab's pod: the kernel's rules, the daemon, and what each of them has to say."""

import dataclasses
import json
import os
import re
import shutil
import signal
import subprocess
import time

import lab as lab_module

PROXY_UID = 10880
TABLE = "penstock"
# How the kernel hands connections to the daemon.
MODES = ("redirect", "tproxy")
# What a line of penstock.yaml becomes where they are routed to it.
TRANSPARENT = ("transparent: { port: 15880 }", "transparent: { port: 15880, tproxy: true }")
READY = "http://127.0.0.1:15890/readyz"
# Where the demo's penstock.yaml puts things, as on a real machine; in the lab they stand in the lab's folder.
CONFIGURED = {
    "/etc/penstock/policy.yaml": "policy.yaml", "/var/log/penstock/audit.jsonl": "audit/audit.jsonl",
    "/srv/penstock-trust": "published", "/etc/penstock/lab-ca.pem": "ca.pem",
}


@dataclasses.dataclass(frozen=True)
class Counter:
    """A counting rule of our table that refuses."""

    chain: str
    rule: str


class Gate:
    def __init__(self, lab, programs, mode="redirect"):
        self.lab = lab
        self.mode = mode
        self.programs = lab.folder / "bin"
        self.built = programs
        self.audit_file = lab.folder / "audit" / "audit.jsonl"
        self.published = lab.folder / "published"
        self.log_file = lab.folder / "penstockd.log"
        self.daemon = None
        self.read_up_to = 0

    # Setting up.

    def place_files(self):
        """Copies: the daemon's user may not be able to look into the folder that the programs were built in."""
        self.programs.mkdir()
        for program in ("penstock-init", "penstockd"):
            source = os.path.join(self.built, program)
            if not os.path.exists(source):
                raise SystemExit(f"run: {source} is not there; `make build` makes it")
            shutil.copy(source, self.programs)
        for name in ("policy.yaml", "penstock.yaml"):
            text = (lab_module.HERE / name).read_text()
            if name == "penstock.yaml":
                for path, place in CONFIGURED.items():
                    if text.count(path) != 1:
                        raise SystemExit(f"run: {name} no longer says {path} once")
                    text = text.replace(path, str(self.lab.folder / place))
                if text.count(TRANSPARENT[0]) != 1:
                    raise SystemExit(f"run: {name} no longer says {TRANSPARENT[0]} once")
                if self.mode == "tproxy":
                    text = text.replace(*TRANSPARENT)
            (self.lab.folder / name).write_text(text)
        self.published.mkdir(mode=0o755)
        self.audit_file.parent.mkdir(mode=0o700)
        for folder in (self.published, self.audit_file.parent):
            os.chown(folder, PROXY_UID, PROXY_UID)

    def install_rules(self):
        """What the init container does, once, before the agent's first packet."""
        self.init("install", f"--mode={self.mode}", f"--proxy-uid={PROXY_UID}", f"--proxy-gid={PROXY_UID}",
                  f"--dns-server={lab_module.DNS4}")

    def init(self, *words):
        done = subprocess.run(self.lab.in_pod(self.programs / "penstock-init", *words), capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"run: penstock-init {' '.join(words)}: exit {done.returncode}\n{done.stderr or done.stdout}")

    def start_daemon(self):
        """As in its container: its own user and group, no capability, none to be gained; by TPROXY one, until it listens."""
        kept = ["net_admin"] if self.mode == "tproxy" else []
        command = self.lab.in_pod(*lab_module.unprivileged(PROXY_UID, kept), self.programs / "penstockd",
                                  "--config", self.lab.folder / "penstock.yaml")
        with open(self.log_file, "w") as log:
            # A session of its own: Ctrl-C in the terminal is for us, and we end the daemon in our own time.
            self.daemon = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                           cwd=self.lab.folder, env={"PATH": "/usr/bin:/bin"}, start_new_session=True)
        deadline = time.monotonic() + 10
        while not self.is_ready():
            if self.daemon.poll() is not None:
                raise SystemExit(f"run: penstockd ended with {self.daemon.returncode} before it was ready\n{self.log()}")
            if time.monotonic() > deadline:
                raise SystemExit(f"run: penstockd does not become ready: {READY}\n{self.log()}")
            time.sleep(0.05)
        self.let_agent_trust()

    def privileges(self):
        return {"redirect": "without capabilities", "tproxy": "with CAP_NET_ADMIN until it listens"}[self.mode]

    def let_agent_trust(self):
        """Beside the lab's authority the daemon's own: on a real machine `bundle.pem` has it beside the system's roots."""
        with open(self.lab.trust, "a") as trust:
            trust.write((self.published / "ca.pem").read_text())

    def is_ready(self):
        asked = subprocess.run(
            self.lab.in_pod("curl", "-s", "--noproxy", "*", "-o", "/dev/null", "-w", "%{http_code}", "-m", "2", READY),
            capture_output=True, text=True)
        return asked.stdout == "200"

    def stop_daemon(self):
        """Asks it to end; returns its exit status, `None` where it had to be made."""
        if self.daemon is None or self.daemon.poll() is not None:
            return self.daemon.returncode if self.daemon else None
        self.daemon.send_signal(signal.SIGTERM)
        try:
            return self.daemon.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self.daemon.kill()
            self.daemon.wait()
            return None

    def log(self):
        """The end of what the daemon said, and of the record, which may say more."""
        said = self.log_file.read_text(errors="replace").strip().splitlines()[-20:] if self.log_file.exists() else []
        recorded = self.audit_file.read_text().splitlines()[-5:] if self.audit_file.exists() else []
        return "\n".join(["penstockd said:", *(said or ["nothing"]), "and recorded:", *(recorded or ["nothing"])])

    # What was recorded.

    def new_records(self):
        """The records written since the last call; a line that is not whole yet stays for the next."""
        if not self.audit_file.exists():
            return []
        with open(self.audit_file, "rb") as file:
            file.seek(self.read_up_to)
            whole = file.read().rpartition(b"\n")[0]
        if not whole:
            return []
        self.read_up_to += len(whole) + 1
        return [json.loads(line) for line in whole.splitlines()]

    # What the kernel refused.

    def refusals(self):
        """The packets that each refusing rule of our table has counted."""
        listing = subprocess.run(self.lab.in_pod("nft", "-a", "list", "table", "inet", TABLE),
                                 capture_output=True, text=True)
        if listing.returncode != 0:
            raise SystemExit(f"run: nft list table inet {TABLE}: {listing.stderr.strip()}")
        found, chain = {}, ""
        for line in listing.stdout.splitlines():
            if match := re.match(r"\s*chain (\S+) \{", line):
                chain = match[1]
            match = re.match(r"\s*(?P<before>.*?)\s*counter packets (?P<packets>\d+) bytes \d+\s*(?P<after>.*?)\s*"
                             r"# handle (?P<handle>\d+)", line)
            # A chain whose policy is drop may end in a bare counter.
            if match and "accept" not in match["after"]:
                rule = " ".join(f"{match['before']} {match['after']}".split()) or "everything else"
                found[Counter(chain, f"{rule} [{match['handle']}]")] = int(match["packets"])
        return found

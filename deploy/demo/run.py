#!/usr/bin/python3
"""`make run`: a pod, a small world, Penstock between them, and an agent that tries to get out.

Every attempt of agent.py is shown beside what became of it: the decision and its audit record, or the kernel rule that
refused it. At the end stands what arrived in the world. Exit status 0 where everything was as it ought to be.

With --mode tproxy the kernel routes the agent's connections to the daemon instead of rewriting where they go.

With --agent COMMAND that command runs in the pod as the agent instead, and the records that it left are printed after it.
"""

import argparse
import fcntl
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

import agent
import gate as gate_module
import gateway
import lab as lab_module

COLOURS = {"ok": "32", "UNEXPECTED": "1;31", "faint": "2", "bold": "1"}
# Room for: verdict, decision, client, attempt. What the client saw takes the rest of the line.
WIDTHS = (10, 17, 9, 45)


def coloured(text, colour):
    return f"\033[{COLOURS[colour]}m{text}\033[0m" if sys.stdout.isatty() and "NO_COLOR" not in os.environ else text


def step(text):
    print(coloured(f"==> {text}", "bold"), flush=True)


def row(verdict, decision, client, title, saw):
    cells = [cell.ljust(width) for cell, width in zip((verdict, decision, client, title), WIDTHS)]
    cells[0] = coloured(cells[0], verdict) if verdict in COLOURS else cells[0]
    print(" ".join([*cells, saw]), flush=True)


def below(text):
    print(" " * (WIDTHS[0] + 1) + coloured(text, "faint"), flush=True)


# One attempt: what became of it, and whether that is what ought to have.


class Judge:
    """Watches one attempt at a time, so that every record and every refused packet is that attempt's own."""

    def __init__(self, lab, gate):
        self.lab, self.gate = lab, gate
        self.unexpected = 0
        self.open = {}

    def try_out(self, attempt):
        refused_before = self.gate.refusals()
        outcome = agent.tell(attempt, self.lab.as_agent(at=attempt.at), self.lab.agent_environment())
        records, others = self.records(attempt)
        risen = {counter: count - refused_before.get(counter, 0) for counter, count in self.gate.refusals().items()
                 if count > refused_before.get(counter, 0)}
        problems = faults(attempt, outcome, records, others, risen)
        self.unexpected += bool(problems)
        saw = outcome.says + (f" (after {outcome.seconds:.1f} s)" if outcome.seconds > 1 else "")
        row("UNEXPECTED" if problems else "ok", decision_of(records or others, risen), attempt.client, attempt.title, saw)
        for record in (*records, *others):
            below(told(record))
        if not records and not others:
            for counter, packets in risen.items():
                below(f"kernel  chain {counter.chain}: {counter.rule}, {packets} packet{'s' * (packets > 1)}")
        for problem in problems:
            print(" " * (WIDTHS[0] + 1) + coloured(problem, "UNEXPECTED"), flush=True)

    def records(self, attempt):
        """The `connection` records that the attempt left, and those of requests and checks; what is due is waited for."""
        is_due = attempt.record is not None or attempt.others
        deadline = time.monotonic() + (3 if is_due else 0.15)
        found, others = [], []
        while True:
            for record in self.gate.new_records():
                self.note(record)
                if record["kind"] == "connection":
                    found.append(record)
                elif record["kind"] in ("request", "check"):
                    others.append(record)
            is_there = len(found) >= (attempt.record is not None) and len(others) >= len(attempt.others)
            if (is_due and is_there) or time.monotonic() > deadline:
                return found, others
            time.sleep(0.02)

    def note(self, record):
        kind = record["kind"]
        if kind in ("connection", "request") and record["decision"] == "allow":
            self.open[record["id"]] = record
        elif kind in ("connection_end", "request_end") and self.open.pop(record["id"], None) is None:
            self.complain(f"an end without a beginning that was allowed: {record}")

    def complain(self, problem):
        self.unexpected += 1
        row("UNEXPECTED", "", "", problem, "")

    def wait_for_ends(self):
        """Exactly one end for each connection that was let through."""
        deadline = time.monotonic() + 5
        while self.open and time.monotonic() < deadline:
            for record in self.gate.new_records():
                self.note(record)
            time.sleep(0.02)
        for record in self.open.values():
            self.complain(f"allowed and never ended: {told(record)}")


def faults(attempt, outcome, records, others, risen):
    """What of an attempt was not as it ought to be, in words."""
    found = []
    if attempt.sees is None:
        if outcome.succeeded:
            found.append("the client got through")
        if outcome.seconds > attempt.within:
            found.append(f"the refusal took {outcome.seconds:.1f} s; {attempt.within} s at most")
    elif not outcome.succeeded or not re.fullmatch(attempt.sees, outcome.says):
        found.append(f"the client ought to have seen {attempt.sees}")
    if attempt.record is None and not attempt.others:
        if records:
            found.append("the kernel ought to have refused it, and it reached the daemon")
        if not risen:
            found.append("no counter of a refusing rule has risen")
        return found
    wanted = ([{"kind": "connection", **attempt.record}] if attempt.record else []) + list(attempt.others)
    if len(records) + len(others) != len(wanted):
        return found + [f"{len(records)} connection records and {len(others)} of requests and checks; {len(wanted)} are due"]
    for facts, due in zip(map(facts_of, (*records, *others)), wanted):
        found += [f"{key} is {facts[key]}; it ought to be {value}" for key, value in due.items() if facts[key] != value]
    return found


def facts_of(record):
    destination = record.get("destination") or {}
    own = {key: record.get(key) for key in ("kind", "decision", "rule", "reason", "treatment", "capture", "method", "path")}
    own["tool"] = (record.get("mcp") or {}).get("tool")
    own["client"] = (record.get("workload") or {}).get("address")
    return own | {key: destination.get(key) for key in ("name", "original", "dialled")}


def decision_of(records, risen):
    if records:
        return f"{records[0]['decision']} {records[0].get('treatment', '')}".strip()
    return "refused by kernel" if risen else "nothing"


def told(record):
    """A record in a line that can be read; the whole of it is in the audit file, under its sequence number."""
    facts = facts_of(record)
    words = [f"audit #{record['sequence']}", record.get("reason"), facts["rule"] and f"rule {facts['rule']}",
             record.get("protocol"), record.get("sni") and f"sni {record['sni']}",
             facts["method"] and f"{record['decision']} {facts['method']} {facts['path']}",
             facts["tool"] and f"tool {facts['tool']}",
             facts["client"] and f"from {facts['client']}", facts["original"] and f"to {facts['original']}", facts["dialled"] and f"dialled {facts['dialled']}"]
    return "  ".join(word for word in words if word)


# What arrived in the world.


def weigh_arrivals(lab, judge):
    """Counted in the world, by the world: nothing that Penstock says of itself."""
    step("what arrived in the world from the pod (packets, by destination)")
    seen = lab.seen()
    for (address, protocol, port), packets in sorted(seen.items()):
        forbidden = address == lab_module.METADATA or address in lab_module.SITES["denied.example"] or (
            protocol == "udp" and (address, port) != (lab_module.DNS4, 53))
        judge.unexpected += forbidden
        row("UNEXPECTED" if forbidden else "ok", f"{packets:6} packets", protocol, f"{address} port {port}", site_of(address))
    for what, wanted in (("the allowed site", lab_module.SITES["allowed.example"][0]), ("the resolver", lab_module.DNS4)):
        if not any(address == wanted for address, _, _ in seen):
            judge.complain(f"nothing at all arrived at {what}: the lab proves nothing")
    for address in (*lab_module.SITES["denied.example"], lab_module.METADATA):
        if not any(address == there for there, _, _ in seen):
            row("ok", "     0 packets", "", address, site_of(address))


def site_of(address):
    names = {address: name for name, addresses in lab_module.SITES.items() for address in addresses}
    names |= {lab_module.DNS4: "the resolver", lab_module.DNS6: "the resolver", lab_module.METADATA: "cloud metadata"}
    return names.get(address, "")


# The two ways to run.


def show_attempts(lab, gate, attempts):
    judge = Judge(lab, gate)
    step(f"{len(attempts)} attempts to get out, as UID {lab_module.AGENT_UID} without capabilities")
    row("", "decision", "client", "attempt", "what the client saw")
    for record in gate.new_records():
        judge.note(record)
    for attempt in attempts:
        judge.try_out(attempt)
    judge.wait_for_ends()
    weigh_arrivals(lab, judge)
    status = gate.stop_daemon()
    if status != 0:
        judge.complain(f"penstockd, asked to end, ended with {status}")
    if judge.unexpected:
        print(gate.log())
    step("everything as it ought to be" if not judge.unexpected else f"{judge.unexpected} UNEXPECTED")
    return 1 if judge.unexpected else 0


def run_command(lab, gate, command):
    step(f"as the agent, in the pod: {command}")
    gate.new_records()
    status = subprocess.run(lab.as_agent("/bin/sh", "-c", command), env=lab.agent_environment(),
                            cwd=lab.folder / "home").returncode
    time.sleep(0.3)  # the ends of its connections
    gate.stop_daemon()
    step(f"it ended with {status}; its records:")
    for record in gate.new_records():
        if record["kind"] in ("connection", "connection_end", "request", "request_end"):
            print(json.dumps(record, separators=(",", ":"), ensure_ascii=False))
    return status


def keep_audit(gate, programs):
    """Out of the lab's folder, which goes; beside the build, where `make clean` takes it."""
    if not gate.audit_file.exists():
        return
    folder = pathlib.Path(__file__).resolve().parents[2] / ".build" / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / "audit.jsonl"
    shutil.copyfile(gate.audit_file, kept)
    print(f"the audit file: {kept}")
    command = pathlib.Path(programs) / "penstock"
    policy = pathlib.Path(__file__).resolve().with_name("policy.yaml")
    print("edit a copy of the policy, and see what of this traffic would come out another way:")
    print(f"    cp {policy} new.yaml; $EDITOR new.yaml; {command} policy diff --intercept {policy} new.yaml --audit {kept}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", required=True, help="the folder with penstock-init and penstockd")
    parser.add_argument("--mode", choices=(*gate_module.MODES, "gateway"), default="redirect",
                        help="how connections are handed over; gateway: those of two clients behind a router")
    parser.add_argument("--agent", metavar="COMMAND", help="run this as the agent instead of the attempts")
    parser.add_argument("--name", default="penstock-demo", help="several labs can stand side by side")
    arguments = parser.parse_args()
    if os.geteuid() != 0:
        raise SystemExit("run: network namespaces and kernel rules need root")
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(130))

    is_gateway = arguments.mode == "gateway"
    lab = (gateway.GatewayLab if is_gateway else lab_module.Lab)(arguments.name)
    lock = open(lab_module.state_root() / f"{arguments.name}.lock", "w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise SystemExit(f"run: another run is on under the name {arguments.name}; --name gives this one its own")
    lab.down()  # what a run that was killed left behind: the lock says that nobody is using it
    make_gate = gateway.GatewayGate if is_gateway else gate_module.Gate
    gate = make_gate(lab, arguments.programs, "redirect" if is_gateway else arguments.mode)
    try:
        step("two clients, a router and a world" if is_gateway else "a pod and a world, joined by a veth pair")
        lab.up()
        gate.place_files()
        step(f"penstock-init: the kernel's rules ({arguments.mode})")
        gate.install_rules()
        step(f"penstockd, as UID {gate_module.PROXY_UID} {gate.privileges()}")
        gate.start_daemon()
        if arguments.agent:
            return run_command(lab, gate, arguments.agent)
        return show_attempts(lab, gate, gateway.attempts() if is_gateway else agent.ATTEMPTS)
    except KeyboardInterrupt:
        return 130
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not leave the lab standing
        gate.stop_daemon()
        keep_audit(gate, arguments.programs)
        lab.down()


if __name__ == "__main__":
    sys.exit(main())

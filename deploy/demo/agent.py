#!/usr/bin/python3
"""An agent that tries to get out of its pod: a list of attempts, each by an unmodified client.

    agent.py                every attempt, one after the other, with what the client saw
    agent.py --list         their names
    agent.py NAME…          these

It knows nothing of Penstock and needs nothing of it. What ought to become of each attempt stands beside it for whoever
watches from outside (run.py); the agent itself only tries.
"""

import dataclasses
import json
import subprocess
import sys
import time
from typing import Optional

# Patience of every client, in seconds. A refusal that takes that long is no refusal but a silence.
PATIENCE = 8

PYTHON_GET = """
import http.client, socket, ssl, sys
name, family = sys.argv[1], {"4": socket.AF_INET, "6": socket.AF_INET6}[sys.argv[2]]
address = socket.getaddrinfo(name, 443, family, socket.SOCK_STREAM)[0][4]
connection = http.client.HTTPSConnection(name, timeout=8)
connection.sock = ssl.create_default_context().wrap_socket(
    socket.create_connection(address[:2], timeout=8), server_hostname=name)
connection.request("GET", "/")
answer = connection.getresponse()
print(answer.read().decode().strip(), answer.status)
"""

NODE_GET = """
const [name, family] = process.argv.slice(1);
const request = require("https").get({ host: name, family: Number(family), timeout: 8000 }, answer => {
  let body = "";
  answer.on("data", chunk => body += chunk);
  answer.on("end", () => console.log(body.trim(), answer.statusCode));
});
request.on("timeout", () => request.destroy(new Error("timed out")));
request.on("error", error => { console.error(error.message); process.exit(1); });
"""

# Connects, says nothing, and prints what the other side says first.
PYTHON_LISTEN = """
import socket, sys
with socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=8) as connection:
    said = connection.recv(200)
    if not said: sys.exit("closed without a word")
    print(said.decode(errors="replace").strip())
"""

# One connection to a port, inside TLS on 443, that is kept for as long as `kept` is its socket.
PYTHON_CONNECT = """
import http.client, json, socket, ssl, sys, time
name, family, port = sys.argv[1], {"4": socket.AF_INET, "6": socket.AF_INET6}[sys.argv[2]], int(sys.argv[3])
address = socket.getaddrinfo(name, port, family, socket.SOCK_STREAM)[0][4]
connection = http.client.HTTPConnection(name, timeout=8)
kept = socket.create_connection(address[:2], timeout=8)
if port == 443: kept = ssl.create_default_context().wrap_socket(kept, server_hostname=name)
connection.sock = kept
"""

# Several requests on it: each `METHOD path` is asked, and its status printed.
PYTHON_KEPT = PYTHON_CONNECT + """
for request in sys.argv[4:]:
    connection.request(*request.split())
    answer = connection.getresponse()
    answer.read()
    print(request, answer.status, answer.getheader("Content-Type"))
    if connection.sock is not kept: sys.exit("the connection was not kept")
"""

# A stream of events, each with the time at which it left: it has to be here before the next one leaves.
PYTHON_EVENTS = PYTHON_CONNECT + """
connection.request("GET", "/events")
answer, words, arrived = connection.getresponse(), [], time.monotonic()
while line := answer.readline():
    if not line.startswith(b"data: "): continue
    word, left = json.loads(line[6:])
    if words and left < arrived: sys.exit("an event was held back")
    words, arrived = [*words, word], time.monotonic()
print(*words, "as they came")
"""

# Tools of a server, called on it one after the other: what each came to.
PYTHON_TOOLS = PYTHON_CONNECT + """
for number, tool in enumerate(sys.argv[4:], 1):
    call = {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": {"name": tool, "arguments": {}}}
    connection.request("POST", "/mcp", json.dumps(call), {"Content-Type": "application/json", "Accept": "application/json"})
    answer = json.loads(connection.getresponse().read())
    if answer["id"] != number: sys.exit("an answer to something else")
    print("error %d;" % answer["error"]["code"] if "error" in answer else answer["result"]["content"][0]["text"] + ";")
    if connection.sock is not kept: sys.exit("the connection was not kept")
"""

# A WebSocket: what is sent comes back.
PYTHON_WEBSOCKET = """
import asyncio, socket, sys, websockets
async def main():
    family = {"4": socket.AF_INET, "6": socket.AF_INET6}[sys.argv[2]]
    async with websockets.connect(sys.argv[1], family=family, open_timeout=8) as connection:
        await connection.send("there")
        print(await connection.recv(), "and back")
asyncio.run(main())
"""

# A datagram that begins as a QUIC version 1 Initial does. The second one meets the answer to the first, if there is one.
PYTHON_DATAGRAM = """
import socket, sys, time
address, port = sys.argv[1], int(sys.argv[2])
sender = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
sender.connect((address, port))
sender.settimeout(1)
for _ in range(2):
    sender.send(bytes([0xC3, 0, 0, 0, 1, 8]) + bytes(1194))
    time.sleep(0.05)
print("sent")
"""


@dataclasses.dataclass(frozen=True)
class Attempt:
    name: str
    title: str
    client: str
    command: list
    # A pattern for what the client says; None: it must fail.
    sees: Optional[str]
    # The record that must be left: `decision`, `original`, and what else matters. None: the kernel refuses, unrecorded.
    record: Optional[dict] = None
    # The records of the requests on it, and of questions to the API: each with its `kind`, in order.
    others: tuple = ()
    # Which of a gateway's clients tries it.
    at: int = 0
    # Refusals answer at once, so that an agent does not hang on what it may not do. In seconds.
    within: float = 3


def curl(family, url, *options):
    return ["curl", f"-{family}", "-sS", "--max-time", str(PATIENCE), "-w", " %{http_code}", *options, url]


def python(code, *arguments):
    return ["/usr/bin/python3", "-c", code, *map(str, arguments)]


def node(family, name):
    return ["node", "-e", NODE_GET, name, family]


def allow(original, **more):
    return {"decision": "allow", "original": original, **more}


def deny(original, **more):
    return {"decision": "deny", "original": original, **more}


def http(original):
    """A connection of plain HTTP: taken, and its requests judged one by one."""
    return allow(original, treatment="http", reason="per_request")


def inspected(original):
    """A connection that is looked into, for a name that policy inspects: its requests are judged one by one."""
    return allow(original, treatment="inspect", name="inside.example")


def request(decision, method, path="/", **more):
    return {"kind": "request", "decision": decision, "method": method, "path": path, **more}


def check(decision, **more):
    return {"kind": "check", "decision": decision, **more}


def ask(host, **context):
    """A question to the governance API, as callers of other toolkits put it."""
    body = json.dumps({"action": "http.request", "agent_id": "demo", "context": {"host": host, **context}})
    return ["curl", "-sS", "--max-time", str(PATIENCE), "-w", " %{http_code}", "-H", "Content-Type: application/json",
            "--data", body, "http://127.0.0.1:8081/api/v1/check-policy"]


def of_family(family, here=("127.0.0.1", "::1")):
    """What is tried over IPv4 and over IPv6 alike; `here` is where the daemon listens."""
    v6 = family == "6"
    allowed, denied, bare, inside, pod = (
        ("2001:db8:113::10", "2001:db8:113::20", "2001:db8:113::30", "2001:db8:113::40", "2001:db8:1::2") if v6 else
        ("203.0.113.10", "203.0.113.20", "203.0.113.30", "203.0.113.40", "198.51.100.2"))
    loopback = here[v6]

    def at(address, port):
        return f"[{address}]:{port}" if v6 else f"{address}:{port}"

    def to(name, address):
        return "--resolve", f"{name}:443:{'[' + address + ']' if v6 else address}"

    def attempt(name, title, client, command, sees, record=None, **more):
        return Attempt(f"{name}-{client}-{family}", title, f"{client} v{family}", command, sees, record, **more)

    answer = rf"allowed\.example at {allowed} 200"
    # The daemon resolves the name itself: which of its addresses it dials is its own choice.
    own_choice = r"allowed\.example at (203\.0\.113\.10|2001:db8:113::10) 200"
    own_page = r"inside\.example at (203\.0\.113\.40|2001:db8:113::40) 200"
    by_name = dict(rule="allowed-names", name="allowed.example")
    by_deny = dict(rule="denied-names", name="denied.example")
    return [
        attempt("allowed", "TLS to a name that policy allows", "curl", curl(family, "https://allowed.example/"),
                own_choice, allow(at(allowed, 443), **by_name)),
        attempt("allowed", "the same", "python", python(PYTHON_GET, "allowed.example", family),
                own_choice, allow(at(allowed, 443), **by_name)),
        attempt("allowed", "the same", "node", node(family, "allowed.example"),
                own_choice, allow(at(allowed, 443), **by_name)),
        attempt("denied", "TLS to a name that policy denies", "curl", curl(family, "https://denied.example/"),
                None, deny(at(denied, 443), **by_deny)),
        attempt("denied", "the same", "python", python(PYTHON_GET, "denied.example", family),
                None, deny(at(denied, 443), **by_deny)),
        attempt("denied", "the same", "node", node(family, "denied.example"),
                None, deny(at(denied, 443), **by_deny)),
        attempt("forged", "an allowed SNI, sent to the denied server", "curl",
                curl(family, "https://allowed.example/", *to("allowed.example", denied)),
                own_choice, allow(at(denied, 443), **by_name)),
        attempt("rebound", "an allowed name that points to loopback", "curl",
                curl(family, "https://loopback.allowed.example/", "-k", *to("loopback.allowed.example", allowed)),
                None, deny(at(allowed, 443))),
        attempt("bare", "TLS to a bare address, no name", "curl", curl(family, f"https://{at(bare, 443)}/", "-k"),
                None, deny(at(bare, 443))),
        attempt("banner", "a server that speaks first, allowed by address", "python",
                python(PYTHON_LISTEN, bare, 22), r"SSH-2\.0-penstock-lab",
                allow(at(bare, 22), rule="git-over-ssh", dialled=at(bare, 22))),
        attempt("http", "plain HTTP to a name that policy allows", "curl", curl(family, "http://allowed.example/"),
                own_choice, http(at(allowed, 80)),
                others=(request("allow", "GET", rule="allowed-names", name="allowed.example"),)),
        attempt("http-denied", "plain HTTP to a name that policy denies", "curl",
                curl(family, "http://denied.example/", "-f"), None, http(at(denied, 80)),
                others=(request("deny", "GET", rule="denied-names", name="denied.example"),)),
        attempt("http-kept", "a denied request between two others, on one connection", "python",
                python(PYTHON_KEPT, "allowed.example", family, 80, "GET /", "DELETE /files/1", "GET /files"),
                "GET / 200 text/plain DELETE /files/1 403 application/problem.json GET /files 200 text/plain",
                http(at(allowed, 80)),
                others=(request("allow", "GET"), request("deny", "DELETE", "/files/1", rule="read-only"),
                        request("allow", "GET", "/files"))),
        attempt("websocket", "a WebSocket to a path that policy allows", "python",
                python(PYTHON_WEBSOCKET, "ws://allowed.example:8080/echo", family), "there and back",
                http(at(allowed, 8080)), others=(request("allow", "GET", "/echo", rule="websocket"),)),
        attempt("websocket-denied", "a WebSocket to another path", "python",
                python(PYTHON_WEBSOCKET, "ws://allowed.example:8080/admin", family), None,
                http(at(allowed, 8080)), others=(request("deny", "GET", "/admin"),)),
        attempt("inside", "inside TLS: a path that policy allows", "curl",
                curl(family, "https://inside.example/files"), own_page, inspected(at(inside, 443)),
                others=(request("allow", "GET", "/files", rule="inside", name="inside.example"),)),
        attempt("inside", "the same", "node", node(family, "inside.example"), own_page, inspected(at(inside, 443)),
                others=(request("allow", "GET", rule="inside"),)),
        attempt("inside-denied", "inside TLS: a path that policy denies", "curl",
                curl(family, "https://inside.example/admin/users", "-f"), None, inspected(at(inside, 443)),
                others=(request("deny", "GET", "/admin/users", rule="no-admin"),)),
        attempt("inside-kept", "inside TLS: a denied request between two", "python",
                python(PYTHON_KEPT, "inside.example", family, 443, "GET /", "GET /admin/users", "GET /files"),
                "GET / 200 text/plain GET /admin/users 403 application/problem.json GET /files 200 text/plain",
                inspected(at(inside, 443)),
                others=(request("allow", "GET"), request("deny", "GET", "/admin/users", rule="no-admin"),
                        request("allow", "GET", "/files"))),
        attempt("inside-websocket", "inside TLS: a WebSocket", "python",
                python(PYTHON_WEBSOCKET, "wss://inside.example/echo", family), "there and back",
                inspected(at(inside, 443)), others=(request("allow", "GET", "/echo", rule="inside"),)),
        attempt("inside-events", "inside TLS: a stream of server-sent events", "python",
                python(PYTHON_EVENTS, "inside.example", family, 443), "one two three as they came",
                inspected(at(inside, 443)), others=(request("allow", "GET", "/events", rule="inside"),)),
        attempt("inside-tools", "inside TLS: a denied MCP tool between two", "python",
                python(PYTHON_TOOLS, "inside.example", family, 443, "read_file", "delete_file", "list_files"),
                "read_file has run; error -32010; list_files has run;", inspected(at(inside, 443)),
                others=(request("allow", "POST", "/mcp", rule="inside", tool="read_file"),
                        request("deny", "POST", "/mcp", rule="no-deletion", tool="delete_file"),
                        request("allow", "POST", "/mcp", rule="inside", tool="list_files"))),
        attempt("explicit", "TLS through the explicit proxy", "curl",
                curl(family, "https://allowed.example/", "-x", f"http://{at(loopback, 15881)}"), own_choice,
                {"decision": "allow", "rule": "allowed-names", "name": "allowed.example", "capture": "explicit"}),
        attempt("explicit-denied", "the same to a name that policy denies", "curl",
                curl(family, "https://denied.example/", "-x", f"http://{at(loopback, 15881)}"), None,
                {"decision": "deny", "rule": "denied-names", "name": "denied.example", "capture": "explicit"}),
        attempt("explicit-http", "plain HTTP through the explicit proxy", "curl",
                curl(family, "http://allowed.example/", "-x", f"http://{at(loopback, 15881)}"), own_choice,
                {"decision": "allow", "reason": "per_request", "capture": "explicit"},
                others=(request("allow", "GET", rule="allowed-names", name="allowed.example"),)),
        attempt("socks", "TLS through SOCKS 5, by name", "curl",
                curl(family, "https://allowed.example/", "--socks5-hostname", at(loopback, 15881)), own_choice,
                {"decision": "allow", "rule": "allowed-names", "name": "allowed.example", "capture": "explicit"}),
        attempt("socks-denied", "the same to a name that policy denies", "curl",
                curl(family, "https://denied.example/", "--socks5-hostname", at(loopback, 15881)), None,
                {"decision": "deny", "rule": "denied-names", "name": "denied.example", "capture": "explicit"}),
        attempt("explicit-own", "the daemon's own port, through the explicit proxy", "curl",
                curl(family, f"http://{at(pod, 15880)}/", "-p", "-x", f"http://{at(loopback, 15881)}"), None,
                {"decision": "deny", "reason": "own_listener", "capture": "explicit"}),
        attempt("quic", "UDP to 443, as QUIC would", "python", python(PYTHON_DATAGRAM, allowed, 443),
                None, within=1),
        attempt("resolver", "UDP to 53 of somebody's own resolver", "python", python(PYTHON_DATAGRAM, denied, 53),
                None, within=1),
        attempt("proxy", "the daemon's own port, over loopback", "python", python(PYTHON_LISTEN, loopback, 15880),
                None, within=1),
        attempt("proxy-by-pod", "the daemon's own port, by the pod's address", "python",
                python(PYTHON_LISTEN, pod, 15880), None, deny(at(pod, 15880))),
    ]


ATTEMPTS = [
    *of_family("4"),
    *of_family("6"),
    Attempt("v6only-curl-6", "TLS to an allowed name that has only IPv6", "curl v6",
            curl("6", "https://v6only.example/"), r"allowed\.example at 2001:db8:113::10 200",
            allow("[2001:db8:113::10]:443", rule="allowed-names", dialled="[2001:db8:113::10]:443")),
    Attempt("unlisted-curl-4", "TLS to a name that no rule names", "curl v4", curl("4", "https://unlisted.example/"),
            None, deny("203.0.113.20:443", name="unlisted.example")),
    Attempt("metadata-curl-4", "the cloud's metadata service", "curl v4",
            curl("4", "http://169.254.169.254/latest/meta-data/", "-f"), None, http("169.254.169.254:80"),
            others=(request("deny", "GET", "/latest/meta-data/"),)),
    Attempt("metadata-name-curl-4", "an allowed name that points to it", "curl v4",
            curl("4", "https://metadata.allowed.example/", "-k"), None, deny("169.254.169.254:443")),
]


ATTEMPTS += [
    Attempt("check-allowed-curl-4", "the API, asked before a request", "curl v4",
            ask("allowed.example", protocol="http", method="GET", path="/files"), r'{"allowed":true,.*} 200',
            others=(check("allow", rule="allowed-names", name="allowed.example"),)),
    Attempt("check-denied-curl-4", "the same for a method that policy denies", "curl v4",
            ask("allowed.example", protocol="http", method="DELETE", path="/files"), r'{"allowed":false,.*} 200',
            others=(check("deny", rule="read-only", name="allowed.example"),)),
]


@dataclasses.dataclass(frozen=True)
class Outcome:
    succeeded: bool
    says: str
    seconds: float


def tell(attempt, prefix=(), environment=None):
    """Runs one attempt; `prefix` is what puts it in its place when somebody outside runs it."""
    started = time.monotonic()
    try:
        done = subprocess.run([*prefix, *attempt.command], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=PATIENCE + 4, env=environment)
    except subprocess.TimeoutExpired:
        return Outcome(False, "no end to it", time.monotonic() - started)
    seconds = time.monotonic() - started
    if done.returncode == 0:
        return Outcome(True, " ".join(done.stdout.split()), seconds)
    complaint = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    # curl explains itself over several lines, beginning with what happened; Python ends with it.
    line = "" if not complaint else complaint[0] if attempt.command[0] != "/usr/bin/python3" else complaint[-1]
    return Outcome(False, line or f"exit {done.returncode}", seconds)


def main():
    wanted = sys.argv[1:]
    if wanted == ["--list"]:
        print("\n".join(attempt.name for attempt in ATTEMPTS))
        return
    unknown = set(wanted) - {attempt.name for attempt in ATTEMPTS}
    if unknown:
        raise SystemExit(f"agent: no attempt is called {', '.join(sorted(unknown))}; see agent.py --list")
    for attempt in ATTEMPTS:
        if not wanted or attempt.name in wanted:
            outcome = tell(attempt)
            print(f"{attempt.name:22} {outcome.seconds:6.2f} s  {outcome.says}", flush=True)


if __name__ == "__main__":
    main()

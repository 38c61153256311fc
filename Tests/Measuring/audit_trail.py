#!/usr/bin/python3
"""Writes an audit trail for measurements: a true chain over thirty days, to standard output.

usage: audit_trail.py RECORDS [HOSTS] > audit.jsonl

Hosts are asked for as Zipf has it: some very often, most seldom. Eight connections of a hundred are denied; every tenth
record is of an HTTP request. The same numbers give the same bytes.
"""

import hashlib
import random
import sys
import time

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
START = 1_795_219_200  # 2026-11-21T00:00:00Z
DAYS = 30
WORKLOAD = '"workload":{"namespace":"agents","pod":"research-7f","service_account":"research","uid":%d}'
POLICY = '"policy_hash":"sha256:' + "0f" * 32 + '","mode":"enforce",'
PATHS = ["/v1/messages", "/v1/files/%d", "/repos/penstock/issues/%d", "/simple/package-%d/"]


def ulid(milliseconds, chance):
    value = milliseconds << 80 | chance
    return "".join(ALPHABET[value >> shift & 31] for shift in range(125, -1, -5))


def connection(number, host, identifier):
    address = "%d.%d.%d.%d:443" % (host >> 16 & 127 | 64, host >> 8 & 255, host & 255, number % 4 + 1)
    name = "service-%d.host-%d.example" % (host % 7, host)
    denied = number % 100 < 8
    decision = '"decision":"deny","treatment":"refuse","rule":null,"reason":"default_deny",'
    if not denied:
        decision = '"decision":"allow","treatment":"tunnel","rule":"rule-%d","reason":"rule_allow",' % (host % 40)
    return not denied, (
        '"id":"%s",%s%s%s,"capture":"transparent","protocol":"tls","destination":{"name":"%s","port":443,"original":'
        '"%s","dialled":null},"sni":"%s","authority":null,"binding":["sni"],"client":"10.0.0.7:%d","policy_generation":3'
    ) % (identifier, decision, POLICY, WORKLOAD % (1000 + host % 3), name, address, name, 30000 + number % 30000)


def connection_end(number, identifier):
    return (
        '"id":"%s","outcome":"closed","closed_by":"client","bytes_up":%d,"bytes_down":%d,"duration_ms":%d,"connect_ms":12,'
        '"dialled":"100.64.%d.%d:443"'
    ) % (identifier, number % 9000, number * 37 % 5_000_000, number % 60000, number >> 8 & 255, number & 255)


def request(number, host, identifier, parent):
    name = "service-%d.host-%d.example" % (host % 7, host)
    path = PATHS[number % 4]
    return (
        '"id":"%s","decision":"allow","connection":"%s","treatment":"http","rule":"rule-%d","reason":"rule_allow",%s%s,'
        '"scheme":"http","method":"GET","authority":"%s","path":"%s","destination":{"name":"%s","port":80,"original":null,"dialled":null},'
        '"binding":["host"]'
    ) % (
        identifier, parent, host % 40, POLICY, WORKLOAD % 1000, name,
        path % (number % 100000) if "%" in path else path, name,
    )


def main():
    count = int(sys.argv[1])
    hosts = int(sys.argv[2]) if len(sys.argv) > 2 else 2000
    dice = random.Random(7)
    weights = [1 / (rank + 1) for rank in range(hosts)]
    picks = dice.choices(range(hosts), weights, k=1 << 17)
    open_connections = []
    previous = "0" * 64
    out = sys.stdout.buffer
    step = DAYS * 86_400 * 1_000_000 // count
    stamp, second = "", -1
    for sequence in range(1, count + 1):
        micro = sequence * step
        now = START + micro // 1_000_000
        if now != second:
            second, stamp = now, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now))
        host = picks[sequence * 40503 & 0x1FFFF]
        identifier = ulid(now * 1000, sequence)
        if sequence % 10 == 0 and open_connections:
            kind, body = "request", request(sequence, host, identifier, open_connections[-1])
        elif len(open_connections) > 50:
            kind, body = "connection_end", connection_end(sequence, open_connections.pop(0))
        else:
            kind = "connection"
            is_allowed, body = connection(sequence, host, identifier)
            if is_allowed:
                open_connections.append(identifier)
        line = '{"v":1,"kind":"%s","time":"%s.%06dZ","sequence":%d,%s,"previous":"sha256:%s"}' % (
            kind, stamp, micro % 1_000_000, sequence, body, previous,
        )
        line = line.encode()
        previous = hashlib.sha256(line).hexdigest()
        out.write(line + b"\n")


main()

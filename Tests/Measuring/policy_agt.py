"""How long AGT's EgressPolicy takes to load, and to decide, beside MeasurePolicy times.

    python3 -m venv agt && agt/bin/pip install agent-governance-toolkit-core==5.0.0
    agt/bin/python Tests/Measuring/policy_agt.py

The rules are those of MeasurePolicy as far as EgressPolicy can say them: hosts and ports, no blocks, no paths.
"""

import statistics
import time

from agent_os.egress_policy import EgressPolicy


def text(rules: int) -> str:
    lines = ["rules:"]
    for index in range(rules):
        domain, action = {
            0: (f"*.team{index}.example", "allow"),
            1: (f"bad{index}.example.net", "deny"),
            3: (f"api.team{index}.example", "allow"),
        }.get(index % 10, (f"host{index}.example.com", "allow"))
        lines += [f'  - domain: "{domain}"', "    ports: [443]", "    protocol: tcp", f"    action: {action}"]
    return "\n".join(lines) + "\n"


def measure(rules: int) -> None:
    source = text(rules)
    loads = []
    for _ in range(5):
        start = time.perf_counter_ns()
        policy = EgressPolicy()
        policy.load_from_yaml(source)
        loads.append(time.perf_counter_ns() - start)
    last = rules - rules % 10
    names = [
        "host4.example.com", f"host{last - 1}.example.com", f"a.b.team{last - 10}.example", "nobody.example.org",
        f"bad{last - 9}.example.net", f"host{rules // 20 * 10 + 5}.example.com",
    ]
    decisions = []
    for name in names:
        for _ in range(50):
            start = time.perf_counter_ns()
            policy.check(name, 443)
            decisions.append(time.perf_counter_ns() - start)
    print(
        f"{rules} rules: load {statistics.median(loads) / 1e6:.2f} ms, decide "
        f"{statistics.median(decisions) / 1e3:.1f} us at the median, {max(decisions) / 1e3:.0f} us at most"
    )


if __name__ == "__main__":
    measure(100)
    measure(10_000)

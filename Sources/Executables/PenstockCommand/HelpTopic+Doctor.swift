extension HelpTopic {
    static let doctorText = """
        penstock doctor: says how strong the boundary around the agent is, and what to do about it

        usage: penstock doctor [--json] [--no-self-test] [--admin PATH] [--health ADDRESS:PORT]

          --json                  one JSON object on standard output
          --no-self-test          try no connection and no datagram
          --admin PATH            the daemon's admin socket (/run/penstock/admin.sock), asked where this user may
          --health ADDRESS:PORT   its health port, asked otherwise (127.0.0.1:15890, then [::1]:15890)
          --help                  print this and exit

        Run it in the pod. As the daemon's user it sees most; as any other it also tries a connection and a datagram to
        documentation addresses (192.0.2.1, 2001:db8::1), which must be denied and recorded. On a gateway it tries nothing, for what
        begins there is not governed, and looks at its interfaces, addresses and forwarding. On a host where the rules govern
        cgroups (penstock-init --cgroup, and watch) it tries only from within one of them, and says how to run it there.
        Each line is a check: ok, skipped, note (worth knowing), weak or failed. `boundary: strong` means that none is
        weak or failed.

        exit codes: 0   the boundary is strong
                    1   it is weak
                    64  the command line is wrong
                    69  the daemon cannot be asked

        examples: kubectl exec POD -c penstockd -- penstock doctor
                  kubectl exec POD -c agent -- /path/to/penstock doctor --json
        """
}

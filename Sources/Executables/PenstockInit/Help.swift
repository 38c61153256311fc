/// What `--help` says.
let helpText = """
    penstock-init: puts the kernel rules of Penstock into this network namespace, whole or not at all.

    usage:
      penstock-init install [flags]   load the rules, read them back, prove by a probe that they capture
      penstock-init hold    [flags]   install, then give up every capability and stay until SIGTERM: the network
                                      namespace of containers that are started without a pod (docker compose)
      penstock-init verify  [flags]   compare what the kernel holds with what install would load
      penstock-init verify --watch [flags]   compare after every change, and tell the daemon; until it is told to stop
      penstock-init watch   [flags]   install, then stay: put the rules back where somebody takes them away, swap them when
                                      a cgroup comes, goes or is made again, and tell the daemon; the rules outlive it
      penstock-init print   [flags]   write what install would load, in the syntax of nft(8)
      penstock-init remove  [--table NAME]   the table, and the policy routing that went with it; with the --tproxy-… flags of
                                      install where the table is gone already

    Every TCP connection that is not the daemon's (its user AND its group) goes to the daemon; what was not captured is
    refused at once; nothing comes in except where it is said. IPv4 and IPv6 alike. install, verify and print must be
    given the same flags. Needs CAP_NET_ADMIN, except for print; for watch as root also CAP_SETUID and CAP_SETGID.

    --gateway IFACE turns that round: what others (hosts, containers) send in by this interface is captured, and fenced on its
    way through; the machine's own traffic is left alone. The daemon must listen on the interface's address: listen.transparent
    .addresses. See docs/operations.md, "A gateway for others".

    flags:
      --proxy-port 15880      where captured connections go          --proxy-uid 10880   the daemon's user
      --explicit-port 15881   the explicit proxy                     --proxy-gid 10880   the daemon's group
      --dns-port 15853        the daemon's resolver
      --api-port 8081         the governance API
      --health-port 15890     health and metrics; reachable from outside the pod, for kubelets: only the daemon can answer
      --inbound-port N        the workload may be reached here from outside; repeatable, 64 at most, none by default
      --dns-server IP         may be asked, UDP and TCP port 53; repeatable, 16 at most; default: the name servers of
                              /etc/resolv.conf
      --bypass-cidr CIDR:PORT TCP connections there are neither captured nor refused; repeatable, 64 at most;
                              10.0.0.0/8:5432, [fd12:3456::/32]:5432. Nobody governs them, and install and verify say so
      --allow-metadata        a bypass may hold the address of a cloud's metadata service
      --gateway IFACE         govern what comes in by this interface (a bridge's own name, not a port of it); repeatable, 16
                              at most. DNS is closed to those behind it but for --dns-server, and --inbound-port is a port
                              of theirs
      --exempt UID:GID        this owner is neither captured nor refused; repeatable, 16 at most; makes the posture weak
      --cgroup PATH           only this cgroup (v2) and those below it are captured and fenced; repeatable, 64 at most; a path
                              below the root of the hierarchy, such as penstock.slice/penstock-agents.slice. What else is in
                              the cgroup above is refused; everybody else on the machine is left alone (docs/operations.md,
                              "One service of a host")
      --shared-parent         the cgroup above is others' too, and is not fenced; makes the posture weak
      --table NAME            the name of the table (penstock)
      --mark N                the first of our connection marks (0x70656e00), a multiple of 256: as many from there are ours
      --mode redirect|tproxy  redirect (the default) rewrites destinations; the daemon needs no capability. tproxy leaves them
                              as they are, and leads connections to the daemon by policy routing of our own; the daemon then
                              needs CAP_NET_ADMIN until it listens, and listen.transparent.tproxy: true. See "TPROXY" in
                              docs/operations.md
      --tproxy-mark V/MASK    the bits of packet marks that are ours (0x70650000/0xffff0000). This and the next two: only with
                              --mode tproxy
      --tproxy-priority 7065  our policy rule's place, from 1 to 32765     --tproxy-table 7065   our routing table
      --config FILE           YAML with the flags as keys: proxy_port, inbound_ports, dns_servers, bypass_cidrs, exempt …;
                              a flag on the command line stands above the file
      --watch                 verify: stay, and report to the daemon; as root it becomes the daemon's user and group first,
                              which takes CAP_SETUID and CAP_SETGID, and keeps CAP_NET_ADMIN alone
      --watch-seconds 10      compare at the latest after so long      --admin-socket /run/penstock/admin.sock
      --help                  this text                              --version         this program's version

    examples:
      penstock-init install
      penstock-init install --inbound-port 8080 --dns-server 10.96.0.10
      penstock-init verify --config /etc/penstock/init.yaml
      penstock-init verify --watch --dns-server 10.96.0.10
      penstock-init watch --cgroup penstock.slice/penstock-agents.slice
      penstock-init install --gateway br-agents --dns-server 10.88.0.1
      penstock-init print | nft -c -f -
      penstock-init install --mode tproxy --tproxy-priority 90 --tproxy-table 790

    exit status:
      0   done                                  66  the configuration file cannot be read
      3   verify: the rules are not as planned  69  the kernel lacks a feature, which is named
      64  usage: a flag or a value is wrong,    70  the kernel refused, or the rules read back different
          or frees what is fenced today         71  install: the rules are loaded, and stay, but do not capture
      65  the configuration file is wrong
      72  install --mode tproxy: policy         74  print, --help, --version: standard output took not all of it
          routing of others is in the way       77  not permitted: CAP_NET_ADMIN is missing; for watch and
                                                    verify --watch as root also CAP_SETUID or CAP_SETGID

    """

import Foundation
import Testing

@Suite("Captured plain HTTP, request by request")
struct HTTPCaptureTests {
    @Test("smoke")
    func smoke() throws {
        try GuardedPod.with { pod in
            let program = """
                s = socket.create_connection(("203.0.113.10", 80), 5); s.settimeout(5)
                def ask(text):
                    s.sendall(text.replace("\\n", "\\r\\n").encode()); time.sleep(0.5)
                    try: print(s.recv(65536).decode())
                    except OSError as e: print(name_of(e))
                ask("GET /a HTTP/1.1\\nHost: allowed.example\\n\\n")
                ask("GET /b HTTP/1.1\\nHost: denied.example\\n\\n")
                ask("GET /c HTTP/1.1\\nHost: allowed.example\\n\\n")
                ask("GET /d HTTP/1.1\\nHost: denied.example\\n\\nGET /e HTTP/1.1\\nHost: www.allowed.example\\n\\nGET /f HTTP/1.1\\nHost: denied.example\\n\\n")
                ask("GET /g HTTP/1.1\\nHost : allowed.example\\n\\n")
                """
            let result = try pod.python(program)
            print(result.output, result.errors)
            for line in try pod.auditRecords() { print(line) }
            print(pod.world.requests)
            print(pod.daemon.errors)
        }
    }

    @Test("proxy smoke")
    func proxySmoke() throws {
        try GuardedPod.with { pod in
            let proxy = ["-x", "http://127.0.0.1:15881"]
            func curl(_ arguments: [String]) throws {
                let result = try pod.agent(
                    ["curl", "-sS", "-m", "10", "-w", "<%{http_code} %{http_connect}>\n"] + proxy + arguments
                )
                print(arguments, "->", result.output, result.errors)
            }
            try curl(["https://allowed.example/"])
            try curl(["https://denied.example/"])
            try curl(["http://allowed.example/"])
            try curl(["http://allowed.example/", "http://denied.example/", "http://www.allowed.example/"])
            try curl(["-p", "http://allowed.example/", "http://allowed.example/x"])
            try curl(["https://203.0.113.30/", "-k"])
            try curl(["https://203.0.113.31/", "-k"])
            try curl(["http://127.0.0.1:15880/"])
            try curl(["-p", "http://127.0.0.1:15890/metrics"])
            try curl(["-p", "http://198.51.100.2:15881/"])
            let direct = try pod.agent(["curl", "-sS", "-m", "10", "http://127.0.0.1:15881/"])
            print(direct.output, direct.errors)
            let opaque = try pod.python(
                """
                def go(host, port, first, wait=0):
                    s = socket.create_connection(("127.0.0.1", 15881), 5); s.settimeout(5)
                    s.sendall(b"CONNECT %s:%d HTTP/1.1\\r\\nHost: %s:%d\\r\\n\\r\\n" % (host, port, host, port))
                    print(s.recv(1000)); time.sleep(wait); s.sendall(first)
                    try: print(s.recv(1000))
                    except OSError as e: print(name_of(e))
                go(b"allowed.example", 443, tls(b"denied.example")[0])
                go(b"allowed.example", 443, tls(b"allowed.example")[0])
                go(b"allowed.example", 80, b"GET / HTTP/1.1\\r\\nHost: denied.example\\r\\n\\r\\n")
                go(b"allowed.example", 80, b"GET / HTTP/1.1\\r\\nHost: allowed.example\\r\\n\\r\\n")
                go(b"allowed.example", 443, b"\\0opaque")
                go(b"allowed.example", 443, tls(b"allowed.example")[0], 0.6)
                go(b"allowed.example", 80, b"GET / HTTP/1.1\\r\\nHost: allowed.example\\r\\n\\r\\n", 0.6)
                """
            )
            print(opaque.output, opaque.errors)
            for line in try pod.auditRecords() { print(line) }
            print(pod.daemon.errors)
        }
    }
}

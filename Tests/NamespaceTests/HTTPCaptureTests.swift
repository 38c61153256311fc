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
}

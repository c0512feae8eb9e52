"""A client whose requests have a numbered line each; the access log's format makes the line of them."""

import place  # noqa: F401 (makes `numbered` importable)
import numbered


def send_requests(port, seconds, between_bursts=lambda: None):
    """Sends one request a line, ten at a time over one connection, and waits for the answers."""
    client = place.connect(("127.0.0.1", port))
    answers, written = client.makefile("rb"), 0
    for burst in numbered.ticks(seconds):
        requests = (f"GET /{numbered.line(number).replace(' ', '/')} HTTP/1.1\r\nHost: local\r\n\r\n" for number in burst)
        client.sendall("".join(requests).encode())
        for _ in burst:
            read_answer(answers)
        written += len(burst)
        between_bursts()
    client.close()
    return written


def read_answer(answers):
    length = 0
    while (line := answers.readline()) not in (b"\r\n", b"\n"):
        if not line:
            raise SystemExit("the server closed the connection")
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    answers.read(length)

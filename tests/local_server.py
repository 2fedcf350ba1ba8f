"""A web server in a thread, for tests of downloads."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Server:
    """files: {name: bytes}. announced: {name: the Content-Length to send, None for none}, its length by default.

    url: the folder of the files. requests: the names asked for, in order.
    """

    def __init__(self, port):
        self.url = f"http://127.0.0.1:{port}/"
        self.files, self.announced, self.requests = {}, {}, []


@contextmanager
def serving():
    """A Server that runs as long as the context lasts."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            name = self.path.lstrip("/")
            server.requests.append(name)
            if name not in server.files:
                self.send_error(404)
                return
            data = server.files[name]
            length = server.announced.get(name, len(data))
            self.send_response(200)
            if length is not None:
                self.send_header("Content-Length", str(length))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args):
            """Prints nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        server = Server(http.server_address[1])
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            http.shutdown()
            thread.join()

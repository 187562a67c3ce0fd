"""Folders of pages, served on loopback until interrupted."""

from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from lakehouse.errors import ConfigurationError
from lakehouse.terminal import console


def serve_pages(folder: Path, host: str, port: int, what: str, is_opened: bool = False) -> None:
    """Serve a folder.

    Args:
        folder: with an `index.html`.
        host: the address to listen on.
        port: the port.
        what: how the pages are called, e.g. `The lineage site`.
        is_opened: whether the browser of this machine is told to show them.

    Raises:
        ConfigurationError: the port is in use.
    """
    import webbrowser

    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    try:
        server = ThreadingHTTPServer((host, port), handler)
    except OSError as error:
        raise ConfigurationError(f"Port {port} is in use by another program.", "Give --port another one.") from error
    console.print(f"{what} is at http://{host}:{port}/ (Ctrl-C ends it)")
    with server:
        if is_opened:
            webbrowser.open(f"http://{host}:{port}/")
        server.serve_forever()

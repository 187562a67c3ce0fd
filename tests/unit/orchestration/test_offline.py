import pytest

from lakehouse.errors import LakehouseError
from orchestration import offline


@pytest.mark.parametrize(
    "html",
    [
        '<script src="https://cdn.example/d3.js"></script>',
        "<script src='//cdn.example/d3.js'></script>",
        '<link rel="stylesheet" href="http://cdn.example/a.css">',
        '<img src="https://cdn.example/a.png">',
        '<iframe src="https://cdn.example/"/>',
        '<form action="https://cdn.example/"></form>',
        '<svg><image href="https://cdn.example/a.svg"/></svg>',
        '<meta http-equiv="refresh" content="0;url=https://cdn.example/">',
        "<style>@font-face { src: url(https://cdn.example/a.woff) }</style>",
        "<style>@import 'https://cdn.example/a.css';</style>",
        '<p style="background: url(//cdn.example/a.png)">',
        '<script>fetch("https://cdn.example/data.json")</script>',
        "<script>navigator.sendBeacon('https://cdn.example/')</script>",
        '<script type="module">import x from "https://cdn.example/x.mjs"</script>',
        '<script>import("https://cdn.example/x.mjs")</script>',
        '<script>tag.src = "//cdn.example/2.9.0/sp.js"</script>',
        '<script>new WebSocket("wss://cdn.example/")</script>',
        """<p onclick="fetch('https://cdn.example/')">""",
    ],
)
def test_a_page_that_loads_from_elsewhere_is_refused(html: str) -> None:
    with pytest.raises(LakehouseError, match=r"page a\.html would load from the network: .*cdn\.example"):
        offline.check("a.html", html)


@pytest.mark.parametrize(
    "html",
    [
        '<a href="https://www.themoviedb.org">TMDB</a>',
        '<svg xmlns="http://www.w3.org/2000/svg"><use href="#a"/></svg>',
        '<script>const data = {"description": "see https://example.org/guide"}</script>',
        '<img src="data:image/png;base64,AAAA"><link rel="icon" href="data:,">',
        "<p>import it from https://example.org/</p>",
        "<p>The Making of posthog.com</p><td>https://o1.ingest.sentry.io/x</td><title>phc_aaaaaaaaaaaaaaaaaaaaaaaa</title>",
        '<a href="https://posthog.com/" title="fuzzed.getdbt.com">a link</a>',
    ],
)
def test_links_names_and_data_load_nothing(html: str) -> None:
    offline.check("a.html", html)


def test_trackers_are_taken_out_and_connections_forbidden() -> None:
    page = (
        "<html><head><title>t</title></head><body>"
        '<script>init("phc_aaaaaaaaaaaaaaaaaaaaaaaa", "https://eu.i.posthog.com")</script>'
        "</body></html>"
    )
    assert offline.remote_targets(page)
    sealed = offline.seal(page, head="<style></style>", body="<a>home</a>")
    assert offline.remote_targets(sealed) == []
    assert sealed.startswith('<html><head><meta http-equiv="Content-Security-Policy" content="default-src \'none\';')
    assert '"><style></style><title>t</title>' in sealed
    assert 'init("", "")' in sealed
    assert sealed.endswith("<a>home</a></body></html>")

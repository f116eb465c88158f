"""How tests start Debian's chromium."""

CHROMIUM = "/usr/bin/chromium"
# Without these the browser calls home at every start, and that is refused on a closed network.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

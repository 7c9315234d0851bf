"""A TLS socket that keeps why it broke."""

from __future__ import annotations

import ssl


class TlsSocket(ssl.SSLSocket):
    """An SSL socket whose ``failure`` is the first error of TLS after the handshake.

    With TLS 1.3 a server says only then that it wants another client certificate, and pynetdicom knows no more than
    that the connection is gone.
    """

    failure: ssl.SSLError | None = None

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        """Receive as the socket does."""
        try:
            return super().recv(buflen, flags)
        except ssl.SSLError as error:
            self.failure = self.failure or error
            raise

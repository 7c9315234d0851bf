"""Send messages to a syslog server (RFC 5424)."""

"""One run of a command: connect to the site, read, change, reload, print, report failures."""

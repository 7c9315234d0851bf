"""What octets that come again are known by.

XXH3 takes a thirtieth of the time of SHA-256 (https://xxhash.com), and two data sets agree in its 128 bits by chance as
good as never. They can be made to agree by whoever means to: what is to hold against that is kept as SHA-256.
"""

from __future__ import annotations

import xxhash

Fingerprint = xxhash.xxh3_128

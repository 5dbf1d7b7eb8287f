"""Keep-alive load on one address for some seconds: wrk where it is installed, else raw sockets. Prints one JSON object.

python bench/load.py HOST PORT PHYSICIANS SECONDS CONNECTIONS TOKEN
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

QUERY = "/api/v1/verify?name=%E7%8E%8B%E4%BC%9F&practising_code=110440"

_LUA = """
wrk.headers["Authorization"] = "Bearer {token}"
request = function() return wrk.format("GET", "{query}" .. string.format("%09d", math.random(1, {physicians}))) end
done = function(summary, latency)
  local bad = summary.errors.status + summary.errors.read + summary.errors.timeout
  print(string.format('{{"rps": %f, "p50_ms": %f, "p99_ms": %f, "failed": %d}}', summary.requests / summary.duration * 1e6,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000, bad))
end
"""


def with_wrk(
    program: str, address: str, physicians: int, seconds: int, connections: int, token: str
) -> dict[str, float]:
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(_LUA.format(token=token, query=QUERY, physicians=physicians))
        script.flush()
        command = [program, "-t1", f"-c{connections}", f"-d{seconds}s", "-s", script.name, f"http://{address}"]
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603
    found: dict[str, float] = json.loads(printed.splitlines()[-1])
    return found


async def with_sockets(
    host: str, port: int, physicians: int, seconds: int, connections: int, token: str
) -> dict[str, float]:
    times: list[float] = []
    failed = 0
    end = time.monotonic() + seconds

    async def one() -> None:
        nonlocal failed
        reader, writer = await asyncio.open_connection(host, port)
        head = f" HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\r\n"
        while (began := time.monotonic()) < end:
            writer.write(f"GET {QUERY}{random.randint(1, physicians):09}{head}".encode())  # noqa: S311
            headers = await reader.readuntil(b"\r\n\r\n")
            failed += not headers.startswith(b"HTTP/1.1 200")
            length = re.search(rb"(?i)content-length: (\d+)", headers)
            if length:
                await reader.readexactly(int(length[1]))
            else:
                while await reader.readuntil(b"\r\n") != b"0\r\n":
                    pass
                await reader.readexactly(2)
            times.append(time.monotonic() - began)
        writer.close()

    await asyncio.gather(*(one() for _ in range(connections)))
    times.sort()
    p50, p99 = (times[int(len(times) * share)] * 1000 for share in (0.5, 0.99))
    return {"rps": len(times) / seconds, "p50_ms": p50, "p99_ms": p99, "failed": failed}


def main(host: str, port: str, physicians: str, seconds: str, connections: str, token: str) -> None:
    numbers = int(physicians), int(seconds), int(connections)
    wrk = shutil.which("wrk")
    if wrk:
        result = with_wrk(str(Path(wrk)), f"{host}:{port}", *numbers, token)
    else:
        result = asyncio.run(with_sockets(host, int(port), *numbers, token))
    print(json.dumps(result | {"with": "wrk" if wrk else "sockets"}))


if __name__ == "__main__":
    main(*sys.argv[1:])

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What one writes first when TMDB has to be served from a machine of one's own: PostgreSQL with jsonb and pg_trgm, and
a small server before it. postgres_api.py SOCKET_DIRECTORY PORT"""
import asyncio
import sys

import asyncpg
from aiohttp import web

DETAIL = "SELECT body::text FROM movie WHERE id = $1"
SEARCH = """SELECT body::text FROM movie WHERE body->>'title' ILIKE '%' || $1 || '%'
            ORDER BY (body->>'popularity')::float DESC LIMIT 20"""


async def detail(request):
    body = await request.app["pool"].fetchval(DETAIL, int(request.match_info["id"]))
    if body is None:
        return web.json_response({"success": False, "status_code": 34}, status=404)
    return web.Response(text=body, content_type="application/json")


async def search(request):
    rows = await request.app["pool"].fetch(SEARCH, request.query["query"])
    return web.Response(text='{"page":1,"results":[' + ",".join(row[0] for row in rows) + "]}", content_type="application/json")


async def main():
    app = web.Application()
    app["pool"] = await asyncpg.create_pool(host=sys.argv[1], user="postgres", database="postgres", min_size=8, max_size=8)
    app.add_routes([web.get("/3/movie/{id:\\d+}", detail), web.get("/3/search/movie", search)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", int(sys.argv[2])).start()
    await asyncio.Event().wait()


asyncio.run(main())

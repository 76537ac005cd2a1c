"""An echo on aioviberbot with one session for all calls, the fastest there is. For `infra/bench_peers.py`."""

import os
import ssl
import sys

import aiohttp
import aioviberbot.api.api as theirs
from aiohttp import web
from aioviberbot import Api
from aioviberbot.api.bot_configuration import BotConfiguration
from aioviberbot.api.messages.text_message import TextMessage

theirs.VIBER_BOT_API_URL = os.environ["VIBER_API_URL"]


async def heard(request: web.Request) -> web.Response:
    data, bot = await request.read(), request.app["bot"]
    if not bot.verify_signature(data, request.headers.get("X-Viber-Content-Signature")):
        return web.Response(status=403)
    asked = bot.parse_request(data)
    await bot.send_messages(asked.sender.id, [TextMessage(text=asked.message.text)])
    return web.Response(status=200)


async def begin(app: web.Application) -> None:
    trusted = ssl.create_default_context(cafile=os.environ["SSL_CERT_FILE"])
    session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trusted))
    named = BotConfiguration(name="bench", avatar="https://example.org/a.png", auth_token=os.environ["BENCH_TOKEN"])
    app["bot"] = Api(named, session)


app = web.Application()
app.on_startup.append(begin)
app.router.add_post("/", heard)
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None)

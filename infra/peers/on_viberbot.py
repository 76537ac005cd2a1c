"""An echo on the official library and Flask, which writes its log as the library's own sample does: everything, to
standard error; with BENCH_SILENT it writes none. For `infra/bench_peers.py`."""

import logging
import os

import viberbot.api.api as theirs
from flask import Flask, Response, request
from viberbot import Api
from viberbot.api.bot_configuration import BotConfiguration
from viberbot.api.messages.text_message import TextMessage

theirs.VIBER_BOT_API_URL = os.environ["VIBER_API_URL"]
app = Flask(__name__)
bot = Api(BotConfiguration(name="bench", avatar="https://example.org/a.png", auth_token=os.environ["BENCH_TOKEN"]))
log = logging.getLogger()
if "BENCH_SILENT" not in os.environ:
    shown = logging.StreamHandler()
    shown.setFormatter(logging.Formatter("%(asctime)s - %(name)s - %(levelname)s - %(message)s"))
    log.addHandler(shown)
    log.setLevel(logging.DEBUG)


@app.route("/", methods=["POST"])
def heard() -> Response:
    data = request.get_data()
    log.debug("received request. post data: %s", data)
    if not bot.verify_signature(data, request.headers.get("X-Viber-Content-Signature")):
        return Response(status=403)
    asked = bot.parse_request(data)
    bot.send_messages(asked.sender.id, [TextMessage(text=asked.message.text)])
    return Response(status=200)

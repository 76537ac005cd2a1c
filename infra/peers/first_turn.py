"""What a town's developer would write first: Chalice, PynamoDB and Viber's library. One turn in a fresh process.

For `infra/bench_process.py`: one item read, one message sent; prints the CPU the process has taken since it began, in
milliseconds.
"""

import os
import time

import chalice
import viberbot.api.api as theirs
from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model
from viberbot import Api
from viberbot.api.bot_configuration import BotConfiguration
from viberbot.api.messages.text_message import TextMessage

theirs.VIBER_BOT_API_URL = os.environ["VIBER_API_URL"]
app = chalice.Chalice(app_name="first")


class Conversation(Model):
    """Somebody's conversation."""

    class Meta:
        table_name = os.environ["BENCH_TABLE"]
        region = os.environ["AWS_REGION"]
        host = os.environ["AWS_ENDPOINT_URL"]

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)


bot = Api(BotConfiguration(name="bench", avatar="https://example.org/a.png", auth_token=os.environ["BENCH_TOKEN"]))
try:
    Conversation.get("nobody", "now", consistent_read=True)
except Conversation.DoesNotExist:
    bot.send_messages("somebody", [TextMessage(text="zdravo")])
print(time.process_time() * 1000)

"""The kinds of question a form can ask: few, general, each pure. A form is a list of them."""

from chalicelib.dialogue.slots.base import Complaint, Heard, Sealed, Slot, nouns
from chalicelib.dialogue.slots.choosing import Confirmation, Consent, OneOf, Option, SomeOf
from chalicelib.dialogue.slots.figures import Date, Email, PersonalNumber, Phone, Quantity
from chalicelib.dialogue.slots.media import Media
from chalicelib.dialogue.slots.where import Address, Location
from chalicelib.dialogue.slots.wording import Name, Question, Text

__all__ = [
    "Address",
    "Complaint",
    "Confirmation",
    "Consent",
    "Date",
    "Email",
    "Heard",
    "Location",
    "Media",
    "Name",
    "OneOf",
    "Option",
    "PersonalNumber",
    "Phone",
    "Quantity",
    "Question",
    "Sealed",
    "Slot",
    "SomeOf",
    "Text",
    "nouns",
]

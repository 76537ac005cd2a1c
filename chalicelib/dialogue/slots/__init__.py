"""The kinds of question a form can ask: few, general, each pure. A form is a list of them."""

from chalicelib.dialogue.slots.base import Complaint, Heard, Sealed, Slot, nouns
from chalicelib.dialogue.slots.choosing import Confirmation, Consent, OneOf, Option, SomeOf
from chalicelib.dialogue.slots.figures import Date, Email, PersonalNumber, Phone, Quantity
from chalicelib.dialogue.slots.media import Media, Paper
from chalicelib.dialogue.slots.where import Address, Location, PlaceOfPhoto
from chalicelib.dialogue.slots.wording import Name, Question, Text
from chalicelib.dialogue.slots.zones import Zone

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
    "Paper",
    "PersonalNumber",
    "Phone",
    "PlaceOfPhoto",
    "Quantity",
    "Question",
    "Sealed",
    "Slot",
    "SomeOf",
    "Text",
    "Zone",
    "nouns",
]

"""Where the gateway is that the tests ask, and what they ask more than once."""

import os
import urllib.request

url = os.environ["GATEWAY_URL"]
key = os.environ["GATEWAY_KEY"]

text = "Hello, world."
prompt = "Hello?"
chat = [{"role": "user", "content": prompt}]
numbers = {"a": 1, "b": 2}

parameters = {
    "type": "object",
    "properties": {"a": {"type": "number"}, "b": {"type": "number"}},
    "required": ["a", "b"],
    "additionalProperties": False,
}

# A picture of one pixel.
png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def drain(items):
    """Gives all items, and what ended them where that was an exception."""
    given = []
    try:
        for item in items:
            given.append(item)
    except Exception as error:
        return given, error
    return given, None


def await_closed(model):
    """Waits until the gateway has given up a call of this model."""
    return urllib.request.urlopen(f"{os.environ['PROVIDER_URL']}/closed/{model}", timeout=10)

"""anthropic through the gateway: each call for an endpoint that is served, plain and streamed, each class it raises, and streams that are at fault."""

import threading
import unittest

import anthropic

import gateway
from gateway import chat, drain, numbers, parameters, png, prompt, text

# It asks for /v1/messages below this.
root = gateway.url.removesuffix("/v1")
client = anthropic.Anthropic(base_url=root, api_key=gateway.key, max_retries=0)

tools = [{"name": "add", "input_schema": parameters}]


def asking(model="fake", **more):
    return {"model": model, "max_tokens": 64, "messages": chat, **more}


def read_both(**asked):
    """What is given and raised where a stream is iterated, and where it is accumulated."""
    raw = drain(client.messages.create(**asked, stream=True))
    with client.messages.stream(**asked) as stream:
        return raw, drain(stream)


def accumulated(**asked):
    with client.messages.stream(**asked) as stream:
        return stream.get_final_message()


class Messages(unittest.TestCase):
    def test_plain_and_streamed(self):
        self.assertEqual(client.messages.create(**asking()).content[0].text, text)
        with client.messages.stream(**asking()) as stream:
            self.assertEqual("".join(stream.text_stream), text)
        events = list(client.messages.create(**asking(), stream=True))
        self.assertEqual((events[0].type, events[-1].type), ("message_start", "message_stop"))
        final = accumulated(**asking(thinking={"type": "enabled", "budget_tokens": 1024}))
        self.assertEqual([one.type for one in final.content], ["thinking", "text"])
        self.assertEqual(final.content[0].signature, "c2ln")
        self.assertEqual(final.usage.output_tokens, 4)

    def test_tools_and_pictures(self):
        final = accumulated(**asking(tools=tools))
        self.assertEqual(final.stop_reason, "tool_use")
        self.assertEqual((final.content[0].name, final.content[0].input), ("add", numbers))
        result = {"type": "tool_result", "tool_use_id": final.content[0].id, "content": "3"}
        history = [
            *chat,
            {"role": "assistant", "content": final.content},
            {"role": "user", "content": [result]},
        ]
        answered = client.messages.create(**{**asking(tools=tools), "messages": history})
        self.assertEqual(answered.content[0].text, text)
        source = {"type": "base64", "media_type": "image/png", "data": png}
        seen = [{"type": "image", "source": source}, {"type": "text", "text": prompt}]
        answered = client.messages.create(**{**asking(), "messages": [{"role": "user", "content": seen}]})
        self.assertEqual(answered.content[0].text, text)

    def test_counts_and_lists(self):
        self.assertEqual(client.messages.count_tokens(model="fake", messages=chat).input_tokens, 12)
        ids = [one.id for one in client.models.list(limit=1)]
        self.assertEqual(sorted(ids), ["claude-sonnet-4-x", "fake", "gpt-5-x"])
        self.assertEqual(client.models.retrieve("fake").type, "model")

    def test_the_other_base(self):
        other = anthropic.Anthropic(base_url=f"{root}/anthropic", auth_token=gateway.key, max_retries=0)
        self.assertEqual(other.messages.create(**asking()).content[0].text, text)


class Errors(unittest.TestCase):
    # By the status that the provider answers: the class, and the type in the body.
    raised = {
        400: (anthropic.BadRequestError, "invalid_request_error"),
        404: (anthropic.NotFoundError, "not_found_error"),
        422: (anthropic.UnprocessableEntityError, "invalid_request_error"),
        429: (anthropic.RateLimitError, "rate_limit_error"),
        500: (anthropic.InternalServerError, "server_error"),
        529: (anthropic.OverloadedError, "overloaded_error"),
    }

    def test_of_the_provider(self):
        for status, (raised, kind) in self.raised.items():
            for stream in (False, True):
                with self.subTest(status, stream=stream):
                    with self.assertRaises(raised) as caught:
                        client.messages.create(**asking(f"status-{status}"), stream=stream)
                    self.assertEqual(caught.exception.status_code, status)
                    self.assertEqual(caught.exception.body["error"]["type"], kind)
                    self.assertTrue(caught.exception.request_id)

    def test_of_the_gateway(self):
        with self.assertRaises(anthropic.NotFoundError) as caught:
            client.messages.create(**asking("unknown"))
        self.assertEqual(caught.exception.body["error"]["type"], "not_found_error")
        with self.assertRaises(anthropic.AuthenticationError) as caught:
            client.with_options(api_key="sk-of-a-stranger").messages.create(**asking())
        self.assertEqual(caught.exception.body["error"]["type"], "authentication_error")
        # The key that the provider refuses is the gateway's own.
        with self.assertRaises(anthropic.InternalServerError) as caught:
            client.messages.create(**asking("status-401"))
        self.assertEqual(caught.exception.status_code, 502)


class Leaving(unittest.TestCase):
    def test_closes_the_call_of_the_provider(self):
        closed = threading.Thread(target=gateway.await_closed, args=("endless",))
        closed.start()
        with client.messages.stream(**asking("endless")) as stream:
            next(iter(stream.text_stream))
        closed.join(10)
        self.assertFalse(closed.is_alive())


class Faults(unittest.TestCase):
    """What this package does with imperfect streams, once the gateway has passed them on."""

    def test_what_is_cut_is_raised(self):
        # Straight from a provider, iteration and accumulation both end silently. Before the fourth event, the third where it calls a tool, nothing has
        # been said: that the gateway tells by a status.
        for more, cuts in (({}, range(4, 9)), ({"tools": tools}, range(3, 7))):
            for after in cuts:
                with self.subTest(after=after, **more):
                    for given, error in read_both(**asking(f"cut-{after}", **more)):
                        self.assertTrue(given)
                        self.assertIsInstance(error, anthropic.APIError)

    def test_what_lacks_only_its_last_event_is_whole(self):
        self.assertEqual(accumulated(**asking("cut-9")).content[0].text, text)

    def test_an_error_is_raised(self):
        for given, error in read_both(**asking("fault-error")):
            self.assertTrue(given)
            self.assertIsInstance(error, anthropic.APIStatusError)
            self.assertIn("on fire", str(error))

    def test_usage_that_lacks_is_no_failure(self):
        for _, error in read_both(**asking("fault-no-usage")):
            self.assertIsNone(error)

    def test_a_call_that_is_whole_at_once_is_read(self):
        self.assertEqual(accumulated(**asking("fault-whole-tool", tools=tools)).content[0].input, numbers)

    def test_blocks_that_are_counted_from_one_are_raised_where_they_are_accumulated(self):
        (_, iterated), (_, error) = read_both(**asking("fault-index-1"))
        self.assertIsNone(iterated)
        self.assertIsInstance(error, IndexError)

    def test_half_of_a_call_that_its_model_has_closed_is_not_raised(self):
        # Nothing tells it from a call that means it: the provider has ended it in order, and no event that the gateway could add comes before its end.
        self.assertEqual(accumulated(**asking("fault-half-tool", tools=tools)).content[0].input, {"a": 1})


if __name__ == "__main__":
    unittest.main()

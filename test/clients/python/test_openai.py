"""openai through the gateway: each call for an endpoint that is served, plain and streamed, each class it raises, and streams that are at fault."""

import json
import threading
import unittest
import warnings

import openai

import gateway
from gateway import chat, drain, numbers, parameters, png, prompt, text

client = openai.OpenAI(base_url=gateway.url, api_key=gateway.key, max_retries=0)

chat_tools = [{"type": "function", "function": {"name": "add", "parameters": parameters, "strict": True}}]
tools = [{"type": "function", "name": "add", "parameters": parameters, "strict": True}]
picture = f"data:image/png;base64,{png}"


class Chat(unittest.TestCase):
    def test_plain_and_streamed(self):
        plain = client.chat.completions.create(model="fake", messages=chat)
        self.assertEqual(plain.choices[0].message.content, text)
        chunks = list(client.chat.completions.create(model="fake", messages=chat, stream=True))
        self.assertEqual("".join(one.choices[0].delta.content or "" for one in chunks), text)
        with client.chat.completions.stream(model="fake", messages=chat) as stream:
            self.assertEqual(stream.get_final_completion().choices[0].message.content, text)

    def test_tools_and_pictures(self):
        with client.chat.completions.stream(model="fake", messages=chat, tools=chat_tools) as stream:
            message = stream.get_final_completion().choices[0].message
        self.assertEqual(json.loads(message.tool_calls[0].function.arguments), numbers)
        answered = client.chat.completions.create(
            model="fake",
            tools=chat_tools,
            messages=[
                *chat,
                message.model_dump(exclude={"parsed"}, exclude_none=True),
                {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": "3"},
            ],
        )
        self.assertEqual(answered.choices[0].message.content, text)
        seen = [{"type": "text", "text": prompt}, {"type": "image_url", "image_url": {"url": picture}}]
        answered = client.chat.completions.create(model="fake", messages=[{"role": "user", "content": seen}])
        self.assertEqual(answered.choices[0].message.content, text)

    def test_completions(self):
        self.assertEqual(client.completions.create(model="fake", prompt=prompt).choices[0].text, text)
        chunks = client.completions.create(model="fake", prompt=prompt, stream=True)
        self.assertEqual("".join(one.choices[0].text for one in chunks), text)


class Responses(unittest.TestCase):
    def test_plain_and_streamed(self):
        self.assertEqual(client.responses.create(model="fake", input=prompt).output_text, text)
        events = list(client.responses.create(model="fake", input=prompt, stream=True))
        deltas = [one.delta for one in events if one.type == "response.output_text.delta"]
        self.assertEqual("".join(deltas), text)
        self.assertEqual([one.sequence_number for one in events], list(range(len(events))))
        with client.responses.stream(model="fake", input=prompt, reasoning={"effort": "low"}) as stream:
            final = stream.get_final_response()
        self.assertEqual(final.output_text, text)
        self.assertEqual(final.output[0].type, "reasoning")
        self.assertEqual(final.usage.total_tokens, 30)

    def test_tools_and_pictures(self):
        with client.responses.stream(model="fake", input=prompt, tools=tools) as stream:
            final = stream.get_final_response()
        call = final.output[0]
        self.assertEqual((call.name, json.loads(call.arguments)), ("add", numbers))
        answered = client.responses.create(
            model="fake",
            tools=tools,
            previous_response_id=final.id,
            input=[{"type": "function_call_output", "call_id": call.call_id, "output": "3"}],
        )
        self.assertEqual(answered.output_text, text)
        seen = [{"type": "input_text", "text": prompt}, {"type": "input_image", "image_url": picture}]
        answered = client.responses.create(model="fake", input=[{"role": "user", "content": seen}])
        self.assertEqual(answered.output_text, text)

    def test_what_is_kept(self):
        made = client.responses.create(model="fake", input=prompt)
        self.assertEqual(client.responses.retrieve(made.id).id, made.id)
        self.assertEqual(client.responses.cancel(made.id).status, "cancelled")
        self.assertEqual([one.id for one in client.responses.input_items.list(made.id)], ["msg_0"])
        client.responses.delete(made.id)
        with self.assertRaises(openai.NotFoundError):
            client.responses.retrieve("resp_of_nobody")

    def test_counted_and_compacted(self):
        self.assertEqual(client.responses.input_tokens.count(model="fake", input=prompt).input_tokens, 12)
        compacted = client.responses.compact(model="fake", input=prompt)
        self.assertEqual(compacted.output[0].type, "compaction")


class Others(unittest.TestCase):
    def setUp(self):
        # Of calls that OpenAI means to end one day.
        warnings.simplefilter("ignore", DeprecationWarning)

    def test_models(self):
        self.assertIn("fake", [one.id for one in client.models.list()])
        self.assertEqual(client.models.retrieve("fake").id, "fake")

    def test_embeddings_and_moderations(self):
        made = client.embeddings.create(model="fake", input=["one", "two"])
        self.assertEqual([one.embedding for one in made.data], [[0.25, -1, 3.5]] * 2)
        self.assertTrue(client.moderations.create(input=prompt).results[0].flagged)
        self.assertTrue(client.moderations.create(model="fake", input=prompt).results[0].flagged)

    def test_speech(self):
        asked = {"model": "fake", "voice": "alloy", "input": text}
        spoken = client.audio.speech.create(**asked).content
        self.assertEqual(len(spoken), 5000)
        with client.audio.speech.with_streaming_response.create(**asked) as answer:
            self.assertEqual(answer.headers["content-type"], "audio/mpeg")
            self.assertEqual(b"".join(answer.iter_bytes()), spoken)

    def test_what_was_said(self):
        sound = ("hello.mp3", b"\xff\xfb" * 2000, "audio/mpeg")
        self.assertEqual(client.audio.transcriptions.create(model="fake", file=sound).text, text)
        events = list(client.audio.transcriptions.create(model="fake", file=sound, stream=True))
        self.assertEqual([one.type for one in events], ["transcript.text.delta", "transcript.text.done"])
        self.assertEqual(client.audio.translations.create(model="fake", file=sound).text, text)

    def test_images(self):
        image = ("one.png", b"\x89PNG" * 500, "image/png")
        for made in (
            client.images.generate(model="fake", prompt=prompt),
            client.images.edit(model="fake", image=[image, image], prompt=prompt),
            client.images.create_variation(model="fake", image=image),
        ):
            self.assertEqual(len(made.data[0].b64_json), 6668)
        events = list(client.images.generate(model="fake", prompt=prompt, stream=True, partial_images=1))
        self.assertEqual(events[-1].type, "image_generation.completed")
        events = list(client.images.edit(model="fake", image=image, prompt=prompt, stream=True))
        self.assertEqual(events[-1].type, "image_edit.completed")


class Errors(unittest.TestCase):
    raised = {
        400: openai.BadRequestError,
        404: openai.NotFoundError,
        422: openai.UnprocessableEntityError,
        429: openai.RateLimitError,
        500: openai.InternalServerError,
        529: openai.InternalServerError,
    }

    def calls(self, model):
        yield lambda: client.chat.completions.create(model=model, messages=chat)
        yield lambda: client.chat.completions.create(model=model, messages=chat, stream=True)
        yield lambda: client.responses.create(model=model, input=prompt)
        yield lambda: client.responses.create(model=model, input=prompt, stream=True)
        yield lambda: client.embeddings.create(model=model, input=prompt)
        yield lambda: client.audio.speech.create(model=model, voice="alloy", input=prompt)
        yield lambda: client.audio.transcriptions.create(model=model, file=("a.mp3", b"abc"))

    def test_of_the_provider(self):
        for status, raised in self.raised.items():
            for call in self.calls(f"status-{status}"):
                with self.subTest(status):
                    with self.assertRaises(raised) as caught:
                        call()
                    self.assertEqual(caught.exception.status_code, status)

    def test_of_the_gateway(self):
        for call in self.calls("unknown"):
            with self.assertRaises(openai.NotFoundError) as caught:
                call()
            self.assertEqual(caught.exception.code, "model_not_found")
        with self.assertRaises(openai.AuthenticationError):
            client.with_options(api_key="sk-of-a-stranger").responses.create(model="fake", input=prompt)
        # The key that the provider refuses is the gateway's own.
        for call in self.calls("status-401"):
            with self.assertRaises(openai.InternalServerError) as caught:
                call()
            self.assertEqual(caught.exception.status_code, 502)


class Leaving(unittest.TestCase):
    def test_closes_the_call_of_the_provider(self):
        for create in (
            lambda: client.chat.completions.create(model="endless", messages=chat, stream=True),
            lambda: client.responses.create(model="endless", input=prompt, stream=True),
        ):
            closed = threading.Thread(target=gateway.await_closed, args=("endless",))
            closed.start()
            stream = create()
            next(iter(stream))
            stream.close()
            closed.join(10)
            self.assertFalse(closed.is_alive())


class Faults(unittest.TestCase):
    """What this package does with imperfect streams, once the gateway has passed them on."""

    def responses(self, model, **more):
        """What is given and raised where it is iterated, and where it is accumulated."""
        raw = drain(client.responses.create(model=model, input=prompt, stream=True, **more))
        with client.responses.stream(model=model, input=prompt, **more) as stream:
            return raw, drain(stream)

    def test_a_chat_that_is_cut_is_raised(self):
        for more in ({}, {"tools": chat_tools}):
            # Before the second event nothing has been said: that the gateway tells by a status.
            for after in range(2, 5):
                with self.subTest(after=after, **more):
                    asked = {"model": f"cut-{after}", "messages": chat, **more}
                    given, error = drain(client.chat.completions.create(**asked, stream=True))
                    self.assertTrue(given)
                    self.assertIsInstance(error, openai.APIError)
                    with client.chat.completions.stream(**asked) as stream:
                        self.assertIsInstance(drain(stream)[1], openai.APIError)

    def test_an_error_in_a_chat_is_raised(self):
        asked = {"model": "fault-error", "messages": chat}
        given, error = drain(client.chat.completions.create(**asked, stream=True))
        self.assertTrue(given)
        self.assertIsInstance(error, openai.APIError)
        self.assertIn("on fire", str(error))

    def test_a_response_that_is_cut_is_raised(self):
        for more in ({}, {"tools": tools}):
            # Before the first delta nothing has been said.
            for after in range(4 if more else 5, 7):
                with self.subTest(after=after, **more):
                    for given, error in self.responses(f"cut-{after}", **more):
                        self.assertTrue(given)
                        self.assertIsInstance(error, openai.APIError)

    def test_an_error_in_a_response_is_raised(self):
        # Straight from a provider iteration gives the first two out as events, and the third to both.
        for fault in ("error", "bare-error", "failed"):
            with self.subTest(fault):
                for given, error in self.responses(f"fault-{fault}"):
                    self.assertEqual(given[-1].type, "response.failed")
                    self.assertIsInstance(error, openai.APIError)
                    self.assertIn("on fire", str(error))

    def test_a_response_that_lacks_events_is_raised_where_it_is_accumulated(self):
        for fault in ("no-item", "no-part", "no-output"):
            with self.subTest(fault):
                (_, iterated), (_, error) = self.responses(f"fault-{fault}")
                self.assertIsNone(iterated)
                self.assertIsNotNone(error)

    def test_a_response_that_tells_all_of_it_late_is_whole(self):
        for fault, more in (("no-item-done", {}), ("late-arguments", {"tools": tools})):
            with self.subTest(fault):
                with client.responses.stream(model=f"fault-{fault}", input=prompt, **more) as stream:
                    final = stream.get_final_response()
                told = json.loads(final.output[0].arguments) if more else final.output_text
                self.assertEqual(told, numbers if more else text)


if __name__ == "__main__":
    unittest.main()

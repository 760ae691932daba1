"""A provider for coding agents: has them run one command, then says what came out of it.

It speaks Anthropic's Messages, OpenAI's chat completions and OpenAI's Responses, as streams or whole. A request that
offers a tool for running commands and brings no result yet is answered with a call of that tool; one that brings the
result, with a sentence that repeats it.
"""

import http.server
import itertools
import json
import sys
import threading

MARK = "bursar-was-here"
COMMAND = f"echo {MARK}"

# The tools by which agents run a command, and how each is told which.
SHELLS = {
    "Bash": {"command": COMMAND, "description": "Says hello"},
    "bash": {"command": COMMAND, "description": "Says hello"},
    "exec_command": {"cmd": COMMAND},
    "shell_command": {"command": COMMAND},
    "shell": {"command": ["sh", "-c", COMMAND]},
    "local_shell": {"command": ["sh", "-c", COMMAND]},
}

_ids = itertools.count(1)


def next_step(tools, results):
    """What to do: ("call", tool, arguments) or ("say", text)."""
    if results:
        seen = any(MARK in result for result in results)
        return "say", f"The command said {MARK}." if seen else "The command said something else."
    shell = next((name for name in tools if name in SHELLS), None)
    return ("call", shell, SHELLS[shell]) if shell else ("say", "A greeting")


def messages(asked):
    """Anthropic's Messages: the events of the answer."""
    tools = [tool["name"] for tool in asked.get("tools", []) if "name" in tool]
    blocks = [b for m in asked["messages"] if isinstance(m["content"], list) for b in m["content"]]
    results = [json.dumps(b.get("content")) for b in blocks if b["type"] == "tool_result"]
    step = next_step(tools, results)
    message = {
        "id": f"msg_{next(_ids)}", "type": "message", "role": "assistant", "model": asked["model"], "content": [],
        "stop_reason": None, "stop_sequence": None, "usage": {"input_tokens": 10, "output_tokens": 1},
    }
    yield "message_start", {"message": message}
    if step[0] == "say":
        start, delta = {"type": "text", "text": ""}, {"type": "text_delta", "text": step[1]}
    else:
        start = {"type": "tool_use", "id": f"toolu_{next(_ids)}", "name": step[1], "input": {}}
        delta = {"type": "input_json_delta", "partial_json": json.dumps(step[2])}
    yield "content_block_start", {"index": 0, "content_block": start}
    yield "content_block_delta", {"index": 0, "delta": delta}
    yield "content_block_stop", {"index": 0}
    reason = "end_turn" if step[0] == "say" else "tool_use"
    yield "message_delta", {"delta": {"stop_reason": reason, "stop_sequence": None}, "usage": {"output_tokens": 20}}
    yield "message_stop", {}


def chat(asked):
    """OpenAI's chat completions: the chunks of the answer."""
    tools = [tool["function"]["name"] for tool in asked.get("tools", []) if "function" in tool]
    results = [json.dumps(m["content"]) for m in asked["messages"] if m["role"] == "tool"]
    step = next_step(tools, results)
    head = {"id": f"chatcmpl-{next(_ids)}", "object": "chat.completion.chunk", "created": 1, "model": asked["model"]}
    if step[0] == "say":
        delta = {"role": "assistant", "content": step[1]}
    else:
        function = {"name": step[1], "arguments": json.dumps(step[2])}
        call = {"index": 0, "id": f"call_{next(_ids)}", "type": "function", "function": function}
        delta = {"role": "assistant", "content": None, "tool_calls": [call]}
    yield {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    reason = "stop" if step[0] == "say" else "tool_calls"
    yield {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}
    usage = {"prompt_tokens": 10, "completion_tokens": 20, "total_tokens": 30}
    yield {**head, "choices": [], "usage": usage}


def responses(asked):
    """OpenAI's Responses: the events of the answer."""
    tools = [tool.get("name", tool["type"]) for tool in asked.get("tools", [])]
    items = asked["input"] if isinstance(asked["input"], list) else []
    results = [json.dumps(item["output"]) for item in items if item.get("type", "").endswith("call_output")]
    step = next_step(tools, results)
    head = {
        "id": f"resp_{next(_ids)}", "object": "response", "created_at": 1, "model": asked["model"], "output": [],
        "status": "in_progress", "error": None, "incomplete_details": None, "instructions": None, "metadata": {},
        "parallel_tool_calls": True, "temperature": 1, "tool_choice": "auto", "tools": [], "top_p": 1, "usage": None,
    }
    yield "response.created", {"response": head}
    if step[0] == "say":
        text = {"type": "output_text", "text": step[1], "annotations": [], "logprobs": []}
        done = {"type": "message", "id": f"msg_{next(_ids)}", "role": "assistant", "status": "completed", "content": [text]}
        begun = {**done, "status": "in_progress", "content": []}
        at = {"item_id": done["id"], "output_index": 0, "content_index": 0}
        steps = [
            ("response.content_part.added", {**at, "part": {**text, "text": ""}}),
            ("response.output_text.delta", {**at, "delta": step[1], "logprobs": []}),
            ("response.output_text.done", {**at, "text": step[1], "logprobs": []}),
            ("response.content_part.done", {**at, "part": text}),
        ]
    else:
        arguments = json.dumps(step[2])
        done = {
            "type": "function_call", "id": f"fc_{next(_ids)}", "call_id": f"call_{next(_ids)}", "name": step[1],
            "arguments": arguments, "status": "completed",
        }
        begun = {**done, "status": "in_progress", "arguments": ""}
        at = {"item_id": done["id"], "output_index": 0}
        steps = [
            ("response.function_call_arguments.delta", {**at, "delta": arguments}),
            ("response.function_call_arguments.done", {**at, "arguments": arguments, "name": step[1]}),
        ]
    yield "response.output_item.added", {"output_index": 0, "item": begun}
    yield from steps
    yield "response.output_item.done", {"output_index": 0, "item": done}
    usage = {
        "input_tokens": 10, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 20,
        "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 30,
    }
    yield "response.completed", {"response": {**head, "status": "completed", "output": [done], "usage": usage}}


class Provider(http.server.BaseHTTPRequestHandler):
    """Answers every request as a stream, as agents ask for; a whole answer is put together from it."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        path = self.path.split("?")[0]
        if path.endswith("/messages/count_tokens"):
            return self.answer("application/json", b'{"input_tokens":10}')
        if path.endswith("/messages"):
            events = [(name, {"type": name, **data}) for name, data in messages(asked)]
        elif path.endswith("/responses"):
            found = enumerate(responses(asked))
            events = [(name, {"type": name, "sequence_number": at, **data}) for at, (name, data) in found]
        else:
            events = [(None, chunk) for chunk in chat(asked)] + [(None, "[DONE]")]
        if not asked.get("stream"):
            return self.answer("application/json", whole(path, events))
        frames = []
        for name, data in events:
            line = data if isinstance(data, str) else json.dumps(data)
            frames.append((f"event: {name}\n" if name else "") + f"data: {line}\n\n")
        return self.answer("text/event-stream", "".join(frames).encode())

    def answer(self, kind, body):
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Says nothing."""


def whole(path, events):
    """The answer that a stream adds up to."""
    if path.endswith("/responses"):
        return json.dumps(events[-1][1]["response"]).encode()
    if path.endswith("/messages"):
        message, start, delta = (events[at][1] for at in range(3))
        block = dict(start["content_block"])
        if block["type"] == "text":
            block["text"] = delta["delta"]["text"]
        else:
            block["input"] = json.loads(delta["delta"]["partial_json"])
        end = events[-2][1]
        return json.dumps({**message["message"], "content": [block], **end["delta"]}).encode()
    first, last, usage = (events[at][1] for at in range(3))
    choice = {**last["choices"][0], "message": first["choices"][0]["delta"]}
    del choice["delta"]
    return json.dumps({**usage, "object": "chat.completion", "choices": [choice]}).encode()


def serve():
    """Starts it; gives its address."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


if __name__ == "__main__":
    print(serve(), flush=True)
    sys.stdin.read()

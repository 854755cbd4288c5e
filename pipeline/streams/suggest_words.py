"""The words by which logs call things. They choose what a draft asks first, never what is true."""

from __future__ import annotations

INSTRUCTION = (
    "instruction", "prompt", "question", "query", "user_input", "input", "task", "problem", "request",
    "user_message", "user_prompt", "user", "problem_statement", "task_description", "ask", "human",
)  # fmt: skip
RESPONSE = (
    "response", "completion", "model_output", "output", "generation", "generated_text", "prediction",
    "reply", "model_answer", "answer", "final_answer", "solution", "assistant", "model_response", "result",
    "summary", "code", "patch", "model_patch", "completions", "responses", "outputs", "answers",
    "generations", "solutions", "pred_answer", "predicted_answer", "pred_response", "pred_output", "pred",
)  # fmt: skip
CONTEXT = ("context", "system_prompt", "system", "background", "document", "passage")
ATTEMPTS = frozenset((
    "attempts", "samples", "candidates", "completions", "responses", "generations", "outputs", "answers",
    "rollouts", "trials", "runs", "solutions", "choices", "predictions", "trajectories",
))  # fmt: skip
# What a log keeps to judge an answer by; as an answer it would teach the model the key.
REFERENCE = frozenset((
    "reference", "gold", "golden", "expected", "canonical", "truth", "target", "ideal", "oracle", "label",
    "correct",
))  # fmt: skip
TASK = (
    "task_id", "question_id", "problem_id", "instance_id", "prompt_id", "example_id", "item_id", "case_id",
    "test_id", "sample_id", "challenge_id", "issue_id", "ticket_id", "qid", "task_name", "task", "doc_id",
    "case", "case_name", "example", "id", "uid", "uuid", "key",
)  # fmt: skip
RUN_IDS = frozenset((
    "run", "attempt", "trial", "response", "answer", "completion", "user", "worker", "model",
))  # fmt: skip
# Words that end in "id" and name no id.
NO_IDS = frozenset((
    "valid", "invalid", "paid", "grid", "void", "said", "mid", "kid", "aid", "hybrid", "rapid", "solid",
))  # fmt: skip
SESSION = (
    "session_id", "session", "conversation_id", "thread_id", "dialog_id", "dialogue_id", "chat_id",
    "episode_id", "trajectory_id", "run_id", "trace_id", "episode", "conversation", "thread", "chat",
    "trajectory", "id",
)  # fmt: skip
ORDER = (
    "turn", "turn_index", "turn_id", "turn_number", "step", "step_id", "index", "idx", "seq", "sequence",
    "order", "position", "message_index", "n",
)  # fmt: skip
TIME = (
    "timestamp", "created_at", "created", "time", "ts", "date", "datetime", "started_at", "start_time",
    "completed_at", "finished_at", "end_time", "at", "logged_at", "recorded_at",
)  # fmt: skip
MODEL = (
    "model_name", "model", "model_id", "llm", "engine", "model_version", "policy", "system_name",
)  # fmt: skip
PROVIDER = ("model_provider", "provider", "vendor")
TOKENS = ("tokens", "total_tokens", "token_count", "n_tokens", "num_tokens")
COST = ("cost_usd", "total_cost_usd", "cost", "total_cost")
LATENCY = ("latency_ms", "duration_ms", "elapsed_ms", "time_ms")
TOOLS = ("tools", "functions", "tool_definitions")
FINISH = ("finish_reason", "stop_reason", "done_reason")
SPEAKER = ("role", "from", "speaker", "author", "sender", "who", "source", "type", "name")
CONTENT = ("content", "value", "text", "message", "body", "utterance", "msg")
# Words for speakers that no reader knows by itself. A draft writes them out, to be looked at.
SPEAKERS = {
    "customer": "user", "client": "user", "person": "user", "student": "user", "patient": "user",
    "prompter": "user", "asker": "user", "caller": "user", "bot": "assistant", "chatbot": "assistant",
    "agent": "assistant", "llm": "assistant", "environment": "tool", "env": "tool", "tool_result": "tool",
    "function_result": "tool", "tool-call": "assistant", "tool-response": "tool", "SystemMessage": "system",
    "UserMessage": "user", "AssistantMessage": "assistant", "FunctionExecutionResultMessage": "tool",
    "AIMessageChunk": "assistant",
}  # fmt: skip
OUTCOME = frozenset((
    "pass", "passed", "passes", "success", "successful", "succeeded", "ok", "correct", "resolved", "solved",
    "win", "won", "winner", "accepted", "approved", "verdict", "outcome", "status", "result", "score",
    "scores", "reward", "rewards", "rating", "grade", "feedback", "thumbs", "vote", "label", "factual",
    "judgement", "judgment", "quality", "accuracy", "fail", "failed", "failure", "complete", "completed",
    "done", "finished", "preference", "points", "satisfied", "match", "matched", "matches",
))  # fmt: skip
# Words that end the name of what counts or names outcomes, and is none.
NO_OUTCOME = frozenset(("id", "idx", "index", "type", "count", "name", "at", "time", "date", "key"))
OUTCOME_VALUES = frozenset((
    "pass", "passed", "fail", "failed", "success", "failure", "ok", "error", "yes", "no", "good", "bad",
    "win", "loss", "lose", "lost", "tie", "correct", "incorrect", "wrong", "right", "accepted", "rejected",
    "accept", "reject", "resolved", "unresolved", "solved", "unsolved", "true", "false", "up", "down",
    "partial", "timeout",
))  # fmt: skip

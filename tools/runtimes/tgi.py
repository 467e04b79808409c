"""Hugging Face Text Generation Inference (its names up to 3.3.7) and Text Embeddings Inference (up to 1.9).

TGI reports no KV cache usage, no preemptions and no time to first token: what rests on them is blind on it. Its
`tgi_request_mean_time_per_token_duration` is the mean of a whole request, smoother than the gaps between tokens. The names of both
appear at first use: a server that has answered nothing yet exports less.
"""

from __future__ import annotations

from tools.series import Series, Source
from tools.signals import (
    GENERATION_TOKENS,
    ITL,
    PROMPT_TOKENS,
    QUEUE_TIME,
    REQUEST_TOKENS,
    REQUESTS_FINISHED,
    REQUESTS_RUNNING,
    REQUESTS_WAITING,
    Per,
)

TGI = Source(
    name="tgi",
    title="TGI",
    per=Per.REPLICA,
    anchor=("tgi_queue_size", "tgi_batch_current_size"),
    keys=("namespace", "pod"),
    signals={
        REQUESTS_RUNNING: (Series("tgi_batch_current_size"),),
        REQUESTS_WAITING: (Series("tgi_queue_size"),),
        REQUESTS_FINISHED: (Series("tgi_request_success", at_first_use=True),),
        PROMPT_TOKENS: (Series("tgi_request_input_length_sum", at_first_use=True),),
        GENERATION_TOKENS: (Series("tgi_request_generated_tokens_sum", at_first_use=True),),
        QUEUE_TIME: (Series("tgi_request_queue_duration"),),
        ITL: (Series("tgi_request_mean_time_per_token_duration"),),
        REQUEST_TOKENS: (Series("tgi_request_input_length"),),
    },
    images=("text-generation-inference",),
    serving=True,
    order=12,
    port=80,
)

TEI = Source(
    name="tei",
    title="TEI",
    per=Per.REPLICA,
    anchor=("te_queue_size",),
    keys=("namespace", "pod"),
    signals={
        REQUESTS_WAITING: (Series("te_queue_size"),),
        REQUESTS_FINISHED: (Series("te_request_success"),),
        PROMPT_TOKENS: (Series("te_request_input_length_sum"),),
        QUEUE_TIME: (Series("te_request_queue_duration"),),
        REQUEST_TOKENS: (Series("te_request_input_length"),),
    },
    images=("text-embeddings-inference",),
    serving=True,
    # te_queue_size, as all others, is there from the first request on (core/src/queue.rs).
    mute=True,
    order=13,
    port=80,
)

SOURCES = (TGI, TEI)

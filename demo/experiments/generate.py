"""Let the model write answers to many prompts, a few at a time, so that others find their places.

Knows neither what is asked nor what is right.
"""

from collections.abc import Generator, Sequence
from contextlib import closing

from demo.experiments.classify import Asker
from demo.records import Answer, AnswerRequest, Message, Sampling

AT_ONCE = 4


def answered(
    asker: Asker, prompts: Sequence[tuple[Message, ...]], samplings: Sequence[Sampling]
) -> Generator[tuple[Answer, ...], None, None]:
    """All answers so far, the growing ones among them, again at least every quarter second.

    Raises:
        LabError: an answer failed, or there is no room for more.
    """
    asked = asker.asked
    requests = [
        AnswerRequest(prompt, asked.adapter, asked.workspace, asked.visitor, sampling)
        for prompt, sampling in zip(prompts, samplings, strict=True)
    ]
    done: tuple[Answer, ...] = ()
    for start in range(0, len(requests), AT_ONCE):
        chunk = requests[start : start + AT_ONCE]
        answers: tuple[Answer, ...] = ()
        with closing(asker.model.stream(chunk, [asker.source] * len(chunk))) as stream:
            for answers in stream:
                for failed in (answer.error for answer in answers if answer.error):
                    raise failed
                yield (*done, *answers)
        done += answers

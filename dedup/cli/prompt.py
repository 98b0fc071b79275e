"""Questions → answers of a person at a terminal, or of a program that writes a line for each.

In: questions, and a function that shows one. Out: each answer, handed on as soon as it is given. One key is one answer on
a terminal; elsewhere it is the first letter of a line (k, or the word, for skip). The terminal hands over each key from the
first question to the end, so that one pressed ahead is not lost.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import click

from dedup.evaluation.pair_labels import ANSWER_DIFFERENT, ANSWER_FOLLOWUP, ANSWER_OPEN, ANSWER_SAME

__all__ = ["ANSWERS", "ask_questions"]

ANSWERS = {"s": ANSWER_SAME, "f": ANSWER_FOLLOWUP, "d": ANSWER_DIFFERENT, "o": ANSWER_OPEN}
"""Keys, and what they say of a pair: the same story, another chapter of the affair, neither, or that it is left open."""
SKIP, BACK, QUIT = "k", "b", "q"
KEYS = {*ANSWERS, SKIP, BACK, QUIT}
KEY_WORDS = {"skip": SKIP}
"""Lines whose first letter is another key."""
PROMPT = "[s]ame story  [f]ollow-up  [d]ifferent  [o]pen  s[k]ip  [b]ack  [q]uit  "
EXIT_KEYS = {"\x03", "\x04"}
"""Ctrl-C and Ctrl-D."""
ESCAPE_SEQUENCE = re.compile(r"\x1b[\[O][0-9;]*[A-Za-z~]")
"""What an arrow or another special key sends: letters that are not meant."""
KEY_READ_BYTES = 1 << 10
T = TypeVar("T")


def ask_questions(
    questions: Sequence[T], show_question: Callable[[int, T], None], save_answer: Callable[[T, str], None]
) -> int:
    """Ask one question after the other until all are answered or the person leaves; return how many were answered."""
    place = answered = 0
    with open_key_input() as keys:
        while place < len(questions):
            show_question(place, questions[place])
            click.echo(PROMPT, nl=False)
            key = next(keys, QUIT)
            click.echo(key)
            if key == QUIT:
                break
            if key == BACK:
                place = max(place - 1, 0)
                continue
            if key != SKIP:
                save_answer(questions[place], ANSWERS[key])
                answered += 1
            place += 1
    return answered


@contextmanager
def open_key_input() -> Iterator[Iterator[str]]:
    """Give the keys that mean something, as they come; the end of the input is a wish to leave."""
    if not sys.stdin.isatty():
        yield iter_line_keys(sys.stdin)
        return
    import termios

    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    changed = termios.tcgetattr(terminal)
    changed[3] &= ~(termios.ICANON | termios.ECHO | termios.ISIG)
    termios.tcsetattr(terminal, termios.TCSADRAIN, changed)
    try:
        yield iter_terminal_keys(terminal)
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def iter_line_keys(lines: Iterable[str]) -> Iterator[str]:
    """Yield the keys that the lines of a program stand for; others are passed over."""
    for line in lines:
        word = line.strip().lower()
        key = KEY_WORDS.get(word, word[:1])
        if key in KEYS:
            yield key


def iter_terminal_keys(terminal: int) -> Iterator[str]:
    """Yield the keys that mean something, from a terminal that hands over each as it is pressed."""
    while given := os.read(terminal, KEY_READ_BYTES).decode(errors="replace"):
        for key in ESCAPE_SEQUENCE.sub("", given):
            if key in EXIT_KEYS:
                yield QUIT
            if key.lower() in KEYS:
                yield key.lower()

"""Ask a person at a terminal, or a program through lines of input, and pass on each answer at once.

At a terminal one key is one answer. Elsewhere the first letter of a line is the answer (k, or the word, for skip).
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
"""The label that each key gives to a pair."""
SKIP, BACK, QUIT = "k", "b", "q"
KEYS = {*ANSWERS, SKIP, BACK, QUIT}
KEY_WORDS = {"skip": SKIP}
"""Lines whose first letter is not their key."""
PROMPT = "[s]ame story  [f]ollow-up  [d]ifferent  [o]pen  s[k]ip  [b]ack  [q]uit  "
ESCAPE_SEQUENCE = re.compile(r"\x1b[\[O][0-9;]*[A-Za-z~]")
"""The characters of an arrow or another special key; their letters are not answers."""
EXIT_KEYS = {"\x03", "\x04"}
"""Ctrl-C and Ctrl-D."""
KEY_READ_BYTES = 32
T = TypeVar("T")


def ask_questions(
    questions: Sequence[T], show_question: Callable[[int, T], None], save_answer: Callable[[T, str], None]
) -> int:
    """Ask all questions, or until the person quits; return how many were answered."""
    with open_key_input() as keys:
        return ask_with_keys(questions, show_question, save_answer, keys)


def ask_with_keys(
    questions: Sequence[T],
    show_question: Callable[[int, T], None],
    save_answer: Callable[[T, str], None],
    keys: Iterator[str],
) -> int:
    """Ask all questions, or until the keys end or quit; return how many were answered."""
    position = answered = 0
    while position < len(questions):
        show_question(position, questions[position])
        click.echo(PROMPT, nl=False)
        key = next(keys, QUIT)
        click.echo(key)
        if key == QUIT:
            break
        if key == BACK:
            position = max(position - 1, 0)
            continue
        if key != SKIP:
            save_answer(questions[position], ANSWERS[key])
            answered += 1
        position += 1
    return answered


@contextmanager
def open_key_input() -> Iterator[Iterator[str]]:
    """Open an iterator over the keys that the user presses.

    On Unix, the terminal passes on each key at once until the end of the block. `click.getchar` would change the terminal
    for each key, and lose keys that were pressed in between.
    """
    if not sys.stdin.isatty():
        yield iter_line_keys(sys.stdin)
        return
    if sys.platform == "win32":
        yield iter_terminal_keys(read_windows_keys)
        return
    import termios

    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    changed = termios.tcgetattr(terminal)
    changed[3] &= ~(termios.ICANON | termios.ECHO | termios.ISIG)
    termios.tcsetattr(terminal, termios.TCSADRAIN, changed)
    try:
        yield iter_terminal_keys(lambda: os.read(terminal, KEY_READ_BYTES).decode(errors="replace"))
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def iter_line_keys(lines: Iterable[str]) -> Iterator[str]:
    """Yield the keys that lines of input stand for; other lines are ignored."""
    for line in lines:
        word = line.strip().lower()
        key = KEY_WORDS.get(word, word[:1])
        if key in KEYS:
            yield key


def iter_terminal_keys(read_keys: Callable[[], str]) -> Iterator[str]:
    """Yield the keys pressed at a terminal; other keys are ignored, Ctrl-C and Ctrl-D quit."""
    while pressed := read_keys():
        for key in ESCAPE_SEQUENCE.sub("", pressed).lower():
            if key in EXIT_KEYS:
                yield QUIT
            if key in KEYS:
                yield key


def read_windows_keys() -> str:
    """Wait for a key and return its characters; "" to quit."""
    try:
        return click.getchar()
    except (KeyboardInterrupt, EOFError):
        return ""

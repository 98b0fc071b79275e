"""The options on where the work of a command is done: in this process, or on Apache Spark."""

from __future__ import annotations

from collections.abc import Mapping

import click

from dedup.cli.command import ENGINE, CommandFunction, HeadedOption, add_options

__all__ = ["engine_options"]


def engine_options(command: CommandFunction) -> CommandFunction:
    """Give a command the options on where its work is done: `engine`, `master`, `conf`, `stages`, `lake`."""
    return add_options(
        command,
        [
            click.option(
                "--engine",
                type=click.Choice(["local", "spark"]),
                default="local",
                show_default=True,
                envvar="DEDUP_ENGINE",
                help="Where the work is done: in this process, or on Apache Spark, which needs Java 17 or later and "
                "news-dedup[spark].",
                cls=HeadedOption,
                heading=ENGINE,
            ),
            click.option(
                "--master",
                metavar="URL",
                envvar="DEDUP_MASTER",
                help="Spark's master, as local[2], spark://host:7077 or yarn.  [default: what spark-defaults.conf says, "
                "or else local[*]]",
                cls=HeadedOption,
                heading=ENGINE,
            ),
            click.option(
                "--conf",
                multiple=True,
                metavar="KEY=VALUE",
                envvar="DEDUP_CONF",
                callback=parse_spark_conf,
                help="A setting of Spark, as spark.executor.memory=8g; repeat it for more.",
                cls=HeadedOption,
                heading=ENGINE,
            ),
            click.option(
                "--stages",
                metavar="FOLDER",
                envvar="DEDUP_STAGES",
                help="Where Spark's workers, all of which must reach it, leave the stages of the run, which stay there; a "
                "cluster needs one, as hdfs:///tmp/dedup.  [default: a folder of this machine that vanishes]",
                cls=HeadedOption,
                heading=ENGINE,
            ),
            click.option(
                "--lake",
                metavar="FOLDER",
                envvar="DEDUP_LAKE",
                help="Compare with the articles of all runs before that named this folder, too, and remember these there; with "
                "--format articles.",
                cls=HeadedOption,
                heading=ENGINE,
            ),
        ],
    )


def parse_spark_conf(
    _context: click.Context, _parameter: click.Parameter, pairs: tuple[str, ...]
) -> Mapping[str, str]:
    """Return the pairs KEY=VALUE as a mapping, or fail with the one that is none."""
    for pair in pairs:
        key, equals, _ = pair.partition("=")  # the value may be a secret
        if not (equals and key.startswith("spark.")):
            named = f"{key!r} is no such key" if equals else "there is no '=' in one of them"
            raise click.BadParameter(
                f"a setting of Spark is KEY=VALUE, and its key begins with 'spark.', as spark.executor.memory=8g; {named}."
            )
    return dict(pair.split("=", 1) for pair in pairs)

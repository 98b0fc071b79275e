"""Options that choose the engine: this process or Apache Spark."""

from __future__ import annotations

from collections.abc import Mapping

import click

from dedup.cli.command import ENGINE, CommandFunction, HeadedOption, add_options

__all__ = ["add_engine_options"]


def add_engine_options(command: CommandFunction) -> CommandFunction:
    """Add the options --engine, --master, --conf, --stages and --lake to a command."""
    return add_options(
        command,
        [
            click.option(
                "--engine",
                type=click.Choice(["local", "spark"]),
                default="local",
                show_default=True,
                envvar="DEDUP_ENGINE",
                help="Run in this process, or on Apache Spark, which needs Java 17 or later and news-dedup[spark].",
                cls=HeadedOption,
                heading=ENGINE,
            ),
            click.option(
                "--master",
                metavar="URL",
                envvar="DEDUP_MASTER",
                help="The Spark master, such as local[2], spark://host:7077 or yarn.  [default: that of spark-defaults.conf, "
                "or local[*]]",
                cls=HeadedOption,
                heading=ENGINE,
            ),
            click.option(
                "--conf",
                multiple=True,
                metavar="KEY=VALUE",
                envvar="DEDUP_CONF",
                callback=parse_spark_conf,
                help="A Spark setting, such as spark.executor.memory=8g. Can be repeated.",
                cls=HeadedOption,
                heading=ENGINE,
            ),
            click.option(
                "--stages",
                metavar="FOLDER",
                envvar="DEDUP_STAGES",
                help="Write the intermediate results of the run to this folder and keep them. All Spark workers must be able to "
                "reach it, so a cluster needs one, such as hdfs:///tmp/dedup.  [default: a temporary folder on this machine]",
                cls=HeadedOption,
                heading=ENGINE,
            ),
            click.option(
                "--lake",
                metavar="FOLDER",
                envvar="DEDUP_LAKE",
                help="Also compare with the articles of earlier runs with this folder, and add the articles of this run to it. "
                "Needs --format articles.",
                cls=HeadedOption,
                heading=ENGINE,
            ),
        ],
    )


def parse_spark_conf(
    _context: click.Context, _parameter: click.Parameter, pairs: tuple[str, ...]
) -> Mapping[str, str]:
    """Return the pairs KEY=VALUE as a mapping, or fail on the first that is invalid."""
    for pair in pairs:
        key, equals, _ = pair.partition("=")  # the value may be a secret, so it is not shown
        if not (equals and key.startswith("spark.")):
            problem = f"{key!r} does not start with 'spark.'" if equals else "one has no '='"
            raise click.BadParameter(
                f"a Spark setting is KEY=VALUE and its key starts with 'spark.', such as spark.executor.memory=8g; {problem}."
            )
    return dict(pair.split("=", 1) for pair in pairs)

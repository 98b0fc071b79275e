"""The command line as a module: `python -m dedup` is `dedup`."""

from dedup.cli.main import main

if __name__ == "__main__":
    main()

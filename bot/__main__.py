"""Run Rackside: `rackside` or `python -m bot`."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """The console command. What a user did wrong, or a broken pipe, is a sentence and never a trace."""
    from bot.cli import app
    from tools.collector import unhurried

    unhurried()
    try:
        app()
    except ValueError as problem:
        # Not before it is needed: the settings take four fifths of the time that `--help` may take.
        from bot.settings import SettingsProblem

        if not isinstance(problem, SettingsProblem):
            raise
        print(f"rackside: {problem}", file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()

"""``python -m dualrandom``: the command line where its script is not on the path."""

from dualrandom.cli import main

if __name__ == "__main__":
    main()

"""python -m fastkeras inspect FILE, and python -m fastkeras convert IN OUT: files of models at the command line."""

import argparse
import sys
import warnings


def _parser():
    parser = argparse.ArgumentParser(prog="python -m fastkeras", description="Files of models and weights.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    inspect = commands.add_parser("inspect", help="tell what a file holds; nothing in it is run")
    inspect.add_argument("file", help="*.keras, *.h5, *.hdf5, *.weights.h5, *.npz or *.json")
    convert = commands.add_parser("convert", help="write what a file holds as another kind of file")
    convert.add_argument("source", metavar="IN", help="a model, *.keras or *.h5; or weights, *.h5")
    convert.add_argument(
        "target", metavar="OUT", help="*.keras, *.h5, *.weights.h5, *.npz or *.json; of weights, *.npz"
    )
    convert.add_argument("--force", action="store_true", help="replace OUT if it exists")
    return parser


def main(arguments=None):
    """Runs a command; returns the exit code: 0, or 1 if a file cannot be read, converted or written."""
    options = _parser().parse_args(arguments)
    from fastkeras.saving import conversion, inspection  # after the arguments: they take a tenth of a second to import

    def note(message, *_):
        print(f"note: {message}", file=sys.stderr)

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.showwarning = note
            if options.command == "inspect":
                print("\n".join(inspection.describe(options.file)))
            else:
                conversion.convert(options.source, options.target, options.force)
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""python -m fastkeras SCRIPT [ARGUMENTS], inspect FILE, convert IN OUT: what the command line is for.

A script runs with keras and tensorflow standing for fastkeras (fastkeras/compat). One that is called inspect or
convert without an ending is reached as ./inspect.
"""

import os
import sys
import warnings

_COMMANDS = ("inspect", "convert")


def _parser():
    import argparse  # scripts need not wait for it

    parser = argparse.ArgumentParser(
        prog="python -m fastkeras",
        usage="python -m fastkeras SCRIPT [ARGUMENTS], or python -m fastkeras COMMAND ...",
        description="Runs a script written for Keras or TensorFlow; or deals with files of models and weights.",
    )
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
    """Runs a script or a command; returns the exit code: 0, or 1 if a file cannot be read, converted or written."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments and arguments[0] not in _COMMANDS and not arguments[0].startswith("-"):
        if not os.path.isfile(arguments[0]):
            _parser().error(f"there is no script and no command of this name: {arguments[0]}")
        from fastkeras.compat import script

        script.run(arguments[0], arguments[1:])
        return 0
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

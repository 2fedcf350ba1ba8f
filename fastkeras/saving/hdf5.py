"""Reads the part of HDF5 that Keras's files are made of: groups, attributes, and arrays stored in one piece.

Files come from elsewhere, and a damaged one must end in an error message: not in a crash, which is what the C library
under h5py may answer a single wrong byte with, and not in reading or running anything outside the file. So every
offset and size is checked against the file before it is followed, nothing is allocated because a header says so, and
only what Keras writes is understood. External and soft links, external and virtual arrays and filters, which name
other files or code, are refused. Writing is left to h5py.

Structures are those of the HDF5 File Format Specification, version 3.0 (The HDF Group), whose sections the comments
name. h5py asks for the oldest version of each that will do, so these versions are all there is to read:

    superblock 0          where the root group is
    object header 1       the messages that describe a group or an array: its attributes, type, shape and place
    B-tree 1, SNOD, HEAP  a group's members: a tree of nodes, whose leaves hold (name, header) pairs; and the names
    GCOL                  text of varying length, which attributes point to

All numbers are little-endian; an address is a byte offset in the file.
"""

import math
import os
import struct
from collections import namedtuple

import numpy as np

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_UNDEFINED = 2**64 - 1  # the address of what is not there

# Limits on what is read besides arrays; real files stay far below them.
_MAX_BLOCK = 1 << 24  # bytes of an object's header, of a heap of names, of an attribute, and of all text collections
_MAX_MEMBERS = 1 << 17  # members of a group, and nodes of their tree
_MAX_RANK = 32

# The kinds of header messages that matter here (IV.A.2).
_DATASPACE = 0x01
_LINK_INFO = 0x02  # of a group with links of the newer kind
_DATATYPE = 0x03
_LINK = 0x06  # of the newer kind
_EXTERNAL = 0x07  # the other files in which an array is stored
_LAYOUT = 0x08
_FILTERS = 0x0B
_ATTRIBUTE = 0x0C
_CONTINUATION = 0x10
_MEMBERS = 0x11
_ATTRIBUTE_INFO = 0x15  # of an object with attributes of the newer kind
_SHARED = 0x02  # a flag: the message only points at another


class _Block:
    """Bytes of the file, taken from front to back."""

    def __init__(self, data, damaged):
        self._data, self._position, self._damaged = data, 0, damaged

    @property
    def left(self):
        """How many bytes are left."""
        return len(self._data) - self._position

    def take(self, size):
        """The next `size` bytes."""
        start, self._position = self._position, self._position + size
        if self._position > len(self._data):
            raise self._damaged("a structure ends before its contents do")
        return self._data[start : self._position]

    def numbers(self, layout):
        """The numbers of a struct layout: B, H, I, Q are unsigned of 1, 2, 4, 8 bytes, x a byte to skip."""
        layout = "<" + layout
        return struct.unpack(layout, self.take(struct.calcsize(layout)))

    def expect(self, signature):
        """Takes bytes that must be these."""
        found = self.take(len(signature))
        if found != signature:
            raise self._damaged(f"{signature!r} expected, {found!r} found")

    def padded(self, size):
        """`size` bytes, and then as many as fill up a multiple of 8."""
        data = self.take(size)
        self.take(-size % 8)
        return _Block(data, self._damaged)


_Type = namedtuple("_Type", "kind size dtype")  # kind: "number" (of that dtype), "text" or "pointer" (to text)
_Message = namedtuple("_Message", "kind flags data")


class File:
    """An open file: `root` is its root group, `size` its length in bytes. Use it in a `with` statement.

    content: where the file's bytes are, open for reading, if they are not at `path`, which errors name.

    Raises OSError if the file cannot be read and ValueError, from here and from whatever is read later, if it is
    damaged or holds something Keras does not write.
    """

    def __init__(self, path, content=None):
        self.path = os.fspath(path)
        self._file = content or open(self.path, "rb")  # noqa: SIM115 (closed by __exit__)
        try:
            self.size = self._file.seek(0, os.SEEK_END)
            self._collections, self._collected = {}, 0
            self.root = Group(self, self._root_address(), "/")
        except BaseException:
            self._file.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self._file.close()

    def damaged(self, what):
        """The error that says what is wrong with the file."""
        return ValueError(f"'{self.path}' is damaged, or was not written by Keras: {what}")

    def refused(self, what):
        """The error for what a sound file may hold, but not one that is read here."""
        return ValueError(f"'{self.path}' holds what is not read here: {what}")

    def _root_address(self):
        """II.A: the superblock."""
        if self.size < len(_SIGNATURE):
            raise self.damaged(f"it is not an HDF5 file, having {self.size} bytes")
        if self.block(0, len(_SIGNATURE)).take(len(_SIGNATURE)) != _SIGNATURE:
            raise self.damaged("it is not an HDF5 file")
        (version,) = self.block(8, 1).numbers("B")
        if version in (2, 3):
            raise self.refused("the newer layout of HDF5 (h5py's libver='latest'). Save the model with Keras again")
        block = self.block(9, 87)
        offsets, lengths, base, end, root = block.numbers("xxxxBBxxxxxxxxxQxxxxxxxxQxxxxxxxxxxxxxxxxQ")
        if version != 0 or (offsets, lengths, base) != (8, 8, 0):
            raise self.damaged("its first block makes no sense")
        if end > self.size:
            raise self.damaged(f"it has been cut off after {self.size} of {end} bytes")
        return root

    def block(self, address, size):
        """`size` bytes at `address`."""
        if size > _MAX_BLOCK or address + size > self.size:
            raise self.damaged(f"{size} bytes at {address} expected, in a file of {self.size}")
        self._file.seek(address)
        return _Block(self._file.read(size), self.damaged)

    def array(self, address, shape, dtype):
        """The array stored at `address`."""
        count = math.prod(shape)
        if address + count * dtype.itemsize > self.size:
            raise self.damaged(f"an array of shape {shape} at {address} expected, in a file of {self.size} bytes")
        self._file.seek(address)
        values = np.empty(shape, dtype)
        if self._file.readinto(values.reshape(-1).view(np.uint8)) != values.nbytes:
            raise self.damaged("it has been cut off while it was read")
        return values

    def messages(self, address):
        """IV.A.1.a: the messages of the object header at `address`."""
        version, count, size = self.block(address, 16).numbers("BxHxxxxIxxxx")
        if version != 1:
            raise self.damaged(f"no object header at {address}")
        blocks, messages, total = [(address + 16, size)], [], 0
        while blocks and len(messages) < count:
            start, size = blocks.pop(0)
            total += size
            if total > _MAX_BLOCK:
                raise self.damaged(f"the object header at {address} is too long")
            block = self.block(start, size)
            while block.left >= 8 and len(messages) < count:
                kind, size, flags = block.numbers("HHBxxx")
                message = _Message(kind, flags, block.take(size))
                messages.append(message)
                if kind == _CONTINUATION:
                    blocks.append(self.contents(message).numbers("QQ"))
        return messages

    def contents(self, message):
        """What a header message holds, as a _Block."""
        if message.flags & _SHARED:
            raise self.refused("a header message shared by several objects")
        return _Block(message.data, self.damaged)

    def members(self, tree, heap):
        """{name: address of its object header, or None for a soft link} of a group: III.A.1, III.B, III.C, III.D."""
        block = self.block(heap, 32)
        block.expect(b"HEAP\x00")
        size, address = block.numbers("xxxQxxxxxxxxQ")
        names = self.block(address, size).take(size)
        nodes, members, total = [tree], {}, 0
        while nodes:
            node = nodes.pop()
            signature, entries = self.block(node, 8).numbers("4sxxH")
            total += entries
            if total > _MAX_MEMBERS:
                raise self.damaged("a group has too many members, or contains itself")
            if signature == b"TREE":
                pairs = self.block(node + 24, 16 * entries)
                nodes += [pairs.numbers("xxxxxxxxQ")[0] for _ in range(entries)]
            elif signature == b"SNOD":
                table = self.block(node + 8, 40 * entries)
                for _ in range(entries):
                    start, header, link = table.numbers("QQI" + "x" * 20)
                    members[self._name(names, start)] = None if link == 2 else header
            else:
                raise self.damaged(f"{signature!r} where a group's members should be")
        return members

    def _name(self, names, start):
        end = names.find(b"\0", start)
        if end < 0:
            raise self.damaged("a name has no end")
        return self.text(names[start:end])

    def text(self, data):
        """Bytes that must be text in UTF-8, as a str."""
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            raise self.damaged(f"{data[:40]!r} where text should be") from None

    def datatype(self, block):
        """IV.A.2.d: a datatype message as a _Type, or None if it is none that Keras uses."""
        kind, bits, size = block.numbers("BHxI")
        kind, order = kind & 15, ">" if bits & 1 else "<"
        if kind == 0 and size in (1, 2, 4, 8):  # whole numbers
            return _Type("number", size, np.dtype(f"{order}{'i' if bits & 8 else 'u'}{size}"))
        if kind == 1 and size in (2, 4, 8):  # floating-point numbers
            _, precision, exponent_bits = block.numbers("HHxB")
            if (precision, exponent_bits) == {2: (16, 5), 4: (32, 8), 8: (64, 11)}[size]:
                return _Type("number", size, np.dtype(f"{order}f{size}"))
        if kind == 3 and size > 0:  # text of a fixed length
            return _Type("text", size, None)
        if kind == 9 and bits & 15 == 1 and size == 16:  # text of varying length
            return _Type("pointer", size, None)
        return None

    def dataspace(self, block):
        """IV.A.2.b: a dataspace message as a shape, a tuple, or None if there is no value at all."""
        version, rank, _ = block.numbers("BBB")
        if version == 1:
            block.take(5)
        elif version == 2:
            if block.take(1) == b"\x02":
                return None
        else:
            raise self.damaged(f"a shape of version {version}")
        if rank > _MAX_RANK:
            raise self.damaged(f"an array with {rank} axes")
        return block.numbers("Q" * rank)

    def strings(self, of_type, count, data):
        """`count` strings: of fixed length, or (III.E) pointed to in the file's text collections."""
        if of_type.kind == "text":
            return [self.text(data.take(of_type.size).rstrip(b"\0")) for _ in range(count)]
        strings, total = [], 0
        for _ in range(count):
            length, address, index = data.numbers("IQI")
            found = self._collection(address).get(index, b"") if length else b""
            total += length
            if length > len(found) or total > _MAX_BLOCK:
                raise self.damaged("text is missing, or longer than a model could have")
            strings.append(self.text(found[:length].rstrip(b"\0")))
        return strings

    def _collection(self, address):
        """III.E: {index: bytes} of the collection at `address`."""
        if address not in self._collections:
            block = self.block(address, 16)
            block.expect(b"GCOL\x01")
            (size,) = block.numbers("xxxQ")
            self._collected += size
            if self._collected > _MAX_BLOCK:
                raise self.damaged("it has more text than a model could")
            block = self.block(address + 16, max(size - 16, 0))
            objects = self._collections[address] = {}
            while block.left >= 16:
                index, size = block.numbers("HxxxxxxQ")
                if index == 0:  # the rest is free
                    break
                objects[index] = block.take(size)
                block.take(min(-size % 8, block.left))
        return self._collections[address]


class _Object:
    """A group or an array at an address in the file."""

    def __init__(self, file, address, path):
        self.file, self.path = file, path
        self._messages = file.messages(address)

    def _one(self, kind):
        """The contents of the header message of that kind, or None."""
        found = [m for m in self._messages if m.kind == kind]
        return self.file.contents(found[0]) if found else None

    def _has(self, *kinds):
        return any(m.kind in kinds for m in self._messages)


class Group(_Object):
    """A folder of groups and arrays, with attributes."""

    def __init__(self, file, address, path):
        super().__init__(file, address, path)
        self._members = None

    def _all_members(self):
        if self._members is None:
            places = self._one(_MEMBERS)
            if places is None:
                if self._has(_LINK_INFO, _LINK):
                    raise self.file.refused(f"'{self.path}' has links (external, soft or of a newer kind)")
                raise self.file.damaged(f"'{self.path}' should be a group")
            self._members = self.file.members(*places.numbers("QQ"))
        return self._members

    def __iter__(self):
        return iter(self._all_members())

    def __contains__(self, name):
        return name in self._all_members()

    def _address(self, path):
        """The address of what lies at a path such as 'dense/kernel:0'; a ValueError if nothing does."""
        group, (*folders, name) = self, path.split("/")
        for folder in folders:
            group = group.group(folder)
        members = group._all_members()
        if name not in members:
            raise self.file.damaged(f"'{path}' is missing in '{self.path}'")
        if members[name] is None:
            raise self.file.refused(f"'{path}' in '{self.path}' is a soft link")
        return members[name]

    def _path(self, path):
        return f"{self.path.rstrip('/')}/{path}"

    def group(self, path):
        """The group at a path."""
        return Group(self.file, self._address(path), self._path(path))

    def array(self, path):
        """The array at a path, of which only the header is read so far."""
        return Array(self.file, self._address(path), self._path(path))

    def holds_array(self, path):
        """Whether there is an array at a path, not a group."""
        return _Object(self.file, self._address(path), path)._has(_LAYOUT)

    def attribute(self, name):
        """The attribute's value: a str, a list of them, or a numpy array; None if there is no such attribute.

        IV.A.2.m.
        """
        if self._has(_ATTRIBUTE_INFO):
            raise self.file.refused(f"'{self.path}' has attributes of a newer kind")
        for message in self._messages:
            if message.kind != _ATTRIBUTE:
                continue
            block = self.file.contents(message)
            version, flags, name_size, type_size, shape_size = block.numbers("BBHHH")
            if version not in (1, 3) or (version == 3 and flags):
                raise self.file.refused(f"an attribute of version {version}, flags {flags}, in '{self.path}'")
            if version == 3:
                block.take(1)  # the character set of the name
            part = (
                block.padded if version == 1 else lambda size, block=block: _Block(block.take(size), self.file.damaged)
            )
            parts = [part(size) for size in (name_size, type_size, shape_size)]
            if self.file.text(parts[0].take(name_size).rstrip(b"\0")) == name:
                return self._value(self.file.datatype(parts[1]), self.file.dataspace(parts[2]), block, name)
        return None

    def _value(self, of_type, shape, data, name):
        if of_type is None or shape is None:
            raise self.file.refused(f"the attribute '{name}' of '{self.path}' has no type that Keras uses")
        count = math.prod(shape)
        if count * of_type.size > data.left:
            raise self.file.damaged(f"the attribute '{name}' of '{self.path}' is longer than its place")
        if of_type.kind == "number":
            return np.frombuffer(data.take(count * of_type.size), of_type.dtype).reshape(shape)
        strings = self.file.strings(of_type, count, data)
        return strings if shape else strings[0]


class Array(_Object):
    """An array: `shape` and `dtype` are known, the numbers are read by `read`."""

    def __init__(self, file, address, path):
        super().__init__(file, address, path)
        datatype, dataspace, layout = self._one(_DATATYPE), self._one(_DATASPACE), self._one(_LAYOUT)
        if datatype is None or dataspace is None or layout is None:
            raise file.damaged(f"'{path}' should be an array")
        if self._has(_EXTERNAL, _FILTERS):
            raise file.refused(f"'{path}' is compressed, or stored in another file")
        of_type, shape = file.datatype(datatype), file.dataspace(dataspace)
        if of_type is None or of_type.kind != "number" or shape is None:
            raise file.refused(f"'{path}' is not an array of numbers")
        self.shape, self.dtype = shape, of_type.dtype
        self._place = self._find_place(layout)

    def _find_place(self, layout):
        """IV.A.2.i: the address of the numbers; None if they are all 0 and were never written."""
        version, kind = layout.numbers("BB")
        if version not in (3, 4) or kind != 1:
            raise self.file.refused(
                f"'{self.path}' is not stored in one piece, but in chunks, elsewhere, or in an old way"
            )
        address, size = layout.numbers("QQ")
        wanted = math.prod(self.shape) * self.dtype.itemsize
        if wanted and (address == _UNDEFINED or size != wanted):
            raise self.file.damaged(f"'{self.path}', of shape {self.shape}, has {size} bytes")
        return address

    def read(self):
        """The numbers, as a numpy array."""
        if 0 in self.shape:
            return np.empty(self.shape, self.dtype)
        return self.file.array(self._place, self.shape, self.dtype)

"""Weights in HDF5 in the layout of Keras 3, ".weights.h5": places that follow from the classes alone.

How a layer is called does not matter.

    layers/dense/vars/0, 1    layers/dense_1/vars/0    layers/simple_rnn/cell/vars/0    optimizer/vars/0
"""

from fastkeras.layers.layer import Layer
from fastkeras.saving.matching import matched
from fastkeras.utils.naming import snake_case


def places(layer, place="", seen=None):
    """[(place, layer, its own weights)] for the layer and all layers in it, each where it is met first.

    A layer's own weights are at <place>/vars/0, 1, ...; a layer that it holds as an attribute is at
    <place>/<attribute>, and one in a list, as all those of a model, at <place>/<attribute>/<class>, then <class>_1, ...
    """
    seen = {layer} if seen is None else seen
    found = [(joined(place, layer.weights_place), layer, layer._variables)]
    for name, held in _held(layer):
        if isinstance(held, Layer):
            pairs = [(held, name)]
        else:
            inner_layers = list(dict.fromkeys(held))
            names = distinct_places(type(inner).__name__ for inner in inner_layers)
            pairs = zip(inner_layers, (joined(name, inner) for inner in names), strict=True)
        for inner, inner_place in pairs:
            if inner not in seen:
                seen.add(inner)
                # A model made from a configuration again has layers of its own, also those that others share with it.
                found += places(
                    inner, joined(place, inner_place), None if inner.is_model and not inner.is_own else seen
                )
    return found


def _held(layer):
    """(attribute, layer or list of layers) for what the layer holds, by name, the private ones last. A model with a
    `call` of its own has its layers as attributes, and `layers` among those; the others have that alone."""
    attributes = vars(layer)
    if layer.is_model:
        if not layer.is_own:
            return [("layers", layer.layers)]
        attributes = {**attributes, "layers": layer.layers}
    inner = {id(sublayer) for sublayer in layer.sublayers()}
    found = []
    for name, value in sorted(attributes.items(), key=lambda item: (item[0].startswith("_"), item[0])):
        items = list(value.values()) if isinstance(value, dict) else value
        if id(value) in inner:
            found.append((name, value))
        elif isinstance(items, (list, tuple)) and any(id(item) in inner for item in items):
            found.append((name, [item for item in items if id(item) in inner]))
    return found


def distinct_places(class_names):
    """The places of the layers in one list: the class in snake case, numbered from the second on."""
    counts, places = {}, []
    for class_name in class_names:
        name = snake_case("Functional" if class_name == "Model" else class_name)
        counts[name] = counts.get(name, -1) + 1
        places.append(f"{name}_{counts[name]}" if counts[name] else name)
    return places


def joined(*parts):
    """The place at the end of these, of which some may be empty."""
    return "/".join(part for part in parts if part)


def write_places(file, model):
    """Writes the weights of a model into an empty h5py file."""
    for place, layer, variables in places(model):
        group = file.create_group(joined(place, "vars"))
        group.attrs["name"] = layer.name
        for i, variable in enumerate(variables):
            group.create_dataset(str(i), data=variable.value)
        if getattr(layer, "idf_weights", None) is not None:  # of layers with a vocabulary
            for inner in layer.file_places:
                file.require_group(joined(place, inner, "vars")).create_dataset("idf_weights", data=layer.idf_weights)


def match_places(file, model, skip_mismatch=False):
    """[(variable, hdf5.Array)]: the weights of a file of Keras 3, and where they go."""
    pairs = []
    for place, layer, variables in places(model):
        holder, _, attribute = place.rpartition("/")
        # tf_keras has private attributes for the layers inside a MultiHeadAttention
        group = find(file.root, joined(place, "vars")) or find(file.root, joined(holder, f"_{attribute}", "vars"))
        count = sum(name.isdigit() for name in group) if group is not None else 0
        arrays = [group.array(str(i)) for i in range(count)]
        if not arrays and all(any(v is variable for variable, _ in pairs) for v in variables):
            continue  # Keras 3 has what layers share in the first place alone
        pairs += matched(layer, variables, arrays, file.path, skip_mismatch)
    return pairs


def find(group, path):
    """The group at a path, or None."""
    for name in path.split("/"):
        if name not in group:
            return None
        group = group.group(name)
    return group


def arrays(group, path=""):
    """[(path, hdf5.Array)] of all arrays in a group and its groups, but those of the optimizer."""
    found = []
    for name in group:
        place = joined(path, name)
        if group.holds_array(name):
            found.append((place, group.array(name)))
        elif place != "optimizer":
            found += arrays(group.group(name), place)
    return found

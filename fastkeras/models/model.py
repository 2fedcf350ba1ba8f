"""Model: a graph of layers that can be trained, saved, and used as a layer itself.

Training is not written here: compile, fit, evaluate and predict are functions over a model in fastkeras/training,
files are written and read in fastkeras/saving, and the methods below call them. What reads files makes models of them,
so fastkeras.saving imports this module, and is found here as an attribute of the package, once a method needs it.
"""

import inspect
import itertools
import threading

import fastkeras
from fastkeras import training
from fastkeras.core import nest
from fastkeras.core.tensor import SymbolicTensor
from fastkeras.core.variable import pack
from fastkeras.layers import calling
from fastkeras.layers.config import reading
from fastkeras.layers.inside import among, inside, is_layer
from fastkeras.layers.layer import Layer
from fastkeras.metrics import Metric
from fastkeras.models.config import by_key, graph_from_config, graph_to_config
from fastkeras.models.graph import Graph, Pass
from fastkeras.models.subclassed import Body
from fastkeras.models.summary import summary_lines
from fastkeras.utils import suggest
from fastkeras.utils.messages import message


def _keys_and_items(x):
    """(the keys of a dict, or None; its items in the order of the sorted keys, those of a list, or the one)."""
    if isinstance(x, dict):
        return list(x), [x[key] for key in sorted(x)]
    return None, list(x) if isinstance(x, (list, tuple)) else [x]


def _of_any_batch(shape):
    """A shape, or a list or dict of them, as tuples with None for the number of samples."""
    if isinstance(shape, dict):
        return {key: _of_any_batch(item) for key, item in shape.items()}
    if all(n is None or isinstance(n, int) for n in shape):
        return (None, *shape[1:])
    return [_of_any_batch(item) for item in shape]


def _known_arguments(cls, config):
    """A configuration without the name, trainable and dtype of every layer where __init__ does not take them."""
    parameters = inspect.signature(cls.__init__).parameters
    takes_all = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
    idle = () if takes_all else {"name", "trainable", "dtype"} - parameters.keys()
    return {key: value for key, value in config.items() if key not in idle}


def _is_metric(value):
    return isinstance(value, Metric)


class Model(Layer):
    """The layers between some symbolic inputs and outputs: Model(inputs, outputs); or a subclass with layers as its
    attributes and a method call(inputs), which may also take training and mask and computes with them and with
    fastkeras.ops. Such a model is built by the first data it sees.

    Both are a symbolic tensor, a list of them, or a dict; of a dict the graph has the items in the order of its sorted
    keys. input_keys, output_keys: the keys in the order of the dict, or None.
    """

    is_model = True
    takes_several = True

    def __init__(self, inputs=None, outputs=None, **kwargs):
        super().__init__(**kwargs)
        self.graph = None
        self.compiled = None  # what compile() settled: optimizer, loss, metrics (training/compiled.py)
        self.history = None
        self.course = None  # while fit runs: where it is (training/loop.py)
        self.stop_training = False
        self._idle_passes = []  # prediction passes that no thread is using
        self._training_pass = None
        self._lock = threading.Lock()
        self._seen_shape = None  # of the first inputs of a `call` of the model's own
        self._seen_arguments = None  # the shapes of all the tensors that it was called with first, by name
        self.input_keys = self.output_keys = None
        if inputs is not None:
            self.input_keys, inputs = _keys_and_items(inputs)
            self.output_keys, outputs = _keys_and_items(outputs)
            self._set_graph(inputs, nest.flat(outputs))  # RNN groups states

    def _set_graph(self, inputs, outputs, losses=()):
        self.graph = Graph(inputs, outputs, losses)
        self.built = True
        self._idle_passes.clear()
        self._training_pass = None

    # --- structure -------------------------------------------------------------------------------------------------

    @property
    def layers(self):
        """The layers of the graph, each once, in Keras's order: the farther from the outputs, the earlier; then those
        that are attributes. Of a model with a `call` of its own the attributes alone."""
        attributes = among(vars(self), is_layer)
        if self.is_own:
            return attributes
        return [*self.graph.layers, *(layer for layer in attributes if layer not in self.graph.layers)]

    @property
    def is_own(self):
        """Whether the layers are attributes, those of a `call` of the model's own, or of steps without one."""
        return self.call is not None or self.graph is None

    def sublayers(self):
        """The same, as every layer tells them."""
        return self.layers

    @property
    def inputs(self):
        """The symbolic inputs, a list in the order of `input_keys` sorted; None before the model is built."""
        return self.graph.inputs if self.graph else None

    @property
    def outputs(self):
        """The symbolic outputs, a list in the order of `output_keys` sorted; None before the model is built."""
        return self.graph.outputs if self.graph else None

    @property
    def input(self):
        """The only input, or the list of them."""
        return self._one(self._built("input").inputs)

    @property
    def output(self):
        """The only output, or the list of them."""
        return self._one(self._built("output").outputs)

    @property
    def input_shape(self):
        """The shape of the only input, batch axis included, or a list of shapes."""
        return self._one([t.shape for t in self._built("input_shape").inputs])

    @property
    def output_shape(self):
        """The shape of the only output, or a list of shapes."""
        return self._one([t.shape for t in self._built("output_shape").outputs])

    def _built(self, what):
        """The graph; an AttributeError, as for what does not exist, if there is none yet."""
        if self.graph is None:
            raise AttributeError(f"Model '{self.name}' has no `{what}`: it is not built yet.")
        return self.graph

    @property
    def input_names(self):
        """The names of the inputs, by which fit and predict take dicts."""
        return [tensor.name for tensor in self.require_graph().inputs]

    @property
    def output_names(self):
        """The names of the layers that the outputs come from, by which compile takes dicts."""
        return [tensor.name for tensor in self.require_graph().outputs]

    def as_outputs(self, items):
        """The outputs' items, in the order of the graph, in the form that the model's outputs were given in."""
        return self._one(items) if self.output_keys is None else by_key(self.output_keys, items)

    @staticmethod
    def _one(items):
        return items[0] if len(items) == 1 else items

    def get_layer(self, name=None, index=None):
        """The layer of that name, or at that place in `layers`."""
        if (name is None) == (index is None):
            raise ValueError(f"get_layer: expected either `name` or `index`. Received: name={name!r}, index={index!r}")
        if index is not None:
            if not -len(self.layers) <= index < len(self.layers):
                raise ValueError(f"get_layer: `index` must be below {len(self.layers)}. Received: index={index}")
            return self.layers[index]
        by_name = {layer.name: layer for layer in self.layers}
        if name not in by_name:
            raise ValueError(suggest.unknown("layer", name, by_name))
        return by_name[name]

    def require_graph(self):
        """The graph; a ValueError if the model does not know its input shape yet."""
        if self.graph is None:
            raise ValueError(message("not_built", model=self.name))
        return self.graph

    def require_weights(self):
        """A ValueError if the model has none yet, since it does not know its input shape. One with a `call` of its own
        has them once it was called."""
        if self.graph is None and not self.variables:
            self.require_graph()

    def build_for(self, x_shapes, dtypes=None):
        """Makes sure the graph exists, for inputs of these shapes; a Model(inputs, outputs) has it from the start.

        dtypes: of the inputs of a `call` of the user's own, "float32" (the default), "int32" or "string".
        """
        if self.graph is None and self.call is not None:
            dtypes = dtypes or ["float32"] * len(x_shapes)
            starts = [
                SymbolicTensor((None, *shape[1:]), dtype, f"{self.name}_input_{i}", declared=False)
                for i, (shape, dtype) in enumerate(zip(x_shapes, dtypes, strict=True))
            ]
            inputs = starts if len(starts) > 1 else starts[0]
            if self.input_keys is not None:
                inputs = dict(zip(sorted(self.input_keys), starts, strict=True))
            outputs = Body(self)(inputs)
            self.output_keys = list(outputs) if isinstance(outputs, dict) else None
            self._set_graph(starts, nest.flat(outputs))
        self.require_graph()

    def add_loss(self, loss):
        """Adds the mean of a symbolic tensor, (batch, ...), to the loss: what some layer makes of the model's inputs.

        Within a `call` of the model's own it adds a tensor, as in a layer. A layer may also add a number to the loss in
        its forward pass, see fastkeras.layers.layer.
        """
        if self.call is not None:
            super().add_loss(loss)
            return
        if not isinstance(loss, SymbolicTensor):
            raise ValueError(
                f"Model '{self.name}': add_loss() takes a symbolic tensor, the output of a layer; a layer's own "
                f"forward pass adds a number by run.add_loss(number). Received: {loss!r}"
            )
        graph = self.require_graph()
        self._set_graph(graph.inputs, graph.outputs, [*graph.losses, loss])

    def reset_states(self):
        """Resets the states that stateful layers carry from batch to batch."""
        for layer in self.layers:
            if hasattr(layer, "reset_states"):
                layer.reset_states()

    def summary(
        self,
        line_length=None,
        positions=None,
        print_fn=None,
        expand_nested=False,
        show_trainable=False,
        layer_range=None,
    ):
        """Prints the table of layers; print_fn(line) receives the lines instead if it is given.

        Where layers branch, join or are shared, "Connected to" tells what each reads. line_length, positions,
        expand_nested, show_trainable, layer_range: see models/summary.py.
        """
        lines = summary_lines(self, line_length, positions, expand_nested, show_trainable, layer_range)
        for line in lines:
            (print_fn or print)(line)

    # --- as a layer ------------------------------------------------------------------------------------------------

    def __call__(self, x, *args, **kwargs):
        """As Layer; a dict of inputs goes by the keys that the inputs were given under, or by their names."""
        if self.call is not None:
            y = super().__call__(x, *args, **kwargs)
            if self._seen_arguments is None:
                self._seen_arguments = calling.tensor_arguments(self, (x, *args), kwargs)
            return y
        if isinstance(x, dict):
            names = sorted(self.input_keys) if self.input_keys else self.input_names
            missing = [name for name in names if name not in x]
            if missing:
                raise ValueError(message("inputs_missing", missing=missing, received=list(x)))
            x = [x[name] for name in names]
        y = super().__call__(x, *args, **kwargs)
        return y if self.output_keys is None else self.as_outputs(y if isinstance(y, list) else [y])

    def _call_eager(self, inputs, training, mask, keywords=None):
        if self.graph is None:
            self.build_for([self._as_array(item, texts=True).shape for item in inputs])
        elif "string" in self.graph.input_dtypes and len(inputs) == len(self.inputs):
            inputs = [self._as_texts(item, tensor) for item, tensor in zip(inputs, self.inputs, strict=True)]
        return super()._call_eager(inputs, training, mask, keywords)

    def _as_texts(self, given, tensor):
        """What is given for an input of texts, with the axis of one text per sample or without it, as the input has it;
        anything else as it is."""
        if tensor.dtype != "string":
            return given
        texts = self._as_array(given, texts=True)
        if texts.ndim == tensor.ndim - 1 and tensor.shape[-1] == 1:
            return texts[..., None]
        return texts[..., 0] if texts.ndim == tensor.ndim + 1 and texts.shape[-1] == 1 else given

    def build(self, input_shape=None):
        """Makes the weights for inputs of this shape, or list or dict of shapes, batch axis included."""
        if self.call is not None and input_shape is not None:
            self.build_for(self._inputs_of(input_shape))

    def _inputs_of(self, input_shape):
        """The list of the inputs' shapes, as the graph has them; keeps the keys of a dict."""
        if isinstance(input_shape, dict):
            self.input_keys = list(input_shape)
            return [input_shape[key] for key in sorted(input_shape)]
        return input_shape if isinstance(input_shape, list) else [input_shape]

    def ensure_built(self, input_shape):
        """As of a layer; the layers of a `call` of the model's own are built as it runs."""
        if self.call is None:
            super().ensure_built(input_shape)
        elif not self.built:
            self._seen_shape = input_shape
            self.built = True  # already, since a build of the user's own may call this one
            if type(self).build is not Model.build:
                self.build(input_shape)
            self.adopt_variables()

    def get_build_config(self):
        """What files keep of a model with a `call` of its own, to build it again: {"input_shape": that of its first
        inputs, or a list or dict of them, with None for the number of samples}, or None if it has seen none. Of one
        called with several arguments that are tensors, {"shapes_dict": {"<name>_shape": the shape of each}}."""
        if self._seen_arguments is not None and len(self._seen_arguments) > 1:
            return {"shapes_dict": {f"{name}_shape": shape for name, shape in self._seen_arguments.items()}}
        return None if self._seen_shape is None else {"input_shape": _of_any_batch(self._seen_shape)}

    def build_from_config(self, config):
        """Makes the weights that the model had when `get_build_config` gave this."""
        if "shapes_dict" in config:
            shapes = {name.removesuffix("_shape"): shape for name, shape in config["shapes_dict"].items()}
            calling.build_for_arguments(self, shapes)
            self._seen_arguments = shapes
            return
        if "input_shape" not in config:
            raise ValueError(f"Model '{self.name}': expected an `input_shape` to build it for. Received: {config}")
        shapes, failure = self._inputs_of(_of_any_batch(config["input_shape"])), None
        for dtypes in self._possible_dtypes(len(shapes)):
            try:
                self.build_for(shapes, dtypes)
            except Exception as error:
                failure = failure or error
            else:
                return
        raise failure

    def _possible_dtypes(self, n):
        """What the n inputs of a `call` may be, which files do not tell: numbers, or where a layer inside reads texts
        each of them may be texts."""
        reads_texts = any(layer.input_dtype == "string" for layer in inside(self) if layer is not self)
        return itertools.product(["string", "float32"] if reads_texts else ["float32"], repeat=n)

    def compute_output_shape(self, input_shape):
        return self.output_shape if self.call is None else super().compute_output_shape(input_shape)

    def check_input_shape(self, input_shape):
        shapes = input_shape if isinstance(input_shape, list) else [input_shape]
        for tensor, shape in zip(self.inputs or [], shapes, strict=False):
            if not tensor.accepts(shape):
                raise ValueError(
                    f"Model '{self.name}': expected an input of shape {tensor.shape} for '{tensor.name}'. "
                    f"Received: shape {tuple(shape)}"
                )

    def check_input(self, x):
        """As of a layer, by those that read the first input."""
        for layer in self.graph.sole_readers[0] if self.graph else ():
            layer.check_input(x)

    @property
    def input_dtype(self):
        """What arrays are converted to for the first input."""
        return self.graph.input_dtypes[0] if self.graph else "float32"

    def input_dtypes(self, n):
        """As of a layer: those of the graph, where it has n inputs."""
        own = self.graph.input_dtypes if self.graph else []
        return own if len(own) == n else super().input_dtypes(n)

    def makes_masks(self):
        return super().makes_masks() or (self.graph is not None and self.graph.is_told_masks)

    def forward(self, x, run):
        """As of a layer, by a pass through the graph that belongs to this call site. x: an array or a list of them."""
        if self.call is not None:
            return super().forward(x, run)
        inner = run.kept.get("pass")
        if inner is None or inner.graph is not self.require_graph():
            inner = run.kept["pass"] = Pass(self.graph, run.trained)
        xs, logits = x if type(x) is list else [x], inner.ends if run.logits else ()
        masks = run.masks or (None if run.mask is None else [run.mask] * len(xs))
        outputs, masks = inner.forward(xs, run.training, masks, logits, run.wants_dx)
        run.output_masks = masks
        if inner.penalty:
            run.add_loss(inner.penalty)

        def backward(dy):
            dx = inner.backward(dy if type(dy) is list else [dy])
            return dx if type(x) is list else dx[0]

        return (outputs if len(outputs) > 1 else outputs[0]), backward

    # --- passes ----------------------------------------------------------------------------------------------------

    def training_pass(self):
        """The pass that training steps run through; a model trains in one thread at a time."""
        if self._training_pass is None:
            self._training_pass = Pass(self.require_graph(), self.compiled.trained_layers)
        return self._training_pass

    def drop_training_pass(self):
        """Gives up the training pass, whose buffers may be half filled after an error."""
        self._training_pass = None

    def take_pass(self):
        """A pass for predictions that no other thread uses; give it back with `give_pass`."""
        with self._lock:
            if self._idle_passes:
                return self._idle_passes.pop()
        return Pass(self.require_graph())

    def give_pass(self, walk):
        """Takes back what `take_pass` gave."""
        walk.forget()
        if walk.graph is self.graph:
            with self._lock:
                self._idle_passes.append(walk)

    def pack_variables(self):
        """Lays the variables side by side, so that the optimizer updates them in one call."""
        pack(self.variables)

    # --- configuration and files -----------------------------------------------------------------------------------

    def get_config(self):
        """The layers and how they are connected, as plain Python values; see models/config.py. Of a model with a `call`
        of its own: what every layer tells."""
        return graph_to_config(self) if self.call is None else super().get_config()

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """The model that `get_config` describes, here or in Keras, with fresh weights.

        custom_objects: {name: class or function} for what is the user's own. Of a model with a `call` of its own: the
        arguments of __init__, in which name, trainable and dtype may be more than it takes.
        """
        with reading("The configuration", custom_objects):
            if cls.call is not None:
                return cls(**_known_arguments(cls, config))
            inputs, outputs, losses, names = graph_from_config(config)
            model = cls(inputs, outputs, name=config.get("name"))
            for loss in losses:
                model.add_loss(loss)
            model.graph.order_layers(names)
        model._trainable = config.get("trainable") is not False  # without setting it in the layers, which know theirs
        return model

    def to_json(self, **options):
        """The architecture as JSON, which Keras reads as well; `saving.model_from_json` reads it. See json.dumps."""
        return fastkeras.saving.to_json(self, **options)

    def save(self, filepath, overwrite=True, **options):
        """Writes the model, its weights and how it is trained to a file *.keras or *.h5: see saving.save_model."""
        fastkeras.saving.save_model(self, filepath, overwrite, **options)

    def save_weights(self, filepath, overwrite=True, **options):
        """Writes the weights to a file *.weights.h5, *.h5 or *.npz: see saving.save_weights."""
        fastkeras.saving.save_weights(self, filepath, overwrite, **options)

    def load_weights(self, filepath, **options):
        """Reads the weights of such a file: see saving.load_weights."""
        fastkeras.saving.load_weights(self, filepath, **options)

    def export(self, filepath, format=None, **options):
        """Writes the weights to *.npz by name; no SavedModel: see saving.export."""
        fastkeras.saving.export(self, filepath, format, **options)

    def __getstate__(self):
        """For pickle and copy: everything but what passes keep; of the optimizer its settings and its state."""
        state = {
            **super().__getstate__(),
            "_lock": None,
            "_idle_passes": [],
            "_training_pass": None,
            "history": None,
            "course": None,
        }
        if self.compiled:
            if self.graph is not None:
                self.compiled.bind(self)
            kept = self.compiled.optimizer_of(self).state()
            state["compiled"] = self.compiled.arguments(), kept
        return state

    def __setstate__(self, state):
        vars(self).update(state)
        self._lock = threading.Lock()
        if self.compiled:
            arguments, optimizer_state = self.compiled
            self.compile(**arguments)
            if self.graph is not None:
                self.compiled.optimizer_of(self).set_state(optimizer_state)

    # --- training --------------------------------------------------------------------------------------------------

    def compile(self, optimizer="rmsprop", loss=None, metrics=None, loss_weights=None, weighted_metrics=None, **kwargs):
        """Settles how the model is trained.

        optimizer: a name, or an object of fastkeras.optimizers.
        loss: a name, an object or function of fastkeras.losses, or one of the user's own (see fastkeras.losses).
        metrics: names, objects or functions; 'acc' and 'accuracy' become the accuracy that fits the output.
        loss_weights: a factor on the loss. weighted_metrics: metrics that sample weights weigh.

        For several outputs each of these is a list with an item for each output, or a dict by their names: the keys, if
        the outputs are a dict, else the names of the layers they come from. One loss alone stands for all outputs; an
        output with the loss None is not trained. The loss is the sum of loss_weight * loss.
        """
        self.compiled = training.Compiled(optimizer, loss, metrics, loss_weights, weighted_metrics, **kwargs)
        self._training_pass = None
        if self.graph is not None:
            self.compiled.bind(self)

    @property
    def optimizer(self):
        """The optimizer that compile was given, an object; None before."""
        return self.compiled.optimizer if self.compiled else None

    @property
    def loss(self):
        """What compile was given as loss; None before."""
        return self.compiled.loss_given if self.compiled else None

    @property
    def metrics(self):
        """The metrics given to compile, as objects (none before the model has seen data), and those that are attributes
        of the model or of its layers. For steps of the user's own: the mean of the loss, those given to compile as one
        metric whose result is a dict, and the attributes."""
        if self.compiled is None:
            compiled = []
        elif training.own.replaces(self, "train") or training.own.replaces(self, "test"):
            scores = self.compiled.scores
            compiled = [scores.loss, scores] if self.compiled.names[1:] else [scores.loss]
        else:
            compiled = [metric for _, metric, _ in self.compiled.metrics]
        return compiled + [metric for layer in inside(self) for metric in among(vars(layer), _is_metric)]

    @property
    def compiled_metrics(self):
        """Keras 2's: the metrics given to compile as one, with update_state(y, y_pred, sample_weight)."""
        return self.require_compiled().scores

    def compiled_loss(self, y, y_pred, sample_weight=None, regularization_losses=None):
        """Keras 2's: the loss given to compile, and the sum of regularization_losses; it counts in the mean loss."""
        scores = self.require_compiled().scores
        loss = scores.compute_loss(y, y_pred, sample_weight) + sum(regularization_losses or ())
        scores.loss.update_state(loss, sample_weight=len(nest.flat(y_pred)[0]))
        return loss

    def reset_metrics(self):
        """Forgets what the metrics have counted so far."""
        for metric in self.metrics:
            metric.reset_state()

    @property
    def metrics_names(self):
        """The keys under which loss and metrics are reported, in the order of what `evaluate` returns."""
        return self.require_compiled().names

    def require_compiled(self):
        """What compile() settled; a ValueError if it was not called."""
        if self.compiled is None:
            raise ValueError(message("not_compiled", model=self.name))
        return self.compiled

    # What a subclass may define anew, for fit, evaluate and predict to run (training/own.py).
    train_step = training.own.train_step
    test_step = training.own.test_step
    predict_step = training.own.predict_step
    compute_loss = training.own.compute_loss
    compute_metrics = training.own.compute_metrics
    get_metrics_result = training.own.get_metrics_result

    fit = training.fit
    evaluate = training.evaluate
    predict = training.predict
    train_on_batch = training.train_on_batch
    test_on_batch = training.test_on_batch
    predict_on_batch = training.predict_on_batch
    fit_generator = training.fit_generator
    evaluate_generator = training.evaluate_generator
    predict_generator = training.predict_generator

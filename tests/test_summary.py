"""The table of model.summary() for graphs, and its options; that of a chain is in tests/test_models.py."""

import re

import pytest
from drawn_models import branches, nested, states
from live import keras_module, needs_tensorflow

import fastkeras as keras
from fastkeras.layers import Dense, Embedding


def table(model, **options):
    lines = []
    model.summary(print_fn=lines.append, **options)
    return lines


def test_summary_before_the_model_is_built_and_with_frozen_layers():
    model = keras.Sequential([Embedding(1000, 16), Dense(3)])
    assert table(model)[3].split() == [model.layers[0].name, "(Embedding)", "?", "?"]
    assert table(keras.Sequential([model]))[3].split() == [model.name, "(Sequential)", "?", "?"]
    model.build((None, 7))
    model.layers[0].trainable = False
    lines = table(model)
    assert lines[3].split()[2:] == ["(None,", "7,", "16)", "16000"]
    assert lines[-4:-1] == ["Total params: 16,051", "Trainable params: 51", "Non-trainable params: 16,000"]


def test_long_names_go_on_in_the_next_line():
    name = "a_name_much_longer_than_the_column"
    lines = table(keras.Sequential([Dense(2, input_dim=3, name=name)]))
    assert lines[3][:28] + lines[4].strip() == f"{name} (Dense)"
    assert lines[3][28:38] == " (None, 2)" and all(len(line) == 65 for line in lines[:6])


GRAPH = """\
__________________________________________________________________________________________________
Layer (type)                    Output Shape         Param #     Connected to                     
==================================================================================================
a (InputLayer)                  (None, 4)            0                                            
__________________________________________________________________________________________________
b (InputLayer)                  (None, 4)            0                                            
__________________________________________________________________________________________________
shared (Dense)                  (None, 5)            25          a[0][0]                          
                                                                 b[0][0]                          
__________________________________________________________________________________________________
join (Concatenate)              (None, 10)           0           shared[0][0]                     
                                                                 shared[1][0]                     
__________________________________________________________________________________________________
out (Dense)                     (None, 2)            22          join[0][0]                       
==================================================================================================
Total params: 47
Trainable params: 47
Non-trainable params: 0
__________________________________________________________________________________________________
"""  # noqa: W291 (the table's own trailing spaces)


def test_a_graph_tells_what_each_layer_is_connected_to(capsys):
    branches(keras).summary()
    assert capsys.readouterr().out == GRAPH


def test_a_chain_written_as_a_graph_has_no_connections():
    start = keras.Input((4,), name="a")
    lines = table(keras.Model(start, Dense(2, name="d")(start)))
    assert [line.split()[:2] for line in lines[3:6:2]] == [["a", "(InputLayer)"], ["d", "(Dense)"]]
    assert "Connected to" not in lines[1]


NESTED = """\
inner (Sequential)           (None, 2)                 26        Y          
|¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯|
| inner_1 (Dense)            (None, 3)                 18        Y         |
|__________________________________________________________________________|
| inner_2 (Dense)            (None, 2)                 8         Y         |
¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯¯
last (Dense)                 (None, 1)                 3         Y          
"""  # noqa: W291


def test_models_inside_are_listed_in_frames():
    lines = table(nested(keras), expand_nested=True, show_trainable=True)
    assert "\n".join(lines[5:12]) + "\n" == NESTED
    assert lines[3].split()[-1] == "N" and len(lines[0]) == 65 + 11


def test_columns_where_the_user_wants_them():
    lines = table(branches(keras), line_length=80, positions=[0.4, 0.6, 0.7, 1.0])
    assert lines[3][:33] == "a (InputLayer)                  (" and len(lines[0]) == len(lines[3]) == 80
    assert table(branches(keras), positions=[40, 60, 70, 98])[3].index("(None") == 40


def test_only_some_of_the_layers():
    names = [line.split()[0] for line in table(branches(keras), layer_range=("shared", "jo.*"))[3:8] if "(" in line]
    assert names == ["shared", "join"]
    assert table(branches(keras), layer_range=("join", "shared")) == table(
        branches(keras), layer_range=("shared", "join")
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"line_length": 0}, "`line_length` must be a positive integer. Received: 0"),
        ({"line_length": "65"}, "`line_length` must be a positive integer. Received: '65'"),
        ({"positions": [0.5, 1.0]}, "`positions` must be 4 increasing numbers, the end of each column. Received: [0.5"),
        ({"positions": [0.5, 0.4, 0.8, 1.0]}, "`positions` must be 4 increasing numbers"),
        ({"layer_range": ["a"]}, "`layer_range` must be two names of layers, the first and the last shown. "),
        ({"layer_range": [0, 1]}, "`layer_range` must be two names of layers"),
        (
            {"layer_range": ["a", "x"]},
            "must name layers of the model, ['a', 'b', 'shared', 'join', 'out']. ",
        ),
    ],
)
def test_options_that_make_no_table(options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        table(branches(keras), **options)


@needs_tensorflow
@pytest.mark.parametrize(
    ("build", "options"),
    [
        (branches, {"show_trainable": True}),
        (nested, {"expand_nested": True, "show_trainable": True}),
        (states, {}),
        (states, {"layer_range": ("lstm", "two")}),
    ],
)
def test_the_same_rows_as_in_keras_2(build, options):
    def words(lines):
        """What the lines say, without frames and brackets, and without the bytes that Keras 2.21 adds."""
        said = (re.findall(r"\w+", re.sub(r"_{9,}|\(\d.*Byte\)", "", line)) for line in lines)
        return [words for words in said if words]

    theirs = words(table(build(keras_module("tf_keras")), **options))
    assert theirs[0][0] == "Model"
    assert words(table(build(keras), **options)) == theirs[1:]
